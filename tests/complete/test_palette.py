"""Pictures in exactly the colours of a history."""

import numpy as np
import pytest
from PIL import Image

from drc.complete.palette import lock, palette_of
from drc.complete.sizes import on_ground, shrunk
from drc.data.palette import pixels_of_oklab
from scripts.lib.discs import NAVY, ROSE, SIZE, SKY, WHITE, disc, drawn, photograph

PALE, DARK, SNOW = (205, 220, 250), (40, 52, 95), (250, 252, 249)  # as a model draws them


@pytest.fixture(scope="module")
def history():
    return [disc(size=256, width=width, box=(64 + 16 * n, 64, 448, 400)) for n, width in enumerate((3, 4, 6))]


@pytest.fixture(scope="module")
def palette(history):
    return palette_of(history)


def colours(palette):
    return [tuple(colour) for colour in pixels_of_oklab(palette.colours).tolist()]


def near(colour, other, most=8):
    return np.abs(np.subtract(colour, other)).max() <= most


def test_thin_lines_have_a_colour_though_it_is_nowhere_flat(palette):
    assert palette.count == 2 and palette.flat
    assert all(near(*pair) for pair in zip(colours(palette), (WHITE, SKY, NAVY), strict=True))


@pytest.mark.parametrize("example, ground", [("icons-1", WHITE), ("icons-2", WHITE), ("icons-3", (200, 69, 47))])
def test_the_colours_of_the_example_icons(root, example, ground):
    paths = sorted((root / "nodes" / "examples" / example).glob("icon-*.png"))
    found = palette_of(np.asarray(Image.open(path).convert("RGB")) for path in paths)
    assert near(colours(found)[0], ground) and found.flat
    others = {"icons-1": [SKY, (27, 42, 99), (136, 175, 244)], "icons-2": [(0, 0, 0)], "icons-3": [(242, 240, 230)]}[
        example
    ]
    assert len(found.colours) == len(others) + 1
    assert all(near(*pair, most=10) for pair in zip(colours(found)[1:], others, strict=True))


def test_drawn_colours_become_those_of_the_history_and_edges_mixtures_of_two(palette):
    locked = lock(disc(PALE, DARK, ground=SNOW)[None], palette)[0]
    assert tuple(locked[256, 256]) == (*colours(palette)[1], 255)
    assert tuple(locked[256, 104]) == (*colours(palette)[2], 255)
    assert locked[0, 0, 3] == 0
    true = disc(colours(palette)[1], colours(palette)[2])
    assert np.abs(on_ground(locked, np.array(WHITE)).astype(float) - true).mean() < 0.25
    assert 0.5 < ((locked[..., 3] > 0) & (locked[..., 3] < 255)).sum() / (np.pi * 320) < 3


def test_no_third_colour_shows_between_two(palette):
    """Half-way from navy to white lies a blue that is nearest to that of the surface."""
    locked = lock(disc(None, DARK)[None], palette, 2)[0]
    drawn_on = locked[locked[..., 3] > 0]
    assert np.array_equal(np.unique(drawn_on[:, :3], axis=0), [colours(palette)[2]])


def test_a_surface_whose_colour_drifts_is_one(palette):
    picture, place = disc(PALE, DARK), np.linspace(0, 1, SIZE)[None, :, None]
    shades = np.array((195, 214, 252)) + place * (40, 24, 2)
    drifting = np.where((picture == PALE).all(axis=-1, keepdims=True), shades, picture).round().astype(np.uint8)
    locked = lock(drifting[None], palette)[0]
    inside = disc("black", "white", ground="white")[..., 0] == 0
    assert (locked[inside] == (*colours(palette)[1], 255)).all(axis=-1).mean() > 0.99


def test_a_pale_spot_without_an_edge_is_no_hole_and_a_hole_with_one_is(palette):
    rows, columns = np.mgrid[:SIZE, :SIZE]
    share = (1.6 - np.hypot(rows - 200, columns - 300) / 40).clip(0, 1)[..., None]
    picture, hole = disc(SKY, NAVY), ((180, 300, 240, 360), WHITE, None, 0)
    spot = (picture + share * (np.array(WHITE) - picture)).round().astype(np.uint8)
    assert (lock(spot[None], palette)[0, 150:250, 250:350, 3] == 255).all()
    holed = drawn(((96, 96, 416, 416), SKY, NAVY, 16), hole)
    assert lock(holed[None], palette)[0, 330, 210, 3] == 0


def test_dirt_is_left_out_and_dots_stay(palette):
    dot, dirt = (240, 240, 268, 268), (40, 40, 46, 46)
    locked = lock(drawn((dot, NAVY, None, 0), (dirt, NAVY, None, 0))[None], palette)[0]
    assert locked[254, 254, 3] == 255 and not locked[20:70, 20:70, 3].any()


def test_how_many_colours_is_a_dial():
    shapes = [((40, 40, 240, 240), SKY, None, 0), ((270, 40, 470, 240), NAVY, None, 0)]
    whole = palette_of([drawn(*shapes, ((40, 280, 200, 440), ROSE, None, 0))] * 2)
    assert whole.count == 3
    for count, expected in ((1, 1), (2, 2), (3, 3), (0, 3), (9, 3)):
        locked = lock(drawn(*shapes, ((40, 280, 200, 440), ROSE, None, 0))[None], whole, count)[0]
        full = locked[locked[..., 3] == 255]
        values, counts = np.unique(full, axis=0, return_counts=True)
        assert (counts > 1000).sum() == expected


def test_a_ground_that_is_not_flat_stays():
    place = np.linspace(0, 255, SIZE).astype(np.uint8)
    shaded = np.stack(np.broadcast_arrays(place, place[:, None], np.uint8(90)), axis=-1)
    found = palette_of([shaded])
    assert not found.flat and (lock(shaded[None], found)[..., 3] == 255).all()


def test_each_picture_is_locked_for_itself(palette):
    pictures = np.stack([disc(PALE, DARK, size=128), disc(DARK, PALE, size=128)])
    assert np.array_equal(lock(pictures, palette)[1:], lock(pictures[1:], palette))
    assert lock(pictures[:0], palette).shape == (0, 128, 128, 4)


def test_what_is_locked_stays(palette):
    once = on_ground(lock(disc(PALE, DARK)[None], palette)[0], np.array(colours(palette)[0]))
    again = on_ground(lock(once[None], palette)[0], np.array(colours(palette)[0]))
    assert np.abs(once.astype(int) - again).mean() < 0.1


@pytest.mark.parametrize("picture", [np.full((64, 64, 3), 200, np.uint8), photograph(size=128)], ids=["blank", "photo"])
def test_nothing_drawn_and_all_colours_are_no_error(palette, picture):
    for of in (palette, palette_of([picture])):
        assert lock(picture[None], of).shape == (1, *picture.shape[:2], 4)


@pytest.mark.parametrize("size", [16, 24, 48, 100, 512])
def test_small_ones_have_no_rim_of_the_ground(palette, size):
    whole = lock(disc(NAVY, NAVY)[None], palette)[0]
    small = shrunk(whole, size)
    assert small.shape == (size, size, 4)
    assert np.abs(small[small[..., 3] > 8][:, :3].astype(int) - colours(palette)[2]).max() <= 16
    assert small[..., 3].mean() == pytest.approx(whole[..., 3].mean(), abs=0.5)
