"""The nodes over a tiny LaVIT that was converted from the published layout, with random weights: noise, but exact."""

import shutil

import pytest
import torch

from scripts.lib.tiny_lavit import write_tiny_lavit


@pytest.fixture(scope="module")
def lavit(graph, models):
    """A converted LaVIT among the models that the host knows."""
    converted = write_tiny_lavit(models.parent / "published", "tiny-lavit")
    folder = models / converted.name
    shutil.copytree(converted, folder)
    yield graph.load("tiny-lavit")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 60, 40, 3, generator=torch.Generator().manual_seed(0))


def test_it_is_offered_as_one_model(classes, lavit):
    (names,) = (part.options for part in classes["DRC_LoadModel"].GET_SCHEMA().inputs if part.id == "model_name")
    assert "tiny-lavit" in names and not any(name.startswith("tiny-lavit/") for name in names)


def test_pictures_become_codes(graph, lavit, images):
    tokens = graph.run("DRC_TokenizeImage", model=lavit, images=images, decision="likeliest")
    assert tokens.codes.shape == (3, 25)
    print(tokens.codes)


def test_in_context(graph, lavit, images):
    instruction = graph.run(
        "DRC_ComposeInContext", model=lavit, history=images, reference=images[:1], text="a red apple", guidance=4.0
    )
    tokens = graph.generate(lavit, instruction, seed=3, batch_size=2)
    alone = graph.generate(lavit, instruction, seed=4)
    torch.testing.assert_close(tokens.codes[1:], alone.codes)
