"""The emoji benchmark as pixels: one picture for every (style, code point) cell, built from the fetched packages.

A build is two files: `emoji.npy`, uint8 [cells, size, size, 3], and `emoji.json`, which names each row and its SHA-256.
No picture is part of the repository; `emoji_manifest.json` holds the digests that a build is compared with.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from .meanings import Meaning, meanings
from .raster import rasterise
from .sources import available, drawings

MANIFEST = Path(__file__).with_name("emoji_manifest.json")
SIZE = 128
DIGEST_DIGITS = 16  # the first of the 64 hex digits of SHA-256: enough to tell a changed picture


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
        record = json.loads((folder / "emoji.json").read_text())
        self.size: int = record["size"]
        self.cells = [Cell(**cell) for cell in record["cells"]]
        self.meanings = {row["code"]: Meaning(**row) for row in record["meanings"]}
        self.rows = {(cell.style, cell.code): row for row, cell in enumerate(self.cells)}
        self.images = np.load(folder / "emoji.npy", mmap_mode="r")

    def image(self, style: str, code: str) -> np.ndarray:
        """uint8 [size, size, 3]."""
        return self.images[self.rows[style, code]]


def digest(image: np.ndarray) -> str:
    """SHA-256 of the RGB bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def build(
    packages: Path,
    out: Path,
    size: int = SIZE,
    styles: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Emoji:
    """Rasterise every cell.

    Args:
        packages: folder made by scripts/fetch_packages.py.
        out: folder for `emoji.npy` and `emoji.json`.
        size: width and height of a picture in pixels; the manifest's digests are for 128.
        styles: names out of styles.STYLES; all whose package is there when left out.
        progress: called with (cells done, cells in all) after each cell.
    """
    table = meanings(packages)
    todo = [
        (style, code, drawing)
        for style in (styles or available(packages))
        for code, drawing in drawings(packages, style).items()
    ]
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / "emoji.npy.part"
    images = np.lib.format.open_memmap(unfinished, "w+", np.uint8, (len(todo), size, size, 3))
    cells = []
    for row, (style, code, drawing) in enumerate(todo):
        images[row] = rasterise(drawing, size)
        cells.append(Cell(style, code, table[code].label, table[code].group, digest(images[row])))
        if progress:
            progress(row + 1, len(todo))
    images.flush()
    record = {
        "size": size,
        "cells": [asdict(cell) for cell in cells],
        "meanings": [asdict(meaning) for meaning in table.values()],
    }
    (out / "emoji.json.part").write_text(json.dumps(record, ensure_ascii=False, indent=0))
    os.replace(out / "emoji.json.part", out / "emoji.json")
    os.replace(unfinished, out / "emoji.npy")
    return Emoji(out)


def verify(out: Path) -> list[tuple[str, str]]:
    """The (style, code) cells of a build that are not those of the manifest, compared by SHA-256 of the pixels.

    Styles that the build left out altogether are not compared.
    """
    emoji, manifest, wrong = Emoji(out), json.loads(MANIFEST.read_text()), []
    built = {cell.style for cell in emoji.cells}
    for code, meaning in manifest["meanings"].items():
        for style, expected in zip(manifest["styles"], meaning["rasters"].split(), strict=True):
            row = emoji.rows.get((style, code))
            found = "-" if row is None else digest(emoji.images[row])[:DIGEST_DIGITS]
            if style in built and found != expected:
                wrong.append((style, code))
    return wrong
