"""Makes safetensors of the published LaVIT-7B-v2, from this pack's folder:

    python -m drc.lmm.lavit.convert FOLDER --models MODELS [--name NAME]

FOLDER is the download of rain1011/LaVIT-7B-v2, MODELS the models folder of ComfyUI. Everything is checked before the
first file is written. A conversion that was stopped goes on when it is started again: files that are there, with the
very bytes that they would get, are kept. Numbers are not changed, and one file is in memory at a time.

What comes out, below MODELS:

    drc/NAME/                                    language model, visual parts and lavit.json, for Load DRC Model
    diffusion_models/NAME-unet.safetensors       for Load Diffusion Model
    vae/NAME-vae.safetensors                     for Load VAE
    ...-low-resolution-unet, -vae.safetensors    the same of the low resolution, where FOLDER holds it
"""

import argparse
import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from ...files import open_regular, write_chunks
from ...names import check_name
from ...progress import OnShare
from .archive import REPOSITORY
from .converted import DESCRIPTION, LICENCE, ConvertedFile, describe
from .published import read_published
from .weights import File

NAME = REPOSITORY.split("/")[1]
ROOM = 2**20  # beyond the files that are counted
UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Conversion:
    """What is there now. `kept` are the places of the files that were there before, `left_out` what of the low
    resolution the published folder lacks."""

    files: list[ConvertedFile]
    kept: set[str]
    left_out: str


def convert(folder: Path, models: Path, name: str = NAME, on_bytes: OnShare | None = None) -> Conversion:
    """Converts a published folder into the models folder; the set is called `name`.

    `on_bytes(done, total)` is called after every few megabytes and may raise to stop; that leaves whole files only.
    ValueError with one sentence for whatever is wrong with the published folder or the disk.
    """
    check_places(models, name)
    published = read_published(folder, name)
    check_room(published.files, models)
    description = models / "drc" / name / DESCRIPTION
    progress = Progress(sum(file.size for file in published.files), on_bytes)
    files, kept = [], set()
    for file in published.files:
        path = models / file.place
        sha256 = hash_of_same(path, file, progress)
        if sha256:
            kept.add(file.place)
        else:
            with writing(path):
                description.unlink(missing_ok=True)
                sha256 = write(path, file, progress)
        files.append(ConvertedFile(file.place, file.size, sha256, file.dtype, file.purpose))
    with writing(description):
        write_chunks([describe(published.sizes, files)], description)
    return Conversion(files, kept, published.left_out)


class Progress:
    """Counts the bytes of all files, and tells after each piece of one."""

    def __init__(self, total: int, on_bytes: OnShare | None):
        self.total, self.on_bytes, self.done = total, on_bytes, 0

    def count(self, chunks: Iterable[bytes | memoryview], digest) -> Iterator[bytes | memoryview]:
        """The same pieces, hashed on their way."""
        for chunk in chunks:
            digest.update(chunk)
            yield chunk
            self.done += len(chunk)
            if self.on_bytes:
                self.on_bytes(self.done, self.total)


def hash_of_same(path: Path, file: File, progress: Progress) -> str:
    """SHA-256 of a file that is there with the very bytes that it would get; nothing where there is none."""
    if not path.is_file() or path.stat().st_size != file.size:
        return ""
    before, digest = progress.done, hashlib.sha256()
    with open_regular(path) as found:
        if all(found.read(len(chunk)) == bytes(chunk) for chunk in progress.count(file.chunks(), digest)):
            return digest.hexdigest()
    progress.done = before
    return ""


def write(path: Path, file: File, progress: Progress) -> str:
    """Returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    write_chunks(progress.count(file.chunks(), digest), path)
    return digest.hexdigest()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{path} could not be written ({error.strerror or error}); the files before it are whole; make room on "
            "that disk and start the conversion again, it goes on from there"
        ) from error


def check_places(models: Path, name: str) -> None:
    if not models.is_dir():
        raise ValueError(f"the models folder is '{models}', which is no folder; give the models folder of ComfyUI")
    check_name(name, "name")


def check_room(files: list[File], models: Path) -> None:
    """ValueError unless every disk has room for what is still to be written to it."""
    needed = {}
    for file in files:
        path = models / file.place
        if not path.is_file() or path.stat().st_size != file.size:
            place = next(parent for parent in path.parents if parent.is_dir())
            _, size = needed.get(place.stat().st_dev, (place, ROOM))
            needed[place.stat().st_dev] = place, size + file.size
    for place, size in needed.values():
        free = psutil.disk_usage(os.fspath(place)).free
        if free < size:
            raise ValueError(
                f"the disk of {place} has {amount(free)} free, but the conversion needs {amount(size)} there; "
                "make room on that disk and start the conversion again"
            )


def amount(size: int) -> str:
    """Bytes as people write them, in powers of ten."""
    power = min((len(str(size)) - 1) // 3, len(UNITS) - 1)
    return f"{size / 1000**power:.{2 if power else 0}f} {UNITS[power]}"


def table(conversion: Conversion) -> str:
    """What lies where, how large, in which numbers and what for."""
    rows = [("file", "size", "dtype", "", "what for")]
    for file in conversion.files:
        state = "was there" if file.place in conversion.kept else "written"
        rows.append((file.place, amount(file.size), file.dtype, state, file.purpose))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"Together {amount(sum(file.size for file in conversion.files))}.", LICENCE]
    if conversion.left_out:
        lines.append(f"Without the low resolution, for which these are missing: {conversion.left_out}.")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m drc.lmm.lavit.convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=f"the download of {REPOSITORY}")
    parser.add_argument("--models", type=Path, required=True, help="the models folder of ComfyUI")
    parser.add_argument("--name", default=NAME, help=f"what the converted model is called, {NAME} without it")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        conversion = convert(options.folder, options.models, options.name, tell())
    except ValueError as error:
        sys.stderr.write(f"{error}.\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; start it again and it goes on.\n")
        return 130
    sys.stdout.write(table(conversion) + "\n")
    return 0


def tell() -> OnShare:
    """Writes to the log at every twentieth."""
    log, told = logging.getLogger("drc"), -1

    def on_bytes(done: int, total: int) -> None:
        nonlocal told
        if done * 20 // total != told:
            told = done * 20 // total
            log.info("%s of %s", amount(done), amount(total))

    return on_bytes


if __name__ == "__main__":
    sys.exit(main())
