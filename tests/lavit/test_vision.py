"""The vision transformer against what the original recorded."""

import pytest
import torch

from drc.lmm.lavit.preprocess import prepare_for_tokenizer

from .layers import casting, rounded, watch
from .recorded import VISION, assert_recorded, outputs, picture, tensors

FILE = "vit.safetensors"


@pytest.fixture(scope="module")
def images():
    return tensors(FILE)["in.images"]


@pytest.fixture(scope="module")
def computed(vision, images):
    x = vision.embed(images)
    made = {"out.embeddings": x}
    for index, block in enumerate(vision.blocks[:-1]):
        x = made[f"out.block_{index}"] = block(x, images.dtype)
    made["out.features"] = vision(images)
    made["out.png_features"] = vision(prepare_for_tokenizer([picture("small"), picture("large")], VISION))
    return made


@pytest.mark.parametrize("name", outputs(FILE))
def test_recorded(computed, name):
    assert computed.keys() == set(outputs(FILE))
    assert_recorded(FILE, name, computed[name])


def test_the_host_s_layers_compute_the_same(vision, images):
    assert_recorded(FILE, "out.features", casting(vision)(images))


def test_weights_in_bfloat16_as_in_the_published_file(vision, images):
    """The host keeps them so; what it computes in is the dtype of the pictures."""
    exact, kept = rounded(vision)(images), casting(vision, torch.bfloat16)
    torch.testing.assert_close(kept(images), exact, rtol=0, atol=1e-5)
    products, norms = watch(kept)
    fast = kept(images.bfloat16())
    assert (products, norms, fast.dtype) == ({torch.bfloat16}, {torch.float32}, torch.float32)
    assert (fast - exact).abs().max() < 0.05 * exact.abs().max()


def test_weights_on_another_device(vision, images):
    """As where the host keeps them in main memory; "meta" is the other device that every machine has."""
    assert casting(vision)(images.to("meta")).device.type == "meta"
