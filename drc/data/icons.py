"""A build of the icon matrix as pixels: what about a hundred hands drew of the same meanings.

A *style* is a set of icons in one variant, a *family* a designer or sets that share outlines, a *meaning* a canonical
name. A build is two files: `icons.npy`, uint8 [cells, size, size, 3], and `icons.json`, which names each row.
scripts/build_icons.py of the source repository writes it; no picture is part of the repository.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

FILES = ("icons.json", "icons.npy")
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
        record = json.loads((folder / FILES[0]).read_text("utf-8"))
        self.size: int = record["size"]
        self.styles = {row["name"]: IconStyle(**row) for row in record["styles"]}
        self.meaning_split: dict[str, str] = record["meanings"]
        """Meaning to "train", "val", "test", or "emoji-test": what would give the emoji benchmark's tests away."""
        self.cells = [IconCell(*row) for row in record["cells"]]
        self.images = np.load(folder / FILES[1], mmap_mode="r")

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
