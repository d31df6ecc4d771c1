"""Guidance Grid: the same pictures as the long way round."""

import pytest
import torch

from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture(scope="module")
def images():
    return torch.rand(4, 32, 32, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def given(graph, model, images):
    return {"style": graph.style(model, images[:3]), "semantics": graph.semantics(model, images[3:])}


def test_a_cell_is_the_picture_that_generate_draws(graph, model, given):
    node = graph.classes["DRC_GuidanceGrid"]
    with torch.inference_mode():
        sheet, pictures = node.execute(
            model=model,
            **given,
            text="red",
            style_strengths="0, 1, 2",
            semantic_strengths="0; 1.5 3",
            seed=5,
            temperature=1.0,
        )
    assert pictures.shape == (9, 32, 32, 3) and sheet.shape[0] == 1
    for index, (semantic, style) in enumerate((row, column) for row in (0, 1.5, 3) for column in (0, 1, 2)):
        instruction = graph.compose(
            model, **given, text="red", style_strength=float(style), semantic_strength=float(semantic)
        )
        alone = graph.decode(model, graph.generate(model, instruction, seed=5, temperature=1.0))
        torch.testing.assert_close(pictures[index], alone[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("strengths", ["", "one", "1, -1", "5.05"])
def test_strengths_that_are_none(graph, model, given, strengths):
    text = sentence(graph.run, "DRC_GuidanceGrid", model=model, **given, style_strengths=strengths)
    assert text.startswith(f"Guidance Grid: style_strengths is '{strengths}', expected numbers from 0 to 5")


def test_too_many_pictures(graph, model, given):
    text = sentence(graph.run, "DRC_GuidanceGrid", model=model, **given, style_strengths="1 " * 40)
    assert text.startswith("Guidance Grid: the grid has 3 x 40 pictures, expected at most 100")
