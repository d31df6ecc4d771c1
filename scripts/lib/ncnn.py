"""Networks as ncnn keeps them: a list of layers as text (`.param`), and their numbers one after another (`.bin`).

Read is what a chain of convolutions needs; ncnn's own `modelbin.cpp` and `layer/*.cpp` say what stands where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drc.files import read_bounded

MAGIC = "7767517"
WITHOUT_NUMBERS = ("Input", "Split", "PixelShuffle", "Interp", "BinaryOp")
HALF = 0x01306B47  # stands before numbers that are kept in 16 bits
LARGEST_TEXT, LARGEST_NUMBERS = 2**16, 2**24  # bytes


@dataclass(frozen=True)
class Layer:
    """`settings` by their numbers, as the file has them."""

    kind: str
    settings: dict[int, float]


class Numbers:
    """What is still to be read of a `.bin`; ValueError where it ends too early."""

    def __init__(self, data: bytes, name: str):
        self.data, self.name, self.place = data, name, 0

    def take(self, count: int, dtype: str) -> np.ndarray:
        """`count` of them; what follows begins at a multiple of four bytes."""
        end = self.place + count * np.dtype(dtype).itemsize
        if end > len(self.data):
            raise ValueError(f"{self.name} ends after {len(self.data)} bytes, expected {end} or more; fetch it again")
        found = np.frombuffer(self.data[self.place : end], dtype)
        self.place = end + -end % 4
        return found

    def take_flagged(self, count: int) -> np.ndarray:
        """Numbers behind the word that says how they are kept."""
        flag = int(self.take(1, "<u4")[0])
        if flag not in (0, HALF):
            raise ValueError(f"{self.name} keeps numbers in the way {flag:#x}, expected 16 or 32 bits; fetch it again")
        return self.take(count, "<f2" if flag else "<f4")


def read_layers(path: Path) -> list[Layer]:
    """The layers of a `.param`, in their order; ValueError for another file."""
    lines = read_bounded(path, LARGEST_TEXT).decode("ascii", "replace").splitlines()
    if len(lines) < 2 or lines[0].strip() != MAGIC:
        raise ValueError(f"{path.name} is no network of ncnn, expected {MAGIC} in its first line; fetch it again")
    try:
        return [read_layer(line.split()) for line in lines[2:] if line.strip()]
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path.name} has a line that is no layer ({error}); fetch it again") from error


def read_layer(words: list[str]) -> Layer:
    """Of kind, name, how many inputs and outputs, their names, settings."""
    pairs = (word.split("=") for word in words[4 + int(words[2]) + int(words[3]) :])
    return Layer(words[0], {int(key): float(value) for key, value in pairs})


def sizes_of(layer: Layer, keys: tuple[int, ...], name: str) -> list[int]:
    """Of what a layer holds; ValueError for one that does not tell."""
    found = [layer.settings.get(key, 0) for key in keys]
    if not all(0 < size < LARGEST_NUMBERS and size.is_integer() for size in found):
        raise ValueError(f"{name} has a {layer.kind} without its sizes; fetch it again")
    return [int(size) for size in found]


def read_chain(param: Path, numbers: Path) -> Iterator[tuple[str, tuple[np.ndarray, ...]]]:
    """Kind and arrays of every layer that has some: of convolutions weight [outputs, inputs, k, k] and bias, of PReLU
    the slopes. ValueError where the two files do not fit each other."""
    left = Numbers(read_bounded(numbers, LARGEST_NUMBERS), numbers.name)
    for layer in read_layers(param):
        if layer.kind == "Convolution":
            outputs, kernel, count = sizes_of(layer, (0, 1, 6), param.name)
            if count % (outputs * kernel**2):
                raise ValueError(
                    f"{param.name} has a Convolution of {count} numbers, expected a multiple of {outputs} x {kernel} x "
                    f"{kernel}; fetch it again"
                )
            weight = left.take_flagged(count).reshape(outputs, -1, kernel, kernel)
            yield layer.kind, (weight, left.take(outputs, "<f4"))
        elif layer.kind == "PReLU":
            yield layer.kind, (left.take(*sizes_of(layer, (0,), param.name), "<f4"),)
        elif layer.kind not in WITHOUT_NUMBERS:
            raise ValueError(
                f"{param.name} has a layer {layer.kind}, whose numbers cannot be read; choose another network"
            )
    if left.place != len(left.data):
        raise ValueError(f"{numbers.name} has {len(left.data)} bytes, expected {left.place}; fetch it again")
