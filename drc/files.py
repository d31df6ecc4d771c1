"""Files: bounded before they are read, written whole or not at all."""

import contextlib
import errno
import glob
import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import psutil

from .progress import OnPart

log = logging.getLogger("drc")

CHUNK = 2**24  # bytes
LARGEST = 2**28  # bytes of what is read whole
BETWEEN_LOOKS = 0.05  # seconds
LEFT_OVER = 3600  # seconds; a small file takes none


def require_regular(path: Path) -> None:
    """OSError for what is there and is no file, such as a pipe, which would never end; for what opens files by itself,
    as libraries do."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder the system says so itself
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))


def open_regular(path: Path, mode: str = "rb") -> BinaryIO:
    """A file to read from, or to write behind with the mode "ab"; OSError for one that is there and is none."""
    with contextlib.suppress(FileNotFoundError):  # to write behind it makes one, and to read it says so itself
        require_regular(path)
    return open(path, mode, opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666))


def read_bounded(path: Path, most: int = LARGEST) -> bytes:
    """A file whole; OSError for one of more than `most` bytes, which is not read."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= most and len(data := file.read(most + 1)) <= most:
            return data
    raise OSError(errno.EFBIG, f"longer than {most // 2**10} KiB", os.fspath(path))


def bytes_of(path: Path, most: int) -> bytes:
    """The same, with a ValueError that has the rest of a sentence for a file that is longer, or cannot be read."""
    try:
        return read_bounded(path, most)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror or error})") from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    with open_regular(path) as file:
        return stream_hash(file)


def stream_hash(file: BinaryIO) -> str:
    """SHA-256 of what is still to be read of a file."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def replacing(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """The name to write a file under, which then takes the place of `path`: a reader finds the old file or the new one,
    never half of one.

    The name lies in a folder of its own, beside `path` where no other is given, as some libraries write to random names
    before. An error leaves nothing behind and names the file, which that of a full disk does not do by itself; what a
    killed process left of an earlier try is cleared away.
    """
    folder = folder or path.with_name(path.name + ".part")
    remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder / "whole"
        os.replace(folder / "whole", path)
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = os.fspath(path)
        raise
    finally:
        remove(folder)


class Beside(threading.Thread):
    """Work that goes on beside whatever else does, and to its end even where nobody waits for it any more, as a process
    does not end before."""

    def __init__(self, work: Callable[[], None]):
        super().__init__()
        self.work, self.error, self.left = work, None, False
        self.start()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.error = error
            if self.left:
                log.error("%s", error)

    def wait(self, goes_on: Callable[[], bool]) -> None:
        """Until it is done, or `goes_on`, which is asked again and again, says not to; raises what the work did, which
        is logged where nobody waits."""
        while self.is_alive():
            self.join(BETWEEN_LOOKS)
            if self.is_alive() and not goes_on():
                self.left = True
                return
        if self.error is not None:
            raise self.error


def write_bytes(data: bytes, path: Path) -> None:
    """Writes a small file whole, which several processes may do at once; what one of them left that was killed is
    cleared away."""
    for leftover in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        if is_left_over(leftover):
            remove(leftover)
    with replacing(path, path.with_name(f"{path.name}.{os.getpid()}.part")) as unfinished:
        unfinished.write_bytes(data)


def is_left_over(part: Path) -> bool:
    """Whether a name that `write_bytes` writes under is no longer written to: the process is gone, and as it may have
    run on another machine, was gone long ago."""
    process = part.name.split(".")[-2]
    try:
        old = time.time() - part.stat().st_mtime > LEFT_OVER
    except OSError:  # done since
        return False
    return old and process.isdecimal() and len(process) < 10 and not psutil.pid_exists(int(process))


def write_chunks(chunks: Iterable[bytes | memoryview], path: Path, on_part: OnPart | None = None) -> None:
    """Writes the pieces of a file one after another; `on_part` is called before each and may raise to stop. The disk
    has one `CHUNK` before it gets the next, as it may need long for many."""
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        ahead = 0
        for chunk in chunks:
            if on_part is not None:
                on_part()
            file.write(chunk)
            ahead += len(chunk)
            if ahead >= CHUNK:
                sync(file)
                ahead = 0
        sync(file)


def sync(file: BinaryIO) -> None:
    """Waits until the disk has all that was written to a file."""
    file.flush()
    os.fsync(file.fileno())


def file_chunks(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def remove(path: Path) -> None:
    """A file, or a folder with whatever is in it; nothing where there is none."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
