"""A build of the emoji benchmark as pixels: one picture for every (style, code point) cell.

A build is two files: `emoji.npy`, uint8 [cells, size, size, 3], and `emoji.json`, which names each row and its SHA-256.
scripts/build_emoji.py of the source repository writes it; no picture is part of the repository.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import read_bounded


@dataclass(frozen=True)
class Meaning:
    """One code point, described by the Unicode CLDR. A code is upper-case hex joined by `-`, without FE0F."""

    code: str
    label: str
    tags: tuple[str, ...]
    group: str
    subgroup: str


@dataclass(frozen=True)
class Cell:
    style: str
    code: str
    label: str
    group: str
    sha256: str


class Emoji:
    """A build, mapped from disk: `images[row]` is the picture of `cells[row]`, `rows[style, code]` its row."""

    def __init__(self, folder: Path):
        record = json.loads(read_bounded(folder / "emoji.json"))
        self.size: int = record["size"]
        self.cells = [Cell(**cell) for cell in record["cells"]]
        self.meanings = {row["code"]: Meaning(**row) for row in record["meanings"]}
        self.rows = {(cell.style, cell.code): row for row, cell in enumerate(self.cells)}
        self.images = np.load(folder / "emoji.npy", mmap_mode="r")

    def image(self, style: str, code: str) -> np.ndarray:
        """uint8 [size, size, 3]."""
        return self.images[self.rows[style, code]]
