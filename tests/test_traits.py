"""Numbers of pictures whose colours, widths and places are known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drc.bench.recoloured import recoloured
from drc.data.palette import oklab_of_pixels, pixels_of_oklab, to_oklab
from drc.traits import palette_distance, traits

SIZE = 128
RED, BLUE, PAPER = (200, 30, 40), (20, 60, 180), (250, 240, 220)


def drawn(*shapes, ground="white"):
    """Boxes as outlines of a width, or filled where it is 0, drawn large and made small, so that edges are soft."""
    picture = Image.new("RGB", (4 * SIZE, 4 * SIZE), ground)
    pen = ImageDraw.Draw(picture)
    for box, colour, width in shapes:
        box = [4 * place for place in box]
        if width:
            pen.rectangle(box, outline=colour, width=round(4 * width))
        else:
            pen.rectangle(box, fill=colour)
    return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BOX))


@pytest.mark.parametrize("width", [1, 2, 3, 6, 7.5, 12])
def test_lines_have_their_width(width):
    found = traits(drawn(((20, 20, 100, 100), "black", width)))
    assert found.lines and found.stroke * SIZE == pytest.approx(width, abs=0.7)


@pytest.mark.parametrize("width", [1.5, 2, 4])
def test_a_thin_outline_around_a_filled_shape_is_a_colour_and_the_stroke(width):
    found = traits(drawn(((20, 20, 100, 100), "#b9d2ff", 0), ((20, 20, 100, 100), "#1f2a5a", width)))
    assert found.lines and found.stroke * SIZE == pytest.approx(width, abs=0.7)
    expected = [to_oklab(tuple(channel / 255 for channel in colour)) for colour in ((255,) * 3, (185, 210, 255))]
    assert len(found.colours) == 3 and np.allclose(found.colours[:2], expected, atol=0.01)
    assert found.colours[2, 0] < 0.4


def test_a_filled_shape_is_no_line():
    found = traits(drawn(((20, 20, 100, 100), "black", 0)))
    assert not found.lines


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("radius", [0, 2, 4, 7])
def test_outer_corners_have_their_radius(radius, filled):
    picture = Image.new("RGB", (4 * SIZE, 4 * SIZE), "white")
    box, fill = [4 * place for place in (20, 28, 107, 99)], "black" if filled else None
    ImageDraw.Draw(picture).rounded_rectangle(box, 4 * radius, outline="black", width=24, fill=fill)
    found = traits(np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BOX)))
    assert found.corner * SIZE == pytest.approx(radius, abs=1.3)


def test_a_disc_has_no_corners():
    picture = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(picture).ellipse((20, 20, 108, 108), fill="black")
    assert np.isnan(traits(np.asarray(picture)).corner)


def test_weight_and_padding_are_what_is_covered():
    found = traits(drawn(((32, 16, 96, 112), BLUE, 0), ground=PAPER))
    assert found.weight == pytest.approx(64 * 96 / SIZE**2, abs=0.01)
    assert found.padding == pytest.approx(16 / SIZE, abs=0.01)


def test_colours_are_flat_ones_by_area_after_the_ground():
    found = traits(drawn(((10, 10, 80, 80), RED, 0), ((90, 90, 120, 120), BLUE, 0), ground=PAPER))
    expected = [to_oklab(tuple(channel / 255 for channel in colour)) for colour in (PAPER, RED, BLUE)]
    assert np.allclose(found.colours, expected, atol=0.01)
    assert palette_distance(found.colours, np.array(expected)) < 0.01


def test_an_empty_picture_has_a_ground_alone():
    found = traits(np.full((SIZE, SIZE, 3), 255, np.uint8))
    assert (len(found.colours), found.weight, found.stroke, found.lines) == (1, 0, 0, False)
    assert np.isnan(found.corner)


def test_there_and_back_through_oklab():
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 3), np.uint8)
    assert np.array_equal(pixels_of_oklab(oklab_of_pixels(pixels)), pixels)


def test_recoloured_takes_colours_and_line_width_of_the_history():
    history = np.stack(
        [drawn(((20, 30, 90, 100), RED, 10), ground=PAPER), drawn(((8, 8, 60, 60), RED, 10), ground=PAPER)]
    )
    found = traits(recoloured(drawn(((30, 30, 110, 90), "black", 4)), history))
    assert found.stroke * SIZE == pytest.approx(10, abs=1.5)
    assert np.allclose(found.colours, traits(history[0]).colours, atol=0.02)


def test_recoloured_matches_colours_by_area_and_the_last_serves_again():
    history = np.stack([drawn(((10, 10, 100, 60), BLUE, 0), ground=PAPER)] * 2)
    reference = drawn(((10, 10, 100, 60), "black", 0), ((10, 80, 40, 110), "red", 0))
    assert len(traits(recoloured(reference, history)).colours) == 2


@pytest.mark.parametrize("reference, history", [("empty", "drawn"), ("drawn", "empty"), ("empty", "empty")])
def test_nothing_drawn_is_no_error(reference, history):
    pictures = {"empty": drawn(ground=PAPER), "drawn": drawn(((10, 10, 100, 60), BLUE, 0))}
    found = recoloured(pictures[reference], pictures[history][None])
    if history == "empty":
        assert np.abs(found.astype(int) - PAPER).max() <= 1
