"""The true LaVIT, by names and shapes alone: what its published files say of its sizes."""

from pathlib import Path

import pytest
import torch

from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig, VisionConfig
from drc.lmm.lavit.converted import Sizes
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.published import high_sizes, low_sizes, read_published, tokenizer_sizes, vision_sizes
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer
from drc.lmm.llama import LlamaConfig, LlamaForCausalLM
from drc.shapes import shapes_of
from scripts.lib.tiny_lavit import HIGH_UNET, write_published


@pytest.mark.parametrize(
    ("module", "config", "sizes"),
    [
        (VisionTransformer, VisionConfig(), vision_sizes),
        (VisualTokenizer, TokenizerConfig(), tokenizer_sizes),
        (HighResolutionDecoder, DecoderConfig(), high_sizes),
        (LowResolutionDecoder, DecoderConfig(), low_sizes),
    ],
)
def test_true_sizes_are_read_off_the_shapes(module, config, sizes):
    assert sizes(shapes_of(module, config)) == config


def test_the_true_lavit_passes(tmp_path):
    """Its files as they are published, but hollow: names, shapes and types without numbers, which take no room."""
    unet = HIGH_UNET | {
        "block_out_channels": [320, 640, 1280],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 2, 10],
        "layers_per_block": 2,
    }
    language = LlamaConfig(48386, 4096, 11008, 32, 32, 32)
    sizes = Sizes(language, VisionConfig(), TokenizerConfig(), DecoderConfig(), DecoderConfig())

    def hollow(shapes, seed, dtype):
        return {name: torch.empty(shape, dtype=dtype) for name, shape in shapes.items()}

    with torch.serialization.skip_data():
        published = read_published(write_published(tmp_path, sizes, unet=unet, make=hollow), "true")
    assert published.sizes == sizes and not published.left_out
    lengths = {Path(file.place).name: file.size for file in published.files}
    shards = sum(size for name, size in lengths.items() if name.startswith("language"))
    true = {"vision": 1_012_588_928, "tokenizer": 404_048_130, "true-unet": 2_567_463_684}  # weights of 16 bits
    for size, weights in [(shards, 6_872_649_728), *((lengths[f"{name}.safetensors"], true[name]) for name in true)]:
        assert 0 < size - 2 * weights < 300_000  # what their names and shapes take


def test_the_true_language_model_has_the_published_tensors():
    shapes = shapes_of(LlamaForCausalLM, LlamaConfig(48386, 4096, 11008, 32, 32, 32))
    assert len(shapes) == 291 and shapes["lm_head.weight"] == shapes["model.embed_tokens.weight"] == (48386, 4096)
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 6_872_649_728
