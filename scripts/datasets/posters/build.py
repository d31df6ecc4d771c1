"""The posters as pixels. A part of the plan is two files: `NAME.npy`, uint8 [posters, size, size, 3], and `NAME.json`.

No picture is part of the repository; `manifest.json` holds the digests that a build is compared with.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from drc.data.posters import Poster, poster_part
from drc.progress import OnShare

from ..raster import DIGEST_DIGITS, SIZE, digest
from ..resumable import finish, open_unfinished
from .studio import Studio

MANIFEST = Path(__file__).with_name("manifest.json")

CHUNK = 128  # posters that a process draws before it reports


def build(
    packages: Path,
    out: Path,
    part: str,
    posters: Sequence[Poster],
    size: int = SIZE,
    processes: int = 2,
    progress: OnShare | None = None,
) -> None:
    """Draw one part of the plan. An interrupted build goes on where it was, as long as the plan did not change.

    Args:
        packages: folder made by scripts/fetch_packages.py.
        out: folder for the part's two files.
        part: its name, out of drc.data.posters.PARTS.
        posters: what plan.plan gives for it.
        size: width and height of a picture in pixels; the manifest's digests are for 128.
        progress: called with (chunks of posters drawn, chunks in all).
    """
    listed = {"size": size, "posters": [astuple(poster) for poster in posters]}
    stem = f"{part}.{hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]}"
    unfinished, marks = out / f"{stem}.npy", out / f"{stem}.done"
    shape = (len(posters), size, size, 3)
    done = open_unfinished(out, unfinished, marks, shape, -(-len(posters) // CHUNK))

    def task(chunk: int) -> tuple:
        first = chunk * CHUNK
        return _draw, packages, posters[first : first + CHUNK], unfinished, first

    finish(done, task, processes, progress)
    listed["sha256"] = [digest(picture) for picture in np.load(unfinished, mmap_mode="r")]
    (out / f"{stem}.json").write_text(json.dumps(listed))
    os.replace(unfinished, out / f"{part}.npy")
    os.replace(out / f"{stem}.json", out / f"{part}.json")
    marks.unlink()


def _draw(packages: Path, posters: Sequence[Poster], path: Path, first: int) -> None:
    studio, pictures = Studio(packages), np.lib.format.open_memmap(path, "r+")
    for row, poster in enumerate(posters, first):
        pictures[row] = studio.draw(poster, pictures.shape[1])
    pictures.flush()


def built(out: Path, part: str, posters: Sequence[Poster], size: int = SIZE) -> bool:
    """Whether a part is there, with these posters in this size."""
    path = out / f"{part}.json"
    if not path.exists():
        return False
    record = json.loads(path.read_text())
    return record["size"] == size and record["posters"] == [list(astuple(poster)) for poster in posters]


def verify(out: Path, part: str) -> list[Poster]:
    """The posters of a built part that are not those of the manifest, compared by SHA-256 of the pixels."""
    pixels, _, posters = poster_part(out, part)
    expected = json.loads(MANIFEST.read_text())["rasters"][part]
    found = [digest(picture)[:DIGEST_DIGITS] for picture in pixels]
    return [poster for poster, one, other in zip(posters, found, expected, strict=True) if one != other]
