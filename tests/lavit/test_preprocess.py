"""Both ways of preparing a picture: the tokeniser's to the last bit of every pixel, and the image detokeniser's."""

from dataclasses import replace

import numpy
import pytest
import torch
from PIL import Image

from drc.lmm.lavit.preprocess import prepare_for_detokenizer, prepare_for_tokenizer, resize, to_picture

from .recorded import VISION, assert_recorded, outputs, picture, tensors

FILE = "preprocess.safetensors"
DETOKENIZER_FILE = "detokenizer_preprocess.safetensors"
WHOLE = replace(VISION, image_size=224)


@pytest.fixture(scope="module")
def computed():
    made = {}
    for name in ("small", "large"):
        made[f"out.{name}.resized_uint8_224"] = torch.from_numpy(resize(picture(name), 224))
        made[f"out.{name}.tensor_224"] = prepare_for_tokenizer([picture(name)], WHOLE)[0]
        made[f"out.{name}.tensor_img_size"] = prepare_for_tokenizer([picture(name)], VISION)[0]
    return made


@pytest.fixture(scope="module")
def computed_for_detokenizer():
    return {"out.clip": prepare_for_detokenizer(tensors(DETOKENIZER_FILE)["in.images"], VISION)}


def test_nothing_is_forgotten(computed, computed_for_detokenizer):
    assert set(computed) == set(outputs(FILE))
    assert set(computed_for_detokenizer) == set(outputs(DETOKENIZER_FILE))


@pytest.mark.parametrize("name", outputs(FILE))
def test_recorded(computed, name):
    assert_recorded(FILE, name, computed[name])


@pytest.mark.parametrize("name", outputs(DETOKENIZER_FILE))
def test_recorded_for_detokenizer(computed_for_detokenizer, name):
    assert_recorded(DETOKENIZER_FILE, name, computed_for_detokenizer[name])


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_picture_of_floats_is_prepared_like_its_file(computed, name):
    floats = torch.from_numpy(numpy.array(picture(name))).permute(2, 0, 1) / 255
    made = prepare_for_tokenizer([to_picture(floats)], WHOLE)[0]
    assert torch.equal(made, computed[f"out.{name}.tensor_224"])


def test_floats_beyond_black_and_white_become_them():
    image = to_picture(torch.tensor([-0.2, 1.3, 0.5]).view(3, 1, 1))
    assert image.getpixel((0, 0)) == (0, 255, 128)


def test_pictures_of_several_sizes_and_kinds_make_one_batch():
    grey = Image.new("L", (9, 5), 128)
    made = prepare_for_tokenizer([grey, picture("large")], VISION)
    assert made.shape == (2, 3, VISION.image_size, VISION.image_size)
    assert torch.equal(made[0], prepare_for_tokenizer([grey.convert("RGB")], VISION)[0])
