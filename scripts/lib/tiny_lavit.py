"""A tiny LaVIT in the layout of the published folder: random weights in files of PyTorch, of the published dtypes."""

import io
import json
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentencepiece import SentencePieceTrainer
from torch import Tensor

from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig, VisionConfig
from drc.lmm.lavit.convert import convert
from drc.lmm.lavit.converted import Sizes
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.diffusion import unet_shapes, vae_shapes
from drc.lmm.lavit.language import FIRST_CODE
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer
from drc.lmm.llama import LlamaConfig, LlamaForCausalLM
from drc.shapes import shapes_of
from scripts.lib.tiny_sdxl import random_weights, write_tiny_sdxl

SHARED = {"width": 32, "feed_forward": 139}
SIZES = Sizes(
    language=LlamaConfig(FIRST_CODE + 96, 16, 40, 2, 2, 2),
    vision=VisionConfig(image_size=70, patch_size=14, layers=3, head_outputs=24, **SHARED),
    tokenizer=TokenizerConfig(layers=2, codes=96, code_size=8, **SHARED),
    # What the UNet reads keeps its size, so that the stand-in for it in scripts/lib/tiny_sdxl.py reads it, too.
    decoder=DecoderConfig(queries=25, layers=2, code_size=8, **SHARED),
    low_resolution=DecoderConfig(queries=25, layers=2, code_size=8, **SHARED),
)
UNET = {
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": [8, 16],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
}
HIGH_UNET = UNET | {
    "transformer_layers_per_block": [1, 2],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
LOW_UNET = UNET | {"cross_attention_dim": 768}
VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [8, 16],
    "layers_per_block": 1,
    "latent_channels": 4,
}
TEXT = """A painter draws the meaning of one picture in the style of another: red apples, green pears and a blue car.
The sun is yellow, the cat is sad, and the dog jumps over the lazy fox while nobody in the village looks out."""
NEVER_READ = [
    "language_model/visual_weight.bin",
    "openai_clip_ViT-L-14.bin",
    "pixel_decoding/safety_checker/pytorch_model.bin",
    "unet/diffusion_pytorch_model.bin",
]


def write_tiny_lavit(models: Path, name: str = "tiny", seed: int = 0) -> Path:
    """A converted set below the models folder, with the stand-ins that the host's loaders take for UNet and
    autoencoder; returns its own folder."""
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        convert(write_published(Path(folder), seed=seed), models, name)
    write_tiny_sdxl(models, name, seed)
    return models / "drc" / name


def write_published(
    folder: Path,
    sizes: Sizes = SIZES,
    seed: int = 0,
    shards: int = 3,
    unet: dict = HIGH_UNET,
    make: Callable[..., dict[str, Tensor]] = random_weights,
) -> Path:
    """The whole of it, the low resolution included unless `sizes` have none. `make(shapes, seed, dtype)` makes the
    weights."""
    write_language(folder / "language_model", sizes.language, seed, shards, make)
    visual = folder / "visual_tokenizer"
    parts = {
        "eva_vitg_psz14": shapes_of(VisionTransformer, sizes.vision),
        "tokenizer_encoder": shapes_of(VisualTokenizer, sizes.tokenizer),
        "highres_tokenizer_decoder": shapes_of(HighResolutionDecoder, sizes.decoder),
    }
    if sizes.low_resolution:
        parts["tokenizer_decoder"] = shapes_of(LowResolutionDecoder, sizes.low_resolution)
    for number, (name, shapes) in enumerate(parts.items()):
        tensors = make(shapes, seed + number, torch.bfloat16)
        if name.startswith("highres"):  # the published file keeps norms and embeddings in 32 bits
            tensors |= {key: tensor.float() for key, tensor in tensors.items() if "norm" in key or "embed" in key}
        save(tensors, visual / f"{name}.bin")
    write_diffusion(folder / "highres_pixel_decoding", unet, seed, make)
    if sizes.low_resolution:
        write_diffusion(folder / "pixel_decoding", LOW_UNET, seed, make)
        nothing = torch.randn(1, 7, sizes.low_resolution.prompt_width, generator=torch.Generator().manual_seed(seed))
        torch.save(nothing.bfloat16(), folder / "pixel_decoding" / "uncond_embeddings.bin")
    for name in NEVER_READ:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"nobody reads this")
    return folder


def write_language(folder: Path, config: LlamaConfig, seed: int, shards: int, make: Callable) -> None:
    tensors = make(shapes_of(LlamaForCausalLM, config), seed, torch.bfloat16)
    names, weight_map = list(tensors), {}
    ends = [len(names) * number // shards for number in range(shards + 1)]
    for number, (start, end) in enumerate(pairwise(ends), 1):
        shard = f"pytorch_model-{number:05d}-of-{shards:05d}.bin"
        weight_map |= dict.fromkeys(names[start:end], shard)
        save({name: tensors[name] for name in names[start:end]}, folder / shard)
    write_json(folder / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": weight_map})
    settings = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16"}
    sizes = {name: getattr(config, name) for name in config.__dataclass_fields__ if name != "num_key_value_heads"}
    write_json(folder / "config.json", settings | sizes)
    (folder / "tokenizer.model").write_bytes(words())


def words() -> bytes:
    """A SentencePiece vocabulary of LLaMA's kind: 0 unknown, 1 begins, 2 ends, what it does not know in bytes."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=400,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def write_diffusion(folder: Path, unet: dict, seed: int, make: Callable) -> None:
    write_json(folder / "unet" / "config.json", unet)
    save(make(unet_shapes(unet), seed, torch.bfloat16), folder / "unet" / "diffusion_pytorch_model.bin")
    write_json(folder / "vae" / "config.json", VAE)
    tensors = random_weights(vae_shapes(VAE), seed, torch.float32)
    save_file(tensors, folder / "vae" / "diffusion_pytorch_model.safetensors")


def save(tensors: dict[str, Tensor], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, path)


def write_json(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1))
