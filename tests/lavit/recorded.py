"""Tensors recorded from the original LaVIT at a tiny size; tests/fixtures/lavit/README.md says what each file holds."""

import json
from functools import cache
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig, VisionConfig

FOLDER = Path(__file__).parents[1] / "fixtures" / "lavit"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
SIZES = MANIFEST["config"]
FIRST_CODE = MANIFEST["vocabulary"]["first_code"]
SHARED = {"width": SIZES["width"], "heads": SIZES["heads"], "feed_forward": SIZES["mlp_hidden"]}
VISION = VisionConfig(
    image_size=SIZES["img_size"],
    patch_size=SIZES["patch"],
    layers=SIZES["vit_depth"],
    layer_norm_eps=SIZES["vit_layernorm_eps"],
    head_outputs=SIZES["vit_head_outputs"],
    image_mean=tuple(SIZES["image_mean"]),
    image_std=tuple(SIZES["image_std"]),
    **SHARED,
)
TOKENIZER = TokenizerConfig(
    layers=SIZES["merger_depth"],
    layer_norm_eps=SIZES["tokenizer_layernorm_eps"],
    codes=SIZES["codebook_n"],
    code_size=SIZES["codebook_dim"],
    **SHARED,
)
DECODER = DecoderConfig(
    queries=SIZES["num_patches"],
    layers=SIZES["decoder_depth"],
    layer_norm_eps=SIZES["decoder_layernorm_eps"],
    code_size=SIZES["codebook_dim"],
    prompt_width=SIZES["unet_dim_1"],
    pooled_width=SIZES["unet_dim_2"],
    **SHARED,
)


@cache
def tensors(file: str) -> dict[str, Tensor]:
    return load_file(FOLDER / file)


def picture(name: str) -> Image.Image:
    return Image.open(FOLDER / f"input_{name}.png")


def outputs(file: str) -> list[str]:
    """Names of what the original put out, according to the manifest."""
    return [name for name in MANIFEST["files"][file]["tensors"] if name.startswith("out.")]


def assert_recorded(file: str, name: str, computed: Tensor) -> None:
    """Within the manifest's tolerance, which is relative to the largest number; whole numbers are exact."""
    expected, rtol = tensors(file)[name], MANIFEST["files"][file]["tensors"][name].get("rtol", 0)
    assert computed.dtype == expected.dtype
    atol = rtol * expected.abs().max().item() if rtol else 0
    torch.testing.assert_close(computed, expected, rtol=0, atol=atol)
