"""A disk that is full, and what lies on it."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room` bytes; what writes on gets the system's error, as on a disk without space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))  # Python itself takes care of the signal
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
