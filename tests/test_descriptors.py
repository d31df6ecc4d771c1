"""Neighbours in style are of one hand, and show something else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drc.data.descriptors import _SharedWords, meaning_descriptor, style_descriptor, style_neighbours
from drc.data.repaint import FAMILIES, draw_repaints, repaint

EXAMPLES = Path(__file__).parents[1] / "nodes" / "examples"
SETS = np.repeat(["example-1", "example-2", "example-3"], 6)


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((128, 128), Image.Resampling.BOX))


@pytest.fixture(scope="module")
def examples():
    return np.stack([read(EXAMPLES / folder / f"history-{i % 6 + 1}.png") for i, folder in enumerate(SETS)])


@pytest.fixture(scope="module")
def users(examples):
    """One user per family, each with eight drawings in one style: pictures, whose they are, which drawing."""
    rng = np.random.default_rng(2)
    pictures, whose, drawings = [], [], []
    for user, style in enumerate(draw_repaints(FAMILIES, len(FAMILIES), seed=1)):
        for drawing in rng.permutation(len(examples))[:8]:
            pictures.append(repaint(examples[drawing], style))
            whose.append(user)
            drawings.append(drawing)
    return np.stack(pictures), np.array(whose), np.array(drawings)


def nearest(descriptor, count):
    alike = descriptor @ descriptor.T
    np.fill_diagonal(alike, -np.inf)
    return np.argsort(-alike, axis=1)[:, :count]


def random_rows(count, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_descriptors_are_unit_rows_and_repeatable(examples):
    for descriptor in (style_descriptor, meaning_descriptor):
        rows = descriptor(examples)
        assert rows.dtype == np.float32 and rows.ndim == 2 and len(rows) == len(examples)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert np.array_equal(rows, descriptor(examples))
        assert np.array_equal(rows[4:5], descriptor(examples[4:5]))  # whatever it is described with


def test_style_finds_the_set_of_an_example(examples):
    found = SETS[nearest(style_descriptor(examples), 3)] == SETS[:, None]
    assert found.mean() >= 0.95  # measured: 1.0


def test_style_finds_synthetic_users(users):
    pictures, whose, _ = users
    found = whose[nearest(style_descriptor(pictures), 3)] == whose[:, None]
    assert found.mean() >= 0.9


def test_meaning_finds_the_same_drawing_in_another_style(users):
    pictures, _, drawings = users
    repeated = [np.sum(drawings == drawing) > 1 for drawing in drawings]
    found = drawings[nearest(meaning_descriptor(pictures), 1)[:, 0]] == drawings
    assert found[repeated].mean() >= 0.85


def test_style_leaves_layout_out_and_meaning_does_not(examples):
    moved = np.stack([np.roll(picture[::-1, ::-1], (9, -7), (0, 1)) for picture in examples])
    style = style_descriptor(np.concatenate((examples, moved)))
    assert np.all((style[:18] * style[18:]).sum(1) > 0.98)
    meaning = meaning_descriptor(np.concatenate((examples, moved)))
    assert np.median((meaning[:18] * meaning[18:]).sum(1)) < 0.8


def test_neighbours_of_examples(examples):
    """Only half of all pictures may be chosen, so a set of six cannot fill every place; it fills all it can."""
    style, meaning = style_descriptor(examples), meaning_descriptor(examples)
    everyone = style_neighbours(style, meaning, 17)
    possible = sum(min(3, np.sum(SETS[row] == own)) for row, own in zip(everyone, SETS, strict=True))
    found = sum(np.sum(SETS[row] == own) for row, own in zip(style_neighbours(style, meaning, 3), SETS, strict=True))
    assert found == possible and found / (3 * 18) > 0.6


def test_neighbours_of_synthetic_users(users):
    pictures, whose, drawings = users
    neighbours = style_neighbours(style_descriptor(pictures), meaning_descriptor(pictures), 3)
    assert np.mean([whose[row] == own for row, own in zip(neighbours, whose, strict=True)]) > 0.7
    assert np.mean([drawings[row] == own for row, own in zip(neighbours, drawings, strict=True)]) < 0.02


def test_never_itself_nearest_first_and_unlike_in_meaning():
    style, meaning = random_rows(25), random_rows(25, seed=1)
    for row, chosen in enumerate(style_neighbours(style, meaning, 5)):
        others = np.delete(np.arange(25), row)
        unlike = {o for o in others if meaning[o] @ meaning[row] < np.median(meaning[others] @ meaning[row])}
        ranked = sorted(unlike, key=lambda other: -style[other] @ style[row])
        assert row not in chosen and chosen.tolist() == ranked[:5]


def test_three_and_identical_pictures():
    rows = np.repeat(random_rows(1), 3, axis=0)
    for row, chosen in enumerate(style_neighbours(rows, rows, 2)):
        assert 1 <= len(chosen) <= 2 and row not in chosen
    style, meaning = random_rows(3), random_rows(3, seed=1)
    assert all(len(chosen) == 1 for chosen in style_neighbours(style, meaning, 2))


def test_captions_decide_where_there_are_any():
    style, meaning = random_rows(6), np.repeat(np.eye(1, 12, dtype=np.float32), 6, axis=0)
    captions = ["A red fox", "the Fox is asleep", "a lighthouse", "a red FOX!", "", "a bowl of rice"]
    neighbours = style_neighbours(style, meaning, 5, captions)
    # "a", "the" and the like say nothing; picture 4 has no caption, so its descriptor counts, which is like all others.
    assert set(neighbours[0]) == {2, 4, 5} and set(neighbours[3]) == {2, 4, 5}
    assert set(neighbours[4]) == {0, 1, 2, 3, 5}
    without = style_neighbours(style, random_rows(6, seed=1), 5)
    assert [list(row) for row in without] != [list(row) for row in neighbours]


def test_captions_are_compared_by_the_words_that_both_have():
    random = np.random.default_rng(3)
    words = ["red", "blue", "cat", "dog", "the", "house", "tree"]
    captions = [" ".join(random.choice(words, random.integers(0, 5))) for _ in range(40)]
    captions[7] = "a the of"  # says nothing
    shared = _SharedWords(captions)
    sets = [set(caption.split()) - {"a", "the", "of"} for caption in captions]
    for row, own in enumerate(sets):
        told, share = shared.with_all(row)
        assert told.tolist() == [bool(own and other) for other in sets]
        assert share.tolist() == [len(own & other) / max(len(own | other), 1) for other in sets]


def test_looking_for_neighbours_tells_how_far_it_is_and_can_be_stopped():
    told = []
    style_neighbours(random_rows(5), random_rows(5, seed=1), 2, on_picture=lambda *now: told.append(now))
    assert told == [(done, 5) for done in range(1, 6)]
    with pytest.raises(KeyboardInterrupt):
        style_neighbours(random_rows(5), random_rows(5, seed=1), 2, on_picture=stop)


def stop(*_):
    raise KeyboardInterrupt


def test_too_few_pictures():
    with pytest.raises(ValueError, match="2 pictures are too few .* expected at least 3"):
        style_neighbours(random_rows(2), random_rows(2), 1)


@pytest.mark.filterwarnings("error")
def test_flat_pictures():
    flat = np.stack([np.full((32, 32, 3), shade, np.uint8) for shade in (0, 128, 255)])
    for descriptor in (style_descriptor, meaning_descriptor):
        assert np.isfinite(descriptor(flat)).all()
    style = style_descriptor(flat)
    assert (style @ style.T)[np.triu_indices(3, 1)].max() < 0.9
    assert all(len(row) for row in style_neighbours(style, meaning_descriptor(flat), 2))
