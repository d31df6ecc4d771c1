"""Augmentations: off means untouched, one seed means one result, and each does what its name says."""

from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drc.data.augment import Augmentations, augment

NAMES = [field.name for field in fields(Augmentations)]
OFF = Augmentations(**dict.fromkeys(NAMES, 0))
SEEDS = range(40)


@pytest.fixture
def picture():
    """A red disc, left and above the middle, with a blue stroke, on light green."""
    image = Image.new("RGB", (128, 128), (225, 240, 220))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 26, 84, 80), fill=(215, 60, 45))
    draw.line((60, 60, 90, 96), fill=(40, 60, 200), width=7)
    return np.asarray(image)


def centre(picture):
    """x and y of what differs from the ground, and its area, in pixels."""
    apart = np.abs(picture.astype(int) - picture[0, 0]).max(-1) > 60
    y, x = np.nonzero(apart)
    return x.mean(), y.mean(), apart.sum()


def steepest(picture):
    return np.abs(np.diff(picture.astype(int), axis=1)).max()


def test_off_changes_nothing(picture):
    for seed in SEEDS:
        assert np.array_equal(augment(picture, OFF, seed), picture)
    assert OFF.names() == [] and "stays as it is" in OFF.text()


@pytest.mark.parametrize("name", NAMES)
def test_each_one_alone(picture, name):
    before = picture.copy()
    results = [augment(picture, replace(OFF, **{name: 1}), seed) for seed in SEEDS]
    again = [augment(picture, replace(OFF, **{name: 1.0}), seed) for seed in SEEDS]
    assert all(np.array_equal(a, b) for a, b in zip(results, again, strict=True))
    assert np.array_equal(picture, before)
    assert all(r.dtype == np.uint8 and r.shape == picture.shape for r in results)
    assert sum(not np.array_equal(r, picture) for r in results) >= 0.9 * len(SEEDS)  # the least blur is none


def test_crop_enlarges_and_stays_in_the_picture(picture):
    area = centre(picture)[2]
    shares = [centre(augment(picture, replace(OFF, crop=0.5), seed))[2] / area for seed in SEEDS]
    assert 0.9 < min(shares) < 1.15 and 1.3 < max(shares) < 1 / 0.8**2 + 0.05
    grounds = [augment(picture, replace(OFF, crop=0.2), seed)[0, 0] for seed in SEEDS]
    assert all(np.array_equal(ground, picture[0, 0]) for ground in grounds)


def test_rotation_turns_about_the_middle_to_both_sides(picture):
    x, y, area = centre(picture)
    turned = [centre(augment(picture, replace(OFF, rotate=1), seed)) for seed in SEEDS]
    turns = [np.degrees(np.arctan2(b - 64, a - 64) - np.arctan2(y - 64, x - 64)) for a, b, _ in turned]
    assert -21 < min(turns) < -12 and 12 < max(turns) < 21
    assert all(abs(a - area) < 0.03 * area for *_, a in turned)
    corners = [augment(picture, replace(OFF, rotate=1), seed)[[0, 0, -1, -1], [0, -1, 0, -1]] for seed in SEEDS]
    assert all(np.array_equal(corner, picture[[0] * 4, [0] * 4]) for corner in corners)  # no black wedges


def test_mirror_and_grey_are_shares(picture):
    mirrored = [augment(picture, replace(OFF, mirror=0.5), seed) for seed in SEEDS]
    flips = [np.array_equal(result, picture[:, ::-1]) for result in mirrored]
    assert all(flip or np.array_equal(r, picture) for flip, r in zip(flips, mirrored, strict=True))
    assert 10 <= sum(flips) <= 30
    greys = [augment(picture, replace(OFF, grey=0.5), seed) for seed in SEEDS]
    assert 10 <= sum(np.ptp(result, axis=-1).max() == 0 for result in greys) <= 30
    assert Augmentations().mirror == 0


def test_colour_moves_colours_but_no_outlines(picture):
    results = [augment(picture, replace(OFF, colour=1), seed) for seed in SEEDS]
    assert np.mean([np.abs(r.astype(int) - picture).mean() for r in results]) > 20
    for result in results:  # one colour stays one colour
        assert len(np.unique(result[40:60, 40:60].reshape(-1, 3), axis=0)) == 1
        assert len(np.unique(result[110:].reshape(-1, 3), axis=0)) == 1
    grey = np.repeat(picture.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    jittered = [augment(grey, replace(OFF, colour=1), seed) for seed in SEEDS]
    assert max(np.ptp(result, axis=-1).max() for result in jittered) <= 1  # a grey has no hue to turn


def test_blur_softens(picture):
    softest = min(steepest(augment(picture, replace(OFF, blur=1), seed)) for seed in SEEDS)
    assert softest < 0.5 * steepest(picture)
    large = np.asarray(Image.fromarray(picture).resize((256, 256), Image.Resampling.NEAREST))
    small, large = (augment(p, replace(OFF, blur=1), 2) for p in (picture, large))
    assert np.abs(small.astype(int) - large[::2, ::2]).mean() < 3  # lengths are shares of the picture


def test_switching_one_off_leaves_the_others_alone(picture):
    grey = replace(OFF, grey=1)
    for seed in SEEDS:
        colour_and_mirror = augment(picture, replace(OFF, colour=0.5, mirror=0.5), seed)
        colour = augment(picture, replace(OFF, colour=0.5), seed)
        assert np.array_equal(colour_and_mirror, colour) or np.array_equal(colour_and_mirror, colour[:, ::-1])
        turned = augment(picture, replace(grey, rotate=1), seed)
        expected = augment(augment(picture, replace(OFF, rotate=1), seed), grey, seed)
        assert np.array_equal(turned, expected)


def test_list_names_what_is_on():
    some = Augmentations(crop=0.5, mirror=0.25, colour=0, grey=0, blur=0, rotate=0)
    assert some.names() == ["crop", "mirror"]
    assert some.text().splitlines() == [
        "crop: 80 to 100 % of the picture's width and height stay",
        "mirror: 25 % of the pictures are mirrored",
    ]
    assert [line.split(":")[0] for line in Augmentations().text().splitlines()] == Augmentations().names() == NAMES[:-1]


@pytest.mark.filterwarnings("error")
def test_tiny_and_flat_pictures():
    for size in (1, 2, 5, 128):
        flat = np.full((size, size, 3), (30, 200, 90), np.uint8)
        for seed in range(5):
            result = augment(flat, Augmentations(*[1.0] * 6), seed)
            assert result.shape == flat.shape and len(np.unique(result.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("strength", (-0.1, 1.5, float("nan")))
def test_strengths_out_of_range(strength):
    with pytest.raises(ValueError, match=r"the augmentation blur is .*, expected 0 \(off\) to 1"):
        Augmentations(blur=strength)
