"""ncnn's two files become one of safetensors, number by number."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from scripts.convert_sharpener import convert
from scripts.lib.ncnn import HALF

PARAM = """7767517
5 5
Input        data   0 1 data
Convolution  first  1 1 data a 0=2 1=3 4=1 5=1 6=54
PReLU        slope  1 1 a b 0=2
Convolution  last   1 1 b c 0=3 1=1 5=1 6=6
PixelShuffle wide   1 1 c out 0=2
"""
RANDOM = np.random.default_rng(0)
ARRAYS = {
    "layers.0.weight": RANDOM.normal(size=(2, 3, 3, 3)).astype(np.float16),
    "layers.0.bias": RANDOM.normal(size=2).astype(np.float32),
    "slopes.0.weight": RANDOM.normal(size=2).astype(np.float32),
    "out.weight": RANDOM.normal(size=(3, 2, 1, 1)).astype(np.float32),
    "out.bias": RANDOM.normal(size=3).astype(np.float32),
}
FLAGS = {"layers.0.weight": HALF, "out.weight": 0}
PARTS = {
    name: (np.uint32(FLAGS[name]).tobytes() if name in FLAGS else b"") + array.tobytes()
    for name, array in ARRAYS.items()
}
NUMBERS = b"".join(PARTS.values())
WITHOUT_SLOPES = NUMBERS.replace(PARTS["slopes.0.weight"], b"")


@pytest.fixture
def converted(tmp_path):
    def run(param=PARAM, numbers=NUMBERS):
        files = [tmp_path / name for name in ("net.param", "net.bin", "out.safetensors")]
        files[0].write_text(param)
        files[1].write_bytes(numbers)
        try:
            convert(*files)
        except ValueError:
            assert not files[2].exists()
            raise
        return load_file(files[2])

    return run


def test_every_number_is_kept(converted):
    found = converted()
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array), name


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"numbers": NUMBERS[:-1]}, "net.bin ends after 167 bytes, expected 168 or more"),
        ({"numbers": NUMBERS + b"more"}, "net.bin has 172 bytes, expected 168"),
        ({"numbers": b"\x01" + NUMBERS[1:]}, "net.bin keeps numbers in the way 0x1306b01, expected 16 or 32 bits"),
        ({"param": PARAM.replace("7767517", "1")}, "net.param is no network of ncnn"),
        ({"param": "\xff"}, "net.param is no network of ncnn"),
        ({"param": PARAM.replace("0=2 1=3", "0=x")}, "net.param has a line that is no layer"),
        ({"param": PARAM.replace("1 1 a b", "1 x a b")}, "net.param has a line that is no layer"),
        ({"param": PARAM.replace("0=2 1=3 4=1 5=1 ", "0=2 ")}, "net.param has a Convolution without its sizes"),
        ({"param": PARAM.replace("6=54", "6=-54")}, "net.param has a Convolution without its sizes"),
        ({"param": PARAM.replace("6=54", "6=54e9")}, "net.param has a Convolution without its sizes"),
        ({"param": PARAM.replace("6=54", "6=nan")}, "net.param has a Convolution without its sizes"),
        ({"param": PARAM.replace("6=54", "6=55")}, "net.param has a Convolution of 55 numbers, expected a multiple of"),
        ({"param": PARAM.replace("PReLU", "GELU ")}, "net.param has a layer GELU, whose numbers cannot be read"),
        (
            {"param": PARAM.replace("PReLU", "Split"), "numbers": WITHOUT_SLOPES},
            "net.param has other layers than convolutions and PReLU in turn",
        ),
    ],
)
def test_what_is_no_such_pair_is_told_in_a_sentence(converted, changed, told):
    with pytest.raises(ValueError, match=told):
        converted(**changed)


def test_files_that_are_too_long_are_not_read(converted):
    with pytest.raises(OSError, match="longer than 16384 KiB"):
        converted(numbers=bytes(2**24 + 1))
