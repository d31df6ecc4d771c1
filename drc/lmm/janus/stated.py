"""What the settings beside a Janus may say: no more than its weights have, and nothing that is computed otherwise here.

Both layouts are looked through in one: their sections have different names, or different fields. What stands in none
of these tables changes no picture: how to train, words that are answered, or what another file says, such as the ids of
words.
"""

from operator import attrgetter
from typing import get_type_hints

from ...parsing import brief, fit
from .config import SiglipConfig, Sizes

LANGUAGE = {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_key_value_heads"}
ALIGNER = {"params.n_embed": "language.hidden_size"}
MEASURED = {
    "text_config": {name: f"language.{name}" for name in LANGUAGE},
    "language_config": {name: f"language.{name}" for name in LANGUAGE},
    "vision_config": {
        "image_size": "siglip.image_size",
        "params.image_size": "siglip.image_size",
        "patch_size": "siglip.patch_size",
        "hidden_size": "siglip.width",
        "num_hidden_layers": "siglip.layers",
        "num_image_tokens": "siglip.patches",
        "projection_dim": "language.hidden_size",
    },
    "vq_config": {
        "num_embeddings": "tokenizer.codes",
        "embed_dim": "tokenizer.code_size",
        "latent_channels": "tokenizer.latent",
        "base_channels": "tokenizer.base",
        "channel_multiplier": "tokenizer.multipliers",
        "num_res_blocks": "tokenizer.blocks",
        "projection_dim": "language.hidden_size",
        "image_token_embed_dim": "language.hidden_size",
    },
    "gen_vision_config": {"params.image_token_size": "tokenizer.codes", "params.n_embed": "tokenizer.code_size"},
    "gen_head_config": {
        "params.image_token_size": "tokenizer.codes",
        "params.image_token_embed": "language.hidden_size",
        "params.n_embed": "language.hidden_size",
    },
    "aligner_config": ALIGNER | {"params.input_dim": "siglip.width"},
    "gen_aligner_config": ALIGNER | {"params.input_dim": "tokenizer.code_size"},
}
"""Fields of sections, and the size of the weights that each repeats."""
PROJECTOR = {"cls": "MlpProjector", "params.projector_type": "mlp_gelu", "params.depth": 2}
FIXED = {
    "text_config": {"model_type": "llama"},
    "language_config": {"model_type": "llama"},
    "vision_config": {
        "hidden_act": "gelu",
        "attention_bias": True,
        "use_qk_norm": False,
        "depth": 2,
        "num_channels": 3,
        "cls": "CLIPVisionTower",
        "params.select_layer": -1,
        "params.pixel_mean": None,
        "params.pixel_std": None,
    },
    "vq_config": {
        "hidden_act": "gelu",
        "num_hidden_layers": 2,
        "double_latent": False,
        "in_channels": 3,
        "out_channels": 3,
    },
    "gen_vision_config": {"cls": "VQ-16"},
    "gen_head_config": {"cls": "vision_head"},
    "aligner_config": PROJECTOR,
    "gen_aligner_config": PROJECTOR,
}
"""Fields that would change what the model computes, and how it is here."""
PIXELS = {"do_rescale": True, "do_normalize": True, "rescale_factor": 1 / 255}
"""The same of preprocessor_config.json."""


def require_measured(settings: dict, sizes: Sizes) -> None:
    """ValueError with the rest of a sentence for the first field of a config.json that the weights, which have `sizes`,
    contradict, or that asks for what is not built here."""
    if settings.get("quantization_config") is not None:
        raise ValueError("has quantization_config, expected weights of 16 or 32 bits")
    for section, fields in MEASURED.items():
        of_section = section_of(settings, section)
        for name, size in fields.items():
            require_same(f"{section}.{name}", field_of(of_section, name), attrgetter(size)(sizes))
        for name, ours in FIXED[section].items():
            given = field_of(of_section, name)
            if given not in (None, ours):
                raise ValueError(f"has {section}.{name} {brief(repr(given))}, expected {ours}")
    require_ratio(field_of(section_of(settings, "vision_config"), "mlp_ratio"), sizes.siglip)


def pixels_in(prepared: dict) -> dict:
    """How pixels are prepared for SigLIP, as far as a preprocessor_config.json says; ValueError as above."""
    for name, ours in PIXELS.items():
        if prepared.get(name) not in (None, ours):
            raise ValueError(f"has {name} {brief(repr(prepared[name]))}, expected {ours}")
    hints = get_type_hints(SiglipConfig, include_extras=True)
    told = [name for name in ("image_mean", "image_std") if prepared.get(name) is not None]
    return {name: fit(hints[name], prepared[name], name) for name in told}


def require_size(prepared: dict, image_size: int) -> None:
    """ValueError with the rest of a sentence where a preprocessor_config.json has pictures of another size."""
    size = prepared.get("size")
    sides = list(size.values()) if isinstance(size, dict) else [size]
    for given in (*sides, prepared.get("image_size")):
        require_same("size", given, image_size)


def section_of(settings: dict, name: str) -> dict:
    found = settings.get(name)
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"has {name} {brief(repr(found))}, expected names and values")
    return found or {}


def field_of(section: dict, path: str) -> object:
    """None where it is not stated; a path leads into what a section holds."""
    for name in path.split("."):
        section = section.get(name) if isinstance(section, dict) else None
    return section


def require_same(name: str, given: object, found: object) -> None:
    same = (tuple(given) if isinstance(given, list) else given) == found and not isinstance(given, bool)
    if given is not None and not same:
        raise ValueError(f"has {name} {brief(given)}, but the weights have {brief(found)}")


def require_ratio(given: object, siglip: SiglipConfig) -> None:
    """Of the layers of SigLIP, whose width it gives but for what is cut off."""
    known = isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given < 2**18
    if given is not None and (not known or int(siglip.width * given) != siglip.feed_forward):
        found = siglip.feed_forward / siglip.width
        raise ValueError(f"has vision_config.mlp_ratio {brief(given)}, but the weights have {found:g}")
