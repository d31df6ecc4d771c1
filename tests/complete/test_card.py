"""A style card as the history of a set: the colours, the grid and the numbers of the pictures that it was made of."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from drc.card_file import load as load_card
from drc.card_file import save
from drc.checkpoint import load
from drc.complete.card import OLDER, REDRAWN, with_look
from drc.complete.history import history_in
from drc.complete.marks import MARKS
from drc.data.palette import pixels_of_oklab
from drc.data.picture_file import read
from drc.pixels import from_pixels
from drc.style_card import card_of, with_pictures
from scripts.lib.tiny import write_tiny

SIZE, INK, FILL = 32, (0x1F, 0x2A, 0x5A), (0xE0, 0x50, 0x30)


@pytest.fixture(scope="module")
def drc(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")).requires_grad_(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Thin lines and small surfaces, of which a thumbnail and a codec make others."""
    folder = tmp_path_factory.mktemp("history")
    for number in range(4):
        picture = Image.new("RGB", (SIZE, SIZE), "white")
        pen = ImageDraw.Draw(picture)
        pen.rectangle((5 + number, 4, 26, 27 - number), outline=INK, width=2)
        pen.rectangle((12, 12, 16 + number, 18), fill=FILL)
        picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def history(drc, folder):
    return history_in(folder, drc)


@pytest.fixture
def card(drc, history):
    """Without pictures."""
    return card_of(history.style)


@pytest.fixture
def of_card(drc, tmp_path):
    def read_again(card):
        save(card, tmp_path / "card.safetensors")
        return history_in(tmp_path / "card.safetensors", drc)

    return read_again


def shown(card, history, size=SIZE):
    """As older versions kept it."""
    return with_pictures(card, torch.stack([from_pixels(picture) for picture in history.pictures(size)]))


def colours(look):
    return {tuple(colour) for colour in pixels_of_oklab(look.palette.colours).tolist()}


def test_a_card_has_the_colours_grid_and_numbers_of_its_pictures(card, history, of_card):
    pictures = (read(path, SIZE) for path in history.paths)
    found, own = of_card(with_look(shown(card, history, 128), pictures)), history.look()
    assert colours(found.look()) == colours(own) >= {INK, FILL} and found.look().grid == own.grid == SIZE
    assert (found.look().palette.count, found.look().palette.flat) == (own.palette.count, own.palette.flat)
    for one, other in zip(found.measured(), history.measured(), strict=True):
        assert one.traits.stroke == pytest.approx(other.traits.stroke, rel=0.1)
        assert np.abs(one.marks - other.marks).max() < 0.5
    assert not found.notes


def test_a_card_of_an_older_version_has_its_measured_colours(card, history, of_card):
    found = of_card(replace(shown(card, history, 128), thumbnails=np.full((4, 16, 16, 3), 255, np.uint8)))
    assert colours(found.look()) == colours(history.look()) and found.look().palette.flat
    assert found.notes == [OLDER] and len(found.measured()) == 4
    assert [one.traits.stroke for one in found.measured()] == pytest.approx([t.stroke for t in found.card.traits])


def test_without_pictures_what_its_codes_draw_is_measured_and_told(card, drc, of_card):
    found = of_card(card)
    squares = drc.lmm.detokenize(card.codes)
    expected = with_look(card, [np.asarray(one) for one in (squares * 255).round().byte().movedim(1, -1).numpy()])
    assert found.notes == [REDRAWN] and colours(found.look()) == colours(expected.look)
    assert found.look().grid == expected.look.grid and len(found.measured()) == len(list(found.pictures(20))) == 4
    kept = with_look(with_pictures(card, squares), [np.zeros((9, 9, 3), np.uint8)] * 4)
    assert of_card(replace(kept, drawn_again=True)).notes == [REDRAWN]


def test_marks_of_another_version_are_measured_again(card, history, of_card):
    pictures = [read(path, SIZE) for path in history.paths]
    kept = with_look(shown(card, history), pictures)
    found = of_card(replace(kept, marks=kept.marks[:, :-1]))
    assert found.look().grid == SIZE and {one.marks.shape for one in found.measured()} == {(len(MARKS),)}


def test_what_is_kept_stays(card, history, tmp_path):
    kept = with_look(shown(card, history), (read(path, SIZE) for path in history.paths))
    save(kept, tmp_path / "card.safetensors")
    found = load_card(tmp_path / "card.safetensors")
    assert np.allclose(found.marks, kept.marks, equal_nan=True) and found.look.grid == SIZE
    assert found.look.palette.colours == pytest.approx(kept.look.palette.colours, abs=1e-6)
