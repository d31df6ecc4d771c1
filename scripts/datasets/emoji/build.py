"""The emoji benchmark as pixels: one picture for every (style, code point) cell, built from the fetched packages.

No picture is part of the repository; `manifest.json` holds the digests that a build is compared with.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from drc.data.emoji import Cell, Emoji
from drc.files import replacing, write_bytes
from drc.progress import OnShare

from ..raster import DIGEST_DIGITS, SIZE, digest, rasterise
from .meanings import meanings
from .sources import available, drawings

MANIFEST = Path(__file__).with_name("manifest.json")


def build(
    packages: Path,
    out: Path,
    size: int = SIZE,
    styles: list[str] | None = None,
    progress: OnShare | None = None,
) -> Emoji:
    """Rasterise every cell.

    Args:
        packages: folder made by scripts/fetch_packages.py.
        out: folder for `emoji.npy` and `emoji.json`.
        size: width and height of a picture in pixels; the manifest's digests are for 128.
        styles: names out of drc.data.styles.STYLES; all whose package is there when left out.
        progress: called with (cells done, cells in all) after each cell.
    """
    table = meanings(packages)
    todo = [
        (style, code, drawing)
        for style in (styles or available(packages))
        for code, drawing in drawings(packages, style).items()
    ]
    with replacing(out / "emoji.npy") as pixels:
        images = np.lib.format.open_memmap(pixels, "w+", np.uint8, (len(todo), size, size, 3))
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
        write_bytes(json.dumps(record, ensure_ascii=False, indent=0).encode(), out / "emoji.json")
    return Emoji(out)


def verify(out: Path) -> list[tuple[str, str]]:
    """The (style, code) cells of a build that are not those of the manifest, compared by SHA-256 of the pixels.

    Styles that the build left out altogether are not compared.
    """
    emoji, manifest, wrong = Emoji(out), json.loads(MANIFEST.read_text()), []
    built = {cell.style for cell in emoji.cells}
    for code, row in manifest["meanings"].items():
        for style, expected in zip(manifest["styles"], row["rasters"].split(), strict=True):
            place = emoji.rows.get((style, code))
            found = "-" if place is None else digest(emoji.images[place])[:DIGEST_DIGITS]
            if style in built and found != expected:
                wrong.append((style, code))
    return wrong
