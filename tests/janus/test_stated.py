"""Every field that the settings of a Janus have is honoured, held against the weights, or changes no picture.

Fields are those that transformers' own class writes, and those of deepseek-ai/Janus, of which the published config.json
are made.
"""

import copy
import json
from dataclasses import replace

import pytest
import transformers

from drc.lmm.janus.reading import open_set
from scripts.lib.tiny_janus import SIZES, original_settings, settings, write_published

COMMON = set(transformers.PretrainedConfig().to_dict()) | {"torch_dtype", "quantization_config"}
OF_WORDS = {"pad_token_id", "bos_token_id", "eos_token_id", "image_token_id"}  # tokenizer.json has them
OF_TRAINING = {"initializer_range", "attention_dropout", "hidden_dropout_rate", "projection_dropout", "dropout"}
NO_PICTURE = OF_WORDS | OF_TRAINING | {
    "use_cache",
    "pretraining_tp",  # the same products in slices
    "tie_word_embeddings",  # of the head for words
    "num_patches",  # which transformers' class sets itself
    "select_feature",  # of SigLIP, it is set to "same" by the original itself
    "model_name",  # all that it stands for is in the weights
    "architectures",
    "vision_config.model_type",  # transformers takes its own classes, whatever it says
    "vq_config.model_type",
}  # fmt: skip
OTHER = {  # than in the tiny one, where "other" is no such value
    "hidden_act": "relu",
    "rope_theta": 500.0,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
    "rope_scaling": {"type": "linear", "factor": 2.0},
    "rms_norm_eps": 1e-5,
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 256,
    "image_mean": [0.4, 0.4, 0.4],
    "image_std": [0.3, 0.3, 0.3],
    "rescale_factor": 1.0,
    "size": {"height": 8, "width": 16},
    "channel_multiplier": [1, 4],
    "pixel_mean": [0.5, 0.5, 0.5],
    "pixel_std": [0.5, 0.5, 0.5],
    "num_attention_heads": 4,
}
SAID = {"num_attention_heads": "(head_dim|num_key_value_heads)", "model_type": ""}
"""What a message names in the place of a field."""
LANGUAGE = {"rope_theta": 500.0, "rms_norm_eps": 1e-5, "max_position_embeddings": 256}
HONOURED = {
    **{name: lambda sizes, name=name: replace(sizes, language=replace(sizes.language, **{name: LANGUAGE[name]}))
       for name in LANGUAGE},
    "rope_parameters": lambda sizes: replace(sizes, language=replace(sizes.language, rope_theta=500.0)),
    **{name: lambda sizes, name=name, value=value: replace(sizes, siglip=replace(sizes.siglip, **{name: value}))
       for name, value in {"layer_norm_eps": 1e-5, "image_mean": (0.4,) * 3, "image_std": (0.3,) * 3}.items()},
    "vision_config.num_attention_heads": lambda sizes: replace(sizes, siglip=replace(sizes.siglip, heads=4)),
}  # fmt: skip
"""What such another value makes of the sizes."""
PIXELS = {
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "do_normalize": True,
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 8, "width": 8},
    "image_size": 8,
}


def of_transformers() -> dict:
    parts = {name: part for name, part in settings(SIZES).items() if name.endswith("_config")}
    return transformers.JanusConfig(**parts).to_dict()


def of_original() -> dict:
    """With what transformers' class of the language model had in version 4."""
    found = original_settings(SIZES)
    found["language_config"] |= {"rope_scaling": None, "hidden_act": "silu", "attention_bias": False}
    return found


LAYOUTS = {"transformers": of_transformers(), "original": of_original()}


def leaves(values: dict, path: tuple = ()) -> list[tuple]:
    """Paths to every field but those that all settings of transformers have."""
    found = []
    for name, value in values.items():
        if isinstance(value, dict) and (name.endswith("_config") or name == "params"):
            found += leaves(value, (*path, name))
        elif name not in COMMON - {"model_type", "quantization_config"} or name in OTHER:
            found.append((*path, name))
    return found


CASES = [(layout, path) for layout, values in LAYOUTS.items() for path in leaves(values)]
CASES += [("transformers", ("quantization_config",)), ("original", ("vision_config", "params", "pixel_mean"))]
CASES += [("original", ("vision_config", "params", "pixel_std"))]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stated")
    return {name: write_published(folder / name, original=name == "original") for name in LAYOUTS}


def open_with(folder, values: dict, pixels: dict = PIXELS):
    (folder / "config.json").write_text(json.dumps(values))
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    return open_set(folder).sizes


def another(name: str, value: object) -> object:
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    return value + 7 if isinstance(value, (int, float)) else "other"


def held(folder, path: tuple, values: dict, pixels: dict = PIXELS) -> None:
    name, whole = path[-1], ".".join(path)
    if honoured := HONOURED.get(whole) or HONOURED.get(name):
        assert open_with(folder, values, pixels) == honoured(SIZES) != SIZES
    elif {name, whole} & NO_PICTURE:
        assert open_with(folder, values, pixels) == SIZES
    else:
        with pytest.raises(ValueError, match=rf"config\.json (has|describes) .*{SAID.get(name, name)}") as error:
            open_with(folder, values, pixels)
        message = str(error.value)
        assert "\n" not in message and message.count(";") == 1 and len(message.removeprefix(str(folder))) < 250


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_settings(folders, layout):
    assert open_with(folders[layout], LAYOUTS[layout]) == SIZES


@pytest.mark.parametrize(("layout", "path"), CASES, ids=lambda one: ".".join(one) if isinstance(one, tuple) else one)
def test_every_field_with_another_value(folders, layout, path):
    values = copy.deepcopy(LAYOUTS[layout])
    *sections, name = path
    section = values
    for one in sections:
        section = section[one]
    section[name] = another(name, section.get(name))
    held(folders[layout], path, values)


@pytest.mark.parametrize("name", PIXELS)
def test_pixels_with_another_value(folders, name):
    pixels = PIXELS | {name: another(name, PIXELS[name])}
    held(folders["original"], ("size" if "size" in name else name,), LAYOUTS["original"], pixels)


@pytest.mark.parametrize(("layout", "path"), [(layout, (name,)) for layout in LAYOUTS for name in LAYOUTS[layout]
                                              if name.endswith("_config")])  # fmt: skip
def test_a_section_that_is_none(folders, layout, path):
    with pytest.raises(ValueError, match=rf"has {path[0]} \[8\], expected names and values; download"):
        open_with(folders[layout], LAYOUTS[layout] | {path[0]: [8]})
