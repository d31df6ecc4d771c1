"""Sizes of a Janus by the shapes of its weights, and by its config.json what these do not tell.

The published config.json of the 7B leaves most of them out.
"""

from math import isqrt

from ...parsing import brief, read
from ...shapes import Shapes
from ..llama import LlamaConfig
from .config import Sizes

PARTS = {"language": ("text_config", "language_config"), "siglip": ("vision_config",), "tokenizer": ("vq_config",)}
STATED = {
    "language": {"vocab_size": "vocab_size", "hidden_size": "hidden_size", "intermediate_size": "intermediate_size"}
    | {"num_hidden_layers": "num_hidden_layers"},
    "siglip": {"image_size": "image_size", "patch_size": "patch_size", "hidden_size": "width"}
    | {"num_hidden_layers": "layers"},
    "tokenizer": {"num_embeddings": "codes", "embed_dim": "code_size", "latent_channels": "latent"}
    | {"base_channels": "base", "channel_multiplier": "multipliers", "num_res_blocks": "blocks"},
}
"""Sizes that a config.json may state of a part, and what they are called here."""
TOLD = {"num_attention_heads": "heads", "layer_norm_eps": "layer_norm_eps"}  # of SigLIP, what no shape tells
OMITTED = {"num_attention_heads": 32, "rms_norm_eps": 1e-6, "max_position_embeddings": 16384}
"""Of a language model whose config.json does not say: the 7B's."""


def sizes_of(shapes: Shapes, settings: dict, pixels: dict) -> Sizes:
    """ValueError with the rest of a sentence where weights and `settings` contradict each other, or sizes are out of
    bounds. `pixels` are fields of SigLIP that another file brings."""
    try:
        measured = {"language": language_of(shapes), "siglip": siglip_of(shapes), "tokenizer": tokenizer_of(shapes)}
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise ValueError("describes a Janus, but the weights beside it are not all there, or of another one") from error
    stated = {part: stated_of(settings, names) for part, names in PARTS.items()}
    for part, names in STATED.items():
        for name, ours in names.items():
            found, given = measured[part][ours], stated[part].get(name)
            if given is not None and tuple_of(given) != found:
                raise ValueError(f"has {PARTS[part][0]}.{name} {brief(given)}, but the weights have {brief(found)}")
    language = LlamaConfig.read(language_settings(stated["language"] | measured["language"], shapes))
    siglip = (
        measured["siglip"]
        | pixels
        | {ours: stated["siglip"][name] for name, ours in TOLD.items() if name in stated["siglip"]}
    )
    return read(Sizes, {"language": vars(language), "siglip": siglip, "tokenizer": measured["tokenizer"]})


def stated_of(settings: dict, names: tuple[str, ...]) -> dict:
    """What a config.json says of a part, by the first of some names."""
    return next((settings[name] for name in names if isinstance(settings.get(name), dict)), {})


def language_settings(settings: dict, shapes: Shapes) -> dict:
    """Those of a language model, with what is left out as it is published; its head for words is not read."""
    settings = OMITTED | {name: value for name, value in settings.items() if value is not None}
    settings["tie_word_embeddings"] = None
    heads, width = settings["num_attention_heads"], settings["hidden_size"]
    if isinstance(heads, int) and 0 < heads <= width:
        keys = shapes["language.model.layers.0.self_attn.k_proj.weight"][0]
        settings["num_key_value_heads"] = max(1, keys // (width // heads))
    return settings


def tuple_of(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def count(shapes: Shapes, pattern: str) -> int:
    """How many there are from 0 on."""
    number = 0
    while pattern.format(number) in shapes:
        number += 1
    return number


def language_of(shapes: Shapes) -> dict:
    vocabulary, width = shapes["language.model.embed_tokens.weight"]
    return {
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


def tokenizer_of(shapes: Shapes) -> dict:
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
