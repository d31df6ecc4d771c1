"""Going through a folder that may be anything: bounded, heard by whoever wants to stop it, and opening no file."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..progress import OnCount

MOST_FILES = 250_000
DEEPEST = 32  # folders within folders
PATIENCE = 5.0  # seconds to look whether anything has changed, before a prompt runs


def walk(root: Path, on_seen: OnCount | None = None) -> Iterator[tuple[Path, str]]:
    """Every file that is not hidden, with ""; every folder that is not entered, with the reason. In no order.

    `on_seen` is called with the number of names seen so far at each of them; what it raises ends the walk. Raises
    ValueError in one sentence where there are more than MOST_FILES.
    """
    seen, waiting = 0, [(os.fspath(root), 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            for entry in entries_of(folder):
                seen += 1
                if on_seen:
                    on_seen(seen)
                if seen > MOST_FILES:
                    raise ValueError(f"folder '{root}' holds more than {MOST_FILES:,} files; give a smaller one")
                if entry.name.startswith("."):
                    continue
                if not is_folder(entry):
                    yield Path(entry.path), ""
                elif entry.is_symlink():
                    yield Path(entry.path), "a link to a folder, which is not followed"
                elif depth == DEEPEST:
                    yield Path(entry.path), f"a folder below {DEEPEST} others, which is not entered"
                else:
                    waiting.append((entry.path, depth + 1))
        except OSError as error:
            yield Path(folder), f"a folder that cannot be opened ({error.strerror})"


def entries_of(folder: str) -> Iterator[os.DirEntry]:
    with os.scandir(folder) as entries:
        yield from entries


def is_folder(entry: os.DirEntry) -> bool:
    """A link that leads nowhere, as to itself, is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_inside(root: str | Path, path: Path) -> bool:
    """Whether a path stays below the root once all links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def stamp(root: Path, on_seen: OnCount | None = None) -> str:
    """SHA-256, hexadecimal, of names, sizes and times of all files that are not hidden; reads none of them."""
    seen = []
    for path, problem in walk(root, on_seen):
        status = path.lstat() if problem or not path.exists() else path.stat()
        seen.append((path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps(sorted(seen)).encode()).hexdigest()


class GaveUpError(Exception):
    """Nobody waits for the stamp of a folder any longer."""


def stamp_in_time(root: Path, unwanted: Callable[[], bool]) -> str | None:
    """The stamp of a folder; None where it takes longer than PATIENCE, is unwanted by now, or there is none."""
    deadline = time.monotonic() + PATIENCE

    def on_seen(seen: int) -> None:
        if time.monotonic() > deadline or unwanted():
            raise GaveUpError

    try:
        return stamp(root, on_seen)
    except (GaveUpError, OSError, ValueError):
        return None
