"""Contact sheets: every picture at its place, every word within its own."""

import numpy as np
import pytest
from PIL import ImageColor, ImageFont

from drc.plots.canvas import GROUND, plain, shortened
from drc.plots.sheet import HEAD, contact_sheet, numbered_sheet, of_one_size, status_strip

RED, GREEN = (255, 0, 0), (0, 255, 0)
DARK = ImageColor.getrgb(GROUND)


def picture(colour=RED, height=32, width=32):
    return np.full((height, width, 3), colour, np.uint8)


def is_colour(image, colour):
    return (image == colour).all(axis=-1)


def test_pictures_stand_in_their_cells():
    sheet = contact_sheet([[picture(), None], [None, picture(GREEN)]], ["", ""], cell=40, gap=4)
    assert sheet.shape == (4 + 2 * 44, 4 + 2 * 44, 3) and sheet.dtype == np.uint8
    expected = np.full_like(sheet, DARK)
    expected[4:44, 4:44] = RED
    expected[48:88, 48:88] = GREEN
    assert np.array_equal(sheet, expected)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (500, 500), (16, 8), (8, 16), (1, 1), (1000, 1)])
def test_pictures_of_any_size_keep_their_shape(height, width):
    found = is_colour(contact_sheet([[picture(RED, height, width)]], [""], cell=40, gap=4), RED)
    rows, columns = found.any(axis=1).sum(), found.any(axis=0).sum()
    assert max(rows, columns) == 40 and found.sum() == rows * columns
    assert rows == max(1, round(40 * height / max(height, width)))
    assert columns == max(1, round(40 * width / max(height, width)))


def test_the_picture_is_the_one_that_was_given():
    detail = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    assert np.array_equal(contact_sheet([[detail]], [""], cell=24, gap=0), detail)
    mirrored = contact_sheet([[detail[:, ::-1]]], [""], cell=24, gap=0)
    assert np.array_equal(mirrored, detail[:, ::-1])


@pytest.mark.parametrize("head", ["history", "W" * 100, "a head of many words that never ends", "jgqpy|"])
def test_heads_stay_above_their_column(head):
    sheet = contact_sheet([[picture(), picture()]], [head, ""], cell=64, gap=8)
    words = ~is_colour(sheet[: -(64 + 8)], DARK)
    assert words.any() and not words[:, :8].any() and not words[:, 72:].any() and not words[0].any()
    below = sheet[-(64 + 8) :]
    assert np.array_equal(below, contact_sheet([[picture(), picture()]], ["", ""], cell=64, gap=8)[8:])


@pytest.mark.parametrize("name", ["anna", "W" * 100, "two words"])
def test_names_stay_left_of_their_row(name):
    plain_sheet = contact_sheet([[picture()], [picture()]], [""], cell=64, gap=8)
    sheet = contact_sheet([[picture()], [picture()]], [""], [name, ""], cell=64, gap=8)
    wider = sheet.shape[1] - plain_sheet.shape[1]
    assert 8 < wider <= 1.5 * 64 + 8 + 1
    assert np.array_equal(sheet[:, wider:], plain_sheet)
    words = ~is_colour(sheet[:, :wider], DARK)
    assert words[8:72].any() and not words[72:].any()


def test_short_rows_and_empty_sheets():
    assert contact_sheet([[picture()], []], ["a", "b"]).shape == contact_sheet([[picture()] * 2] * 2, ["a", "b"]).shape
    assert contact_sheet([], ["a", "b"]).shape[1] == 8 + 2 * 136
    assert (contact_sheet([], []) == DARK).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([[picture(), picture()]], ["a"]), "has 2 pictures, expected at most 1"),
        (([[picture()]], ["a"], ["x", "y"]), "has 2 row names, expected 1"),
        (([[picture().astype(np.float32)]], ["a"]), "is float32 of 32 x 32 x 3, expected uint8"),
        (([[picture()[..., 0]]], ["a"]), "is uint8 of 32 x 32, expected uint8 of h x w x 3"),
        (([[picture(RED, 0, 5)]], ["a"]), "is uint8 of 0 x 5 x 3"),
    ],
)
def test_what_does_not_match_is_said(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        contact_sheet(*arguments)


def test_same_input_same_bytes():
    def sheet():
        return contact_sheet([[picture(), picture(GREEN)]], ["history", "reference"], ["anna"])

    assert np.array_equal(sheet(), sheet())


@pytest.mark.parametrize("width", [32, 256, 552])
def test_status_stands_below_the_picture(width):
    above = picture(RED, 100, width)
    heights = set()
    for text in ("step 1", "step 40 of 200, loss 3.21, 12 pictures a second, 3 min left", "W" * 500, "two\nlines", ""):
        strip = status_strip(above, text)
        assert np.array_equal(strip[:100], above) and strip.dtype == np.uint8
        words = ~is_colour(strip[100:], DARK)
        assert words.any() == (text != "") and not words[:, -6:].any() and not words[0].any() and not words[-1].any()
        heights.add(strip.shape)
    assert heights == {(132, width, 3)}


def test_pictures_of_unequal_sizes_lie_on_ground_of_one():
    wide, high = of_one_size([picture(RED, 8, 20), picture(GREEN, 16, 4)])
    assert wide.shape == high.shape == (16, 20, 3) and wide.dtype == high.dtype == np.uint8
    assert is_colour(wide[:8], RED).all() and is_colour(wide[8:], DARK).all()
    assert is_colour(high[:, :4], GREEN).all() and is_colour(high[:, 4:], DARK).all()
    assert np.array_equal(of_one_size([picture()])[0], picture())


def test_cutting():
    font = ImageFont.load_default(HEAD)
    assert shortened("history", font, 100) == "history"
    cut = shortened("a head of many words", font, 100)
    assert cut.endswith("...") and "a head of many words".startswith(cut[:-3]) and len(cut) > 8
    assert font.getlength(cut) <= 100
    assert shortened("history", font, 3) == "" and shortened("history", font, -5) == ""


def test_letters_that_the_font_lacks():
    assert plain("Ren\u00e9e\n  J\u00f6rg\t2") == "Renee Jorg 2"
    assert plain("\u4f60\u597d \udcff") == "?? ?"


def test_labels_stand_on_one_line_whatever_their_letters():
    feet = [is_colour(numbered_sheet([picture()], [label])[104:], DARK).all(axis=1) for label in ("sun", "lid")]
    assert len({np.flatnonzero(~bare).max() for bare in feet}) == 1
