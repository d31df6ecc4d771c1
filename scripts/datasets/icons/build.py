"""The icon matrix as pixels, built from the fetched package; an interrupted build leaves nothing behind."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from drc.data.icons import FILES, Icons
from drc.files import replacing, write_bytes
from drc.progress import OnShare

from ..raster import SIZE, digest, rasterise
from .matrix import drawings, read_manifest
from .package import Package

CHUNK = 256  # drawings that a process takes at once
DIGITS = 8  # of a digest in the manifest: enough to tell a changed picture among 67,000


def build(
    package: Path,
    out: Path,
    size: int = SIZE,
    manifest: dict | None = None,
    processes: int = 2,
    progress: OnShare | None = None,
) -> Icons:
    """Rasterises every cell that the manifest names into `out`; progress(pictures done, all).

    ValueError for another package, or one that lacks an icon, before anything is written.
    """
    manifest = manifest or read_manifest()
    plan = list(drawings(Package(package), manifest))
    texts = [text for _, cells in plan for text in cells.values()]
    names, pixels = (out / name for name in FILES)
    with replacing(pixels) as unfinished:
        images = np.lib.format.open_memmap(unfinished, "w+", np.uint8, (len(texts), size, size, 3))
        chunks = [texts[first : first + CHUNK] for first in range(0, len(texts), CHUNK)]
        done = 0
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            for pictures in pool.map(rasterise_all, chunks, [size] * len(chunks)):
                images[done : done + len(pictures)] = pictures
                done += len(pictures)
                if progress:
                    progress(done, len(texts))
        images.flush()
        names.unlink(missing_ok=True)  # those of an earlier build do not tell of these pictures
    record = {
        "size": size,
        "styles": [asdict(style) for style, _ in plan],
        "meanings": {name: row["split"] for name, row in manifest["meanings"].items()},
        "cells": [astuple(cell) for _, cells in plan for cell in cells],
    }
    write_bytes(json.dumps(record, ensure_ascii=False).encode(), names)  # last: it says that the other is whole
    return Icons(out)


def rasterise_all(texts: list[str], size: int) -> np.ndarray:
    return np.stack([rasterise(text, size) for text in texts])


def digests(icons: Icons) -> dict[str, str]:
    """Style to the digests of its pictures, in the order of the build."""
    found: dict[str, list[str]] = {}
    for cell, image in zip(icons.cells, icons.images, strict=True):
        found.setdefault(cell.style, []).append(digest(image)[:DIGITS])
    return {style: "".join(words) for style, words in found.items()}


def verify(icons: Icons) -> list[tuple[str, str]]:
    """(style, meaning) of the pictures that are not those of the manifest."""
    styles, wrong = read_manifest()["styles"], []
    cells: dict[str, list[str]] = {}
    for cell in icons.cells:
        cells.setdefault(cell.style, []).append(cell.meaning)
    for style, found in digests(icons).items():
        expected = styles[style]["rasters"]
        for index, meaning in enumerate(cells[style]):
            digits = slice(index * DIGITS, (index + 1) * DIGITS)
            if found[digits] != expected[digits]:
                wrong.append((style, meaning))
    return wrong
