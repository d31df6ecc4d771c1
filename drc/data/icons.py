"""A build of the icon matrix as pixels: what about a hundred hands drew of the same meanings.

A *style* is a set of icons in one variant, a *family* a designer or sets that share outlines, a *meaning* a canonical
name. A build is two files: `icons.npy`, uint8 [cells, size, size, 3], and `icons.json`, which names each row.
scripts/build_icons.py of the source repository writes it; no picture is part of the repository. What a build says is
checked before it is used: ValueError, in one sentence, for one that is damaged or whose files are not of one build.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Annotated, Any

import numpy as np

from ..files import read_bounded
from ..parsing import brief, fit, parse, require

FILES = ("icons.json", "icons.npy")
MOST_BYTES = 2**26  # of the names; those of the matrix take a twentieth
Side = Annotated[int, range(1, 2**12 + 1)]  # of a picture in pixels
SPLITS = ("train", "val", "test", "emoji-test")
DAMAGED = (OSError, ValueError, TypeError, LookupError, OverflowError, TokenError)  # what numpy raises for its files
AGAIN = "build it again with 'python scripts/build_icons.py'"
HELD_OUT = 12  # one family in so many is kept from drawing a training meaning
CHOOSING = frozenset({"clarity", "glyphs", "jam", "lucide", "tabler"})
"""Families that training leaves out, too, so that settings can be chosen by hands that it never saw; ours."""


@dataclass(frozen=True)
class IconStyle:
    """`strokes`: it is drawn with lines whose width can be changed; `tones`: layers of it carry an opacity."""

    name: str
    set: str
    family: str
    licence: str
    author: str
    url: str
    colour: bool
    unseen: bool
    strokes: bool
    tones: bool

    @property
    def split(self) -> str:
        return "test" if self.unseen else "val" if self.family in CHOOSING else "train"


@dataclass(frozen=True)
class IconCell:
    """`line` is what the width of its lines was multiplied with; 1 is the designer's own picture."""

    style: str
    meaning: str
    line: float


class Icons:
    """A build, mapped from disk: `images[row]` is the picture of `cells[row]`."""

    def __init__(self, folder: Path):
        names, pixels = (folder / name for name in FILES)
        try:
            record = parse(read_bounded(names, MOST_BYTES))
            self.size: int = fit(Side, record.get("size"), "size")
            self.styles = styles_of(record.get("styles"))
            self.meaning_split = splits_of(record.get("meanings"))
            """Meaning to "train", "val", "test", or "emoji-test": what would give the emoji benchmark's tests away."""
            self.cells = cells_of(record.get("cells"), self.styles, self.meaning_split)
        except OSError as error:
            raise ValueError(f"{names} cannot be read ({error.strerror}); {AGAIN}") from error
        except ValueError as error:
            raise ValueError(f"{names} {error}; {AGAIN}") from error
        self.images = images_of(pixels, (len(self.cells), self.size, self.size, 3))

    @cached_property
    def rows(self) -> dict[tuple[str, str], int]:
        """(style, meaning) to the row of the designer's own picture."""
        return {(cell.style, cell.meaning): row for row, cell in enumerate(self.cells) if cell.line == 1}

    def may_train(self, cell: IconCell) -> bool:
        """Whether training may see a cell: a style and a meaning of training, and not held out."""
        of_training = self.styles[cell.style].split == self.meaning_split[cell.meaning] == "train"
        return of_training and not is_held_out(self.styles[cell.style].family, cell.meaning)


def is_held_out(family: str, meaning: str) -> bool:
    """Whether training never sees this family draw this training meaning, though it sees both apart."""
    return int(hashlib.sha256(f"held out {family} {meaning}".encode()).hexdigest(), 16) % HELD_OUT == 0


def styles_of(found: Any) -> dict[str, IconStyle]:
    styles = fit(tuple[IconStyle, ...], found, "styles")
    return named_once({style.name: style for style in styles}, len(styles), "styles")


def splits_of(found: Any) -> dict[str, str]:
    require(isinstance(found, dict), found, "a split for each meaning", "meanings")
    for meaning, split in found.items():
        require(split in SPLITS, split, f"one of {', '.join(SPLITS)}", f"meanings.{brief(meaning)}")
    return found


def cells_of(found: Any, styles: dict[str, IconStyle], meanings: dict[str, str]) -> list[IconCell]:
    """Without type hints, as there are tens of thousands."""
    require(isinstance(found, list), found, "a list", "cells")
    for row in found:
        whole = isinstance(row, list) and [type(value) for value in row] == [str, str, float]
        known = whole and row[0] in styles and row[1] in meanings and 0 < row[2] < math.inf
        require(known, row, "one of its styles, one of its meanings and a width of lines", "the cell")
    return list(named_once({IconCell(*row): None for row in found}, len(found), "cells"))


def named_once(found: dict, count: int, what: str) -> dict:
    if len(found) != count:
        raise ValueError(f"has {count} {what}, of which {len(found)} differ, expected each once")
    return found


def images_of(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """uint8 [cells, size, size, 3], mapped from disk."""
    try:
        images = np.lib.format.open_memmap(path, "r")
    except DAMAGED as error:
        raise ValueError(f"{path} is not a readable array ({brief(error, 120)}); {AGAIN}") from error
    if (images.dtype, images.shape) != (np.uint8, shape):
        raise ValueError(
            f"{path} holds {images.dtype} {list(images.shape)}, expected uint8 {list(shape)} as {FILES[0]} beside it "
            f"names; {AGAIN}"
        )
    return images
