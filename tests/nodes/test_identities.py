"""What must hold whatever the weights are."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


def same(one, other):
    torch.testing.assert_close(one.vectors, other.vectors, atol=2e-5, rtol=1e-4)
    assert torch.equal(one.text, other.text)
    torch.testing.assert_close(one.coefficients, other.coefficients)


@pytest.fixture(scope="module", params=["of the embedded kind", "over LaVIT"])
def model(request, graph, model, lavit_towers):
    return model if request.param == "of the embedded kind" else graph.load(lavit_towers.name)


@pytest.fixture(scope="module")
def semantics(graph, model, reference):
    return graph.semantics(model, reference)


@pytest.fixture(scope="module")
def style(graph, model, history):
    return graph.style(model, history)


@pytest.fixture(scope="module")
def instruction(graph, model, style, semantics):
    return graph.compose(model, style, semantics, text="red apple")


def test_a_picture_of_weight_0_is_a_picture_removed(graph, model, history, semantics):
    without = graph.style(model, history[[0, 2, 4]], "1, 2, 1")
    weighted = graph.style(model, history, "1, 0, 2, 0, 1")
    same(graph.compose(model, weighted, semantics), graph.compose(model, without, semantics))


def test_equal_weights_are_no_weights(graph, model, history, style, semantics):
    same(
        graph.compose(model, graph.style(model, history, "2 2 2 2 2"), semantics),
        graph.compose(model, style, semantics),
    )


def test_weights_change_the_instruction(graph, model, history, style, semantics):
    heavy = graph.compose(model, graph.style(model, history, "9 1 1 1 1"), semantics)
    assert not torch.allclose(heavy.vectors, graph.compose(model, style, semantics).vectors, atol=1e-3)


def test_the_automatic_temperature_is_one_of_two(graph, model, style, semantics):
    for given, temperature in (((style, semantics), 0.3), ((style, None), 1.0)):
        instruction = graph.compose(model, *given)
        chosen = graph.generate(model, instruction, seed=7)
        assert torch.equal(chosen.codes, graph.generate(model, instruction, seed=7, temperature=temperature).codes)


def test_the_order_of_the_history_does_not_matter(graph, model, history, style, semantics):
    turned = graph.style(model, history.flip(0))
    same(graph.compose(model, turned, semantics), graph.compose(model, style, semantics))


def test_style_strength_0_is_style_dropped(graph, model, style, semantics):
    same(graph.compose(model, style, semantics, style_strength=0.0), graph.compose(model, None, semantics))


def test_semantic_strength_0_is_reference_and_text_dropped(graph, model, style, semantics):
    dropped = graph.compose(model, style, semantics, text="red apple", semantic_strength=0.0)
    same(dropped, graph.compose(model, style))


def test_both_strengths_0_is_nothing_given(graph, model, style, semantics):
    dropped = graph.compose(model, style, semantics, style_strength=0.0, semantic_strength=0.0)
    same(dropped, graph.compose(model))


def test_strengths_of_1_are_plain_drawing(graph, model, style, semantics):
    plain = graph.compose(model, style, semantics, style_strength=1.0, semantic_strength=1.0)
    assert plain.coefficients.tolist() == [1.0]


def test_semantic_mask_1_is_reference_dropped(graph, model, style, semantics):
    masked = graph.compose(model, style, semantics, semantic_mask=1.0, style_strength=1.0, semantic_strength=1.0)
    nothing = graph.compose(model, style, text="", style_strength=1.0)
    torch.testing.assert_close(masked.vectors, nothing.vectors, atol=2e-5, rtol=1e-4)


def test_a_batch_is_its_runs_one_by_one(graph, model, instruction):
    batch = graph.generate(model, instruction, seed=7, batch_size=3).codes
    runs = [graph.generate(model, instruction, seed=seed).codes for seed in (7, 8, 9)]
    assert torch.equal(batch, torch.cat(runs))
    assert not torch.equal(batch[0], batch[1])


def test_the_same_seed_gives_the_same_bytes(graph, model, instruction):
    tokens = [graph.generate(model, instruction, seed=3) for _ in range(2)]
    assert torch.equal(tokens[0].codes, tokens[1].codes)
    if model.decoder is not None:  # LaVIT's pictures come from the host's sampler
        return
    pictures = [graph.decode(model, one) for one in tokens]
    assert pictures[0].numpy().tobytes() == pictures[1].numpy().tobytes()


def test_the_last_seed_is_followed_by_the_first(graph, model, instruction):
    batch = graph.generate(model, instruction, seed=2**64 - 1, batch_size=2).codes
    assert torch.equal(batch[1:], graph.generate(model, instruction, seed=0).codes)


def test_a_square_picture_of_the_right_size_is_left_as_it_is(pack):
    from drc.pixels import prepare

    image = torch.rand(1, 32, 32, 3)
    assert torch.equal(prepare(image, 32, "history"), image.permute(0, 3, 1, 2))


def test_a_picture_through_its_codes_and_back(graph):
    model = graph.load()
    images = torch.rand(2, 32, 32, 3, generator=torch.Generator().manual_seed(0))
    seen = graph.decode(model, graph.run("DRC_TokenizeImage", model=model, images=images))
    with torch.inference_mode():
        expected = model.drc.lmm.detokenize(model.drc.lmm.tokenize(images.permute(0, 3, 1, 2)))
    torch.testing.assert_close(seen, expected.permute(0, 2, 3, 1))


def grid_of(found) -> np.ndarray:
    """The picture that a node shows."""
    import folder_paths

    (picture,) = found.ui["images"]
    return np.asarray(Image.open(Path(folder_paths.get_temp_directory()) / picture["filename"]).convert("RGB"))


def numbered(model, pictures: torch.Tensor, labels: list[str]) -> np.ndarray:
    from drc.pixels import resized, to_pixels
    from drc.plots.sheet import numbered_sheet
    from drc.style_card import THUMBNAIL

    squares = torch.stack([model.drc.lmm.prepare(one, "history") for one in pictures])
    return numbered_sheet(to_pixels(resized(squares, min(THUMBNAIL, squares.shape[-1]))), labels)


def test_weights_by_closeness(graph, model, history, classes):
    """The picture that the reference is counts most, and the node says how much each does, in words and on a grid."""
    given = {"model": [model], "history": [history], "reference": [history[3:4]]}
    with torch.inference_mode():
        found = classes["DRC_StyleTower"].execute(weights=[" Auto "], **given)
    style, (text,) = found[0], found.ui["text"]
    assert style.weights.argmax() == 3 and style.weights[3] == 1
    assert text.startswith("Weights, by closeness to the reference: 1: 0.") and "4: 1.00" in text
    by_hand = graph.style(model, history, ", ".join(str(float(weight)) for weight in style.weights))
    assert torch.equal(style.rows, by_hand.rows)
    labels = re.findall(r"\d: \d\.\d\d", text)
    assert len(labels) == 5 and np.array_equal(grid_of(found), numbered(model, history, labels))
    with torch.inference_mode():
        found = classes["DRC_StyleTower"].execute(weights=["1, 0, 0.5, 0.25, 0"], **given)
    some = history[[0, 2, 3]]
    assert np.array_equal(grid_of(found), numbered(model, some, ["1: 1.00", "3: 0.50", "4: 0.25"]))
    assert torch.equal(graph.run("DRC_StyleTower", **given).rows, graph.style(model, history).rows)


def test_a_negative_style_changes_what_is_drawn_and_its_absence_nothing(graph, model, history, reference):
    style, other, semantics = (
        graph.style(model, history),
        graph.style(model, history[:1]),
        graph.semantics(model, reference),
    )
    plain, none, away = (
        graph.compose(model, style, semantics, **given)
        for given in ({}, {"negative_style": None}, {"negative_style": other})
    )
    assert torch.equal(plain.vectors, none.vectors) and len(away.coefficients) == len(plain.coefficients) + 1
    assert len(graph.generate(model, away).codes) == 1
