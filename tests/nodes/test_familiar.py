"""The towers say where a picture is far from all that a model of pixels learned."""

import pytest
import torch

SENTENCE = "the model learned from flat drawings, such as icons, and makes patches of it"
NOISE = torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(0))
FLAT = torch.ones(1, 128, 128, 3)
FLAT[:, 40:90, 40:90] = 0


@pytest.fixture(scope="module")
def embedded(graph):
    return graph.load("embedded")


@pytest.fixture
def told(classes, embedded):
    def told(node, model=embedded, **inputs) -> str:
        with torch.inference_mode():
            output = classes[node].execute(model=model, **inputs)
        shown = output.ui if isinstance(output.ui, dict | None) else output.ui.as_dict()
        return (shown or {}).get("text", [""])[0]

    return told


def test_of_a_reference(told):
    node, drawing = "DRC_SemanticTower", NOISE.clone()
    drawing[:, 20:, 20:] = 0.5
    assert told(node, reference=NOISE) == f"The reference looks like a photograph or a painting: {SENTENCE}"
    assert told(node, reference=drawing) == told(node, reference=FLAT) == ""


def test_of_a_history(told):
    node, history = "DRC_StyleTower", torch.cat((NOISE, FLAT, NOISE))
    two = f"2 of 3 pictures of the history look like photographs or paintings: {SENTENCE}"
    assert told(node, history=history) == two
    one = "1 of 2 pictures of the history looks like a photograph or a painting"
    assert told(node, history=history, weights="0, 1, 1") == f"{one}: {SENTENCE}"
    first, second = told(node, history=history, weights="auto", reference=FLAT).split("\n")
    assert first.startswith("Weights, by closeness") and second == two


def test_what_shows_nothing_is_told(told):
    """A black drawing on nothing comes out of Load Image as black on black, its mask apart."""
    black, mask = torch.zeros(1, 128, 128, 3), 1 - FLAT[..., 0]
    end = "if parts are transparent, and put what is white on a coloured ground"
    assert told("DRC_SemanticTower", reference=black) == f"The reference is blank: link reference_mask {end}"
    assert told("DRC_SemanticTower", reference=black, reference_mask=1 - mask) == ""
    some = told("DRC_StyleTower", history=torch.cat((black, FLAT)))
    assert some == f"1 of 2 pictures of the history are blank: link history_mask {end}"


def test_a_lavit_knows_photographs(told, graph, lavit_towers):
    model = graph.load(lavit_towers.name)
    assert told("DRC_SemanticTower", model, reference=NOISE) == ""


def test_of_a_model_of_small_pictures_nobody_can_tell(told, model):
    assert told("DRC_SemanticTower", model, reference=NOISE) == ""
