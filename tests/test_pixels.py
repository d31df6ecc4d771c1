"""Pictures in all their forms: ways there and back, two ways to round, and one home for all of it."""

import re

import numpy as np
import pytest
import torch

from drc.pixels import (
    from_image,
    from_pixels,
    from_planes,
    rounded,
    to_bytes,
    to_bytes_upwards,
    to_image,
    to_numbers,
    to_pixels,
    to_planes,
)

ALL = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
SCALED = re.compile(r"/ 255\b|\b255 \*|\* 255\b|\.byte\(\)|astype\(np\.uint8\)|to\(torch\.uint8\)")
ELSEWHERE = {
    "drc/attention_map.py": 1,  # mixes bytes
    "drc/complete/sizes.py": 2,  # mixes bytes, in float64
    "drc/data/augment.py": 2,  # changes bytes
    "drc/complete/palette.py": 1,  # heights of a watershed
    "drc/complete/svg.py": 1,  # a mask
    "drc/data/colouring.py": 1,  # how much of a tone is ink
    "drc/data/palette.py": 3,  # of hex, and of each byte
    "drc/data/picture_file.py": 1,  # sixteen bits
    "drc/drawings.py": 1,  # packs codes
    "drc/bench/scores/pigeon.py": 2,  # scores that others defined from 0 to 255
    "drc/lmm/janus/stated.py": 1,  # a setting of the published files
    "drc/familiar.py": 1,  # a step
}
"""What the home of conversions does not hold: lines that are none of a picture."""


def test_pixels_come_back_from_every_form():
    assert np.array_equal(to_pixels(from_pixels(ALL)), ALL) and np.array_equal(to_bytes(to_numbers(ALL)), ALL)
    assert np.array_equal(to_bytes_upwards(to_numbers(ALL)), ALL)
    assert np.array_equal(from_planes(to_planes(ALL, np.int16)), ALL)
    images = from_pixels([ALL, ALL])
    assert images.shape == (2, 3, 16, 16) and torch.equal(from_image(to_image(images)), images)
    assert torch.equal(rounded(images), images) and np.array_equal(to_numbers(ALL), to_image(images)[0].numpy())
    planes = to_planes(ALL, np.float32)
    assert planes.shape == (3, 16, 16) and planes.dtype == np.float32 and planes.flags.c_contiguous


@pytest.mark.parametrize(
    ("number", "even", "upwards"), [(0.5, 128, 128), (0.3, 76, 77), (0.1, 26, 26), (1.0, 255, 255)]
)
def test_the_ways_to_round(number, even, upwards):
    """A half goes to the even number, or upwards; both have made files that are compared by their bytes."""
    numbers = np.full((1, 1, 3), number)
    assert (to_bytes(numbers) == even).all() and (to_bytes_upwards(numbers) == upwards).all()
    assert (to_pixels(from_image(torch.from_numpy(numbers))) == even).all()
    assert np.array_equal(to_bytes_upwards(np.array([-0.1, 1.1])), [0, 255])


def test_they_have_one_home(root):
    files = [path for folder in ("drc", "nodes") for path in (root / folder).rglob("*.py")]
    lines = {path.relative_to(root).as_posix(): path.read_text("utf-8").splitlines() for path in files}
    found = {name: sum(SCALED.search(line) is not None for line in its) for name, its in lines.items()}
    assert found.pop("drc/pixels.py") > 5
    assert {name: count for name, count in found.items() if count} == ELSEWHERE
