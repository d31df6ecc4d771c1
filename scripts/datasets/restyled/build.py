"""Building a set of restyled drawings on disk with several processes, resumable at any program."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from drc.progress import OnShare

from ..resumable import finish, open_unfinished
from .program import Program
from .restyle import restyle

logger = logging.getLogger("drc")


def build_restyled(
    sources: Mapping[str, str],
    programs: Sequence[Program],
    per_program: int,
    out: str | Path,
    size: int = 128,
    processes: int = 2,
    progress: OnShare | None = None,
) -> Path:
    """Write `per_program` drawings under every program to `out`.

    sources: SVG text by drawing id ("style/code"). Writes out/restyled.npy, uint8 [programs * per_program, size, size,
    3], the rows of one program together, and out/restyled.json: size, per_program, programs (seed, family), drawings
    (ids) and rows ([program index, drawing index]). Which drawings a program gets follows from a hash of seed and id,
    so it does not change when programs are added. An interrupted build goes on where it was, as long as neither plan
    nor code changed. progress(programs done, programs) is called after each program. Returns the path of the array.
    Raises ValueError when there are fewer drawings than per_program or a drawing cannot be read.
    """
    out = Path(out)
    if len(sources) < per_program:
        raise ValueError(
            f"{len(sources)} drawings were given, but per_program asks for {per_program}; give more or ask for fewer."
        )
    drawings = sorted(sources)
    hashes = np.array(
        [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in drawings], np.uint64
    )
    rows = [
        (index, int(chosen))
        for index, program in enumerate(programs)
        for chosen in _choose(hashes, program, per_program)
    ]
    plan = {
        "size": size,
        "per_program": per_program,
        "programs": [{"seed": program.seed, "family": program.family} for program in programs],
        "drawings": drawings,
        "rows": rows,
    }
    text = json.dumps(plan)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    unfinished, marks = out / f"restyled.{digest}.npy", out / f"restyled.{digest}.done"
    done = open_unfinished(out, unfinished, marks, (len(rows), size, size, 3), len(programs))

    waiting = np.flatnonzero(np.asarray(done) == 0)
    logger.info("restyling %d drawings under %d of %d programs", per_program, len(waiting), len(programs))

    def task(index: int) -> tuple:
        first = index * per_program
        chosen = {drawings[drawing]: sources[drawings[drawing]] for _, drawing in rows[first : first + per_program]}
        return _work, programs[index], chosen, unfinished, first, size

    finish(done, task, processes, progress)
    temporary = out / f"restyled.{digest}.json"
    temporary.write_text(text)
    os.replace(unfinished, out / "restyled.npy")
    os.replace(temporary, out / "restyled.json")
    marks.unlink()
    return out / "restyled.npy"


def _choose(hashes: np.ndarray, program: Program, count: int) -> np.ndarray:
    """Indices of the drawings with the smallest hash of seed and id (splitmix64), in index order."""
    mixed = hashes ^ np.uint64((program.seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.sort(np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")[:count])


def _work(program: Program, drawings: dict[str, str], path: Path, first: int, size: int) -> None:
    pictures = np.lib.format.open_memmap(path, "r+")
    for row, (name, svg) in enumerate(drawings.items(), first):
        try:
            pictures[row] = restyle(svg, program, size)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    pictures.flush()
