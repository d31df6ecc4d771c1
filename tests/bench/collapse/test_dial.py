"""A dial points where it should, and has its colour."""

import math

import numpy as np
import pytest
from PIL import ImageColor

from drc.bench.collapse.dial import DIALS, HEIGHT, WIDTH, dial_picture
from drc.bench.collapse.meter import BALANCED, TO_STYLE, Reading
from drc.plots.canvas import LIGHT


def lit(picture):
    """Rows and columns of the brightest pixels."""
    return np.argwhere((picture == ImageColor.getrgb(LIGHT)).all(axis=-1))


@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_dial_points_where_it_should(value):
    picture = dial_picture([Reading(value, 0.5, 0.5, BALANCED)])
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    middle = WIDTH / 6, 0.59 * HEIGHT
    found = lit(picture[60:235, : WIDTH // 3]) + [60, 0]
    y, x = max(found, key=lambda place: math.dist(place[::-1], middle))
    angle = math.degrees(math.atan2(y - middle[1], x - middle[0])) % 360
    assert abs((angle - 150 - 240 * value + 180) % 360 - 180) < 4


def test_every_dial_has_its_colour_and_every_picture_its_dot():
    one = Reading(0.9, 0.1, 0.2, TO_STYLE)
    single, several = dial_picture([one]), dial_picture([one, one, Reading(0.7, 0.8, 0.4, BALANCED)])
    for place, (_, colour) in enumerate(DIALS):
        dial = single[:, place * WIDTH // 3 : (place + 1) * WIDTH // 3]
        assert (dial == ImageColor.getrgb(colour)).all(axis=-1).sum() > 500
    assert len(lit(several[60:])) > len(lit(single[60:]))
    assert not np.array_equal(single[:60], several[:60])
    assert np.array_equal(single[:60, :300], several[:60, :300])  # the most frequent verdict
    with pytest.raises(ValueError, match="connect at least one"):
        dial_picture([])
