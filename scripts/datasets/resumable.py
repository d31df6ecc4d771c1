"""Building a large array on disk piece by piece with several processes, resumable at any piece."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from drc.progress import OnShare


def finish(done: np.memmap, task: Callable, processes: int, progress: OnShare | None) -> None:
    """Does the pieces that `done` does not mark, in processes, and marks them; task(piece) is a function and its
    arguments."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        tasks = {pool.submit(*task(piece)): piece for piece in np.flatnonzero(np.asarray(done) == 0).tolist()}
        try:
            for finished in as_completed(tasks):
                finished.result()
                done[tasks[finished]] = 1
                done.flush()
                if progress:
                    progress(int(done.sum()), len(done))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def open_unfinished(out: Path, unfinished: Path, marks: Path, shape: tuple[int, ...], pieces: int) -> np.memmap:
    """The marks of finished pieces, uint8 [pieces], new or from an interrupted build of the same plan."""
    out.mkdir(parents=True, exist_ok=True)
    if not marks.exists() or not unfinished.exists():
        np.lib.format.open_memmap(unfinished, "w+", np.uint8, shape).flush()
        marks.write_bytes(bytes(pieces))
    return np.memmap(marks, np.uint8, "r+", shape=(pieces,))
