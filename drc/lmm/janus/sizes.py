"""Sizes of a Janus by the shapes of its weights, and by its config.json what these do not tell.

The published config.json of the 7B leaves most of them out.
"""

from math import isqrt

from ...parsing import read
from ...shapes import Shapes
from ..llama import LlamaConfig
from .config import Sizes
from .stated import require_measured, section_of

TOLD = {"num_attention_heads": "heads", "layer_norm_eps": "layer_norm_eps"}  # of SigLIP, what no shape tells
OMITTED = {"rms_norm_eps": 1e-6, "max_position_embeddings": 16384}
"""Of a language model whose config.json does not say, as the 7B's."""
HEAD = 128  # numbers in a head of it, in both sizes that are published


def sizes_of(shapes: Shapes, settings: dict, pixels: dict) -> Sizes:
    """ValueError with the rest of a sentence where weights and `settings` contradict each other, or sizes are out of
    bounds. `pixels` are fields of SigLIP that another file brings."""
    said = section_of(settings, "text_config") or section_of(settings, "language_config")
    said = OMITTED | {name: value for name, value in said.items() if value is not None}
    try:
        language = language_of(shapes, said.get("num_attention_heads"))
        siglip, tokenizer = siglip_of(shapes), tokeniser_of(shapes)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise ValueError("describes a Janus, but the weights beside it are not all there, or of another one") from error
    language = LlamaConfig.read(said | language | {"tie_word_embeddings": None})  # the head for words is not read
    vision = section_of(settings, "vision_config")
    told = {ours: vision[name] for name, ours in TOLD.items() if vision.get(name) is not None}
    parts = {"language": vars(language), "siglip": siglip | pixels | told, "tokenizer": tokenizer}
    sizes = read(Sizes, parts)
    sizes.check()
    require_measured(settings, sizes)
    return sizes


def count(shapes: Shapes, pattern: str) -> int:
    """How many there are from 0 on."""
    number = 0
    while pattern.format(number) in shapes:
        number += 1
    return number


def language_of(shapes: Shapes, heads: object) -> dict:
    """How many heads keys have is told by their weights, once those of the queries are known: `heads`, or None where
    nothing says it."""
    vocabulary, width = shapes["language.model.embed_tokens.weight"]
    heads = max(1, width // HEAD) if heads is None else heads
    keys = shapes["language.model.layers.0.self_attn.k_proj.weight"][0]
    known = type(heads) is int and 0 < heads <= width
    return {
        "num_attention_heads": heads,
        "num_key_value_heads": max(1, keys // (width // heads)) if known else None,
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes["language.model.layers.0.mlp.gate_proj.weight"][0],
        "num_hidden_layers": count(shapes, "language.model.layers.{}.input_layernorm.weight"),
    }


def siglip_of(shapes: Shapes) -> dict:
    width, _, patch, _ = shapes["understanding.transformer.embeddings.patch_embedding.weight"]
    positions = shapes["understanding.transformer.embeddings.position_embedding.weight"][0]
    return {
        "image_size": isqrt(positions) * patch,
        "patch_size": patch,
        "width": width,
        "feed_forward": shapes["understanding.transformer.encoder.layers.0.mlp.fc1.weight"][0],
        "layers": count(shapes, "understanding.transformer.encoder.layers.{}.layer_norm1.weight"),
    }


def tokeniser_of(shapes: Shapes) -> dict:
    codes, code_size = shapes["vision.quantize.embedding.weight"]
    base = shapes["vision.encoder.conv_in.weight"][0]
    levels = count(shapes, "vision.encoder.down.{}.block.0.conv1.weight")
    widths = [shapes[f"vision.encoder.down.{level}.block.0.conv1.weight"][0] for level in range(levels)]
    return {
        "codes": codes,
        "code_size": code_size,
        "latent": shapes["vision.quant_conv.weight"][1],
        "base": base,
        "multipliers": tuple(width // base for width in widths),
        "blocks": count(shapes, "vision.encoder.down.0.block.{}.conv1.weight"),
    }
