"""A tiny Janus-Pro in either published layout: random weights in safetensors, with vocabulary and settings beside them.

A picture has 4 x 4 codes, each of 2 x 2 pixels.
"""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor

from drc.lmm.janus.config import SiglipConfig, Sizes, TokenizerConfig
from drc.lmm.janus.layout import PREFIXES
from drc.lmm.janus.model import JanusConfig, JanusLMM
from drc.lmm.janus.text import TAGS
from drc.lmm.llama import LlamaConfig
from drc.shapes import shapes_of
from scripts.lib.tiny_sdxl import random_weights

WORDS = 400
SIZES = Sizes(
    language=LlamaConfig(WORDS, 32, 48, 2, 2, 2, rms_norm_eps=1e-6, max_position_embeddings=512),
    siglip=SiglipConfig(image_size=8, patch_size=2, width=16, heads=2, feed_forward=64, layers=2),
    tokenizer=TokenizerConfig(codes=24, code_size=4, latent=6, base=32, multipliers=(1, 2), blocks=1),
)
TEXT = """A painter draws the meaning of one picture in the style of another: red apples, green pears and a blue car.
The sun is yellow, the cat is sad, and the dog jumps over the lazy fox while nobody in the village looks out."""
CUTS = (r"[\r\n]", r"\s?[A-Za-z]+", r"\s?[!-/:-~]+", r"\s+$")  # the first patterns of DeepSeek-LLM, of English letters
ORIGINAL = {
    "understanding.transformer.encoder.layers.": "vision_model.vision_tower.blocks.",
    "understanding.transformer.embeddings.position_embedding.weight": "vision_model.vision_tower.pos_embed",
    "understanding.transformer.embeddings.patch_embedding.": "vision_model.vision_tower.patch_embed.proj.",
    "understanding.transformer.post_layernorm.": "vision_model.vision_tower.norm.",
    "understanding.aligner.": "aligner.",
    "language.generation_embeddings.": "gen_embed.",
    "language.generation_aligner.": "gen_aligner.",
    "language.lm_head.proj_out.": "gen_head.output_mlp_projector.",
    "language.lm_head.": "gen_head.",
    "language.model.": "language_model.model.",
    "vision.encoder.down.": "gen_vision_model.encoder.conv_blocks.",
    "vision.decoder.up.": "gen_vision_model.decoder.conv_blocks.",
    "vision.": "gen_vision_model.",
}
PIECES = {
    "layer_norm": "norm",
    "self_attn.projection_layer": "attn.proj",
    "self_attn.qkv": "attn.qkv",
    "fc1": "layers.0",
    "hidden_layers.0": "layers.2",
    ".block.": ".res.",
    "mid.block_1": "mid.0",
    "mid.attn_1": "mid.1",
    "mid.block_2": "mid.2",
}


def write_tiny_janus(models_folder: Path, name: str = "tiny-janus", seed: int = 0, sizes: Sizes = SIZES) -> Path:
    """A folder as it is downloaded, below the models folder; returns it."""
    return write_published(models_folder / "drc" / name, sizes, seed)


def write_published(folder: Path, sizes: Sizes = SIZES, seed: int = 0, shards: int = 1, original: bool = False) -> Path:
    """In the layout of transformers, or in that of the original."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = weights(sizes, seed)
    tensors = original_names(tensors) if original else published_names(tensors)
    write_weights(folder, tensors, shards)
    write_json(folder / "config.json", original_settings(sizes) if original else settings(sizes))
    write_json(folder / "preprocessor_config.json", {"image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    (folder / "tokenizer.json").write_text(words().to_str(), "utf-8")
    return folder


def weights(sizes: Sizes = SIZES, seed: int = 0) -> dict[str, Tensor]:
    """By our names, in bfloat16; rows of the codebook have other lengths than 1."""
    return random_weights(shapes_of(JanusLMM, JanusConfig(sizes)), seed, torch.bfloat16)


def published_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    prefixes = {ours: theirs for theirs, ours in PREFIXES.items()}
    found = {}
    for name, tensor in tensors.items():
        ours = next(prefix for prefix in prefixes if name.startswith(prefix))
        found[prefixes[ours] + name.removeprefix(ours)] = tensor
    return found | {"lm_head.weight": tensors["language.model.embed_tokens.weight"].clone()}


def original_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """With queries, keys and values of SigLIP as one, and what is never read."""
    together = {}
    for name, tensor in tensors.items():
        if name.startswith("understanding") and "q_proj" in name:
            parts = [tensors[name.replace("q_proj", f"{part}_proj")] for part in "qkv"]
            together[name.replace("q_proj", "qkv")] = torch.cat(parts)
        elif not (name.startswith("understanding") and ("k_proj" in name or "v_proj" in name)):
            together[name] = tensor
    found = {original_name(name): tensor for name, tensor in together.items()}
    found["vision_model.vision_tower.pos_embed"] = found["vision_model.vision_tower.pos_embed"][None]
    found["vision_model.vision_tower.attn_pool.latent"] = torch.zeros(1, 1, 4)
    found["gen_vision_model.quantize.codebook_used"] = torch.zeros(65536)
    return found | {"language_model.lm_head.weight": tensors["language.model.embed_tokens.weight"].clone()}


def original_name(name: str) -> str:
    ours = next(prefix for prefix in ORIGINAL if name.startswith(prefix))
    rest = name.removeprefix(ours)
    if not ours.startswith("language.model"):
        for piece, theirs in PIECES.items():
            if not (piece == "fc1" and "encoder.layers" in ours):
                rest = rest.replace(piece, theirs)
    return ORIGINAL[ours] + rest


def write_weights(folder: Path, tensors: dict[str, Tensor], shards: int) -> None:
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return
    names, weight_map = list(tensors), {}
    ends = [len(names) * number // shards for number in range(shards + 1)]
    for number, (start, end) in enumerate(pairwise(ends), 1):
        shard = f"model-{number:05d}-of-{shards:05d}.safetensors"
        weight_map |= dict.fromkeys(names[start:end], shard)
        save_file({name: tensors[name] for name in names[start:end]}, folder / shard, {"format": "pt"})
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def settings(sizes: Sizes) -> dict:
    """The config.json of transformers."""
    language, siglip, tokenizer = sizes.language, sizes.siglip, sizes.tokenizer
    return {
        "architectures": ["JanusForConditionalGeneration"],
        "model_type": "janus",
        "text_config": {"model_type": "llama", **vars(language), "hidden_act": "silu", "rope_scaling": None},
        "vision_config": {
            "model_type": "janus_vision_model",
            "hidden_size": siglip.width,
            "num_hidden_layers": siglip.layers,
            "num_attention_heads": siglip.heads,
            "image_size": siglip.image_size,
            "patch_size": siglip.patch_size,
            "mlp_ratio": siglip.feed_forward / siglip.width,
            "layer_norm_eps": siglip.layer_norm_eps,
            "projection_dim": language.hidden_size,
            "num_image_tokens": sizes.grid**2,
        },
        "vq_config": {
            "model_type": "janus_vqgan",
            "embed_dim": tokenizer.code_size,
            "num_embeddings": tokenizer.codes,
            "latent_channels": tokenizer.latent,
            "base_channels": tokenizer.base,
            "channel_multiplier": list(tokenizer.multipliers),
            "num_res_blocks": tokenizer.blocks,
            "projection_dim": language.hidden_size,
            "image_token_embed_dim": language.hidden_size,
            "num_patches": sizes.grid,
        },
    }


def original_settings(sizes: Sizes) -> dict:
    """The config.json of the original, with all that the published ones have; how many heads SigLIP has they leave to
    its name."""
    language, siglip, tokenizer = sizes.language, sizes.siglip, sizes.tokenizer
    codes, code_size, width = tokenizer.codes, tokenizer.code_size, language.hidden_size
    projector = {"projector_type": "mlp_gelu", "depth": 2, "n_embed": width}
    head = {"image_token_size": codes, "image_token_embed": width, "n_embed": width}
    seen = {"image_size": siglip.image_size, "select_feature": "same", "select_layer": -1}
    return {
        "architectures": ["MultiModalityCausalLM"],
        "model_type": "multi_modality",
        "language_config": {**vars(language), "model_type": "llama"},
        "vision_config": {"cls": "CLIPVisionTower", "params": seen, "num_attention_heads": siglip.heads},
        "aligner_config": {"cls": "MlpProjector", "params": projector | {"input_dim": siglip.width}},
        "gen_aligner_config": {"cls": "MlpProjector", "params": projector | {"input_dim": code_size}},
        "gen_head_config": {"cls": "vision_head", "params": head},
        "gen_vision_config": {"cls": "VQ-16", "params": {"image_token_size": codes, "n_embed": code_size}},
    }


def words() -> Tokenizer:
    """A byte-level BPE with the special tokens of Janus behind its words."""
    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Split(Regex(cut), "isolated") for cut in CUTS]
    last = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*steps, *last])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=WORDS - 10, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    tokenizer.add_special_tokens([AddedToken(tag, special=True) for tag in (*TAGS, "<end_of_image>")])
    return tokenizer


def write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=1))


def of_width(sizes: Sizes, grid: int) -> Sizes:
    """The same with other pictures, of grid x grid codes."""
    return replace(sizes, siglip=replace(sizes.siglip, image_size=grid * sizes.siglip.patch_size))
