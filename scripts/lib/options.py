"""The demo's command line, checked before anything long begins. Needs nothing but Python."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from scripts.lib.environment import BUILD

SIGNATURES = {
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff",
    "GIF": b"GIF8",
    "BMP": b"BM",
    "WebP": b"RIFF",
    "TIFF": b"II*\x00",
}
LARGEST_SEED = 2**64 - 1
SEED = 3  # of workflows/personalise.json


class InputError(Exception):
    """The user gave something that cannot be used; the message is one sentence that says what and why."""


@dataclass
class Options:
    history: list[Path]
    reference: Path | None
    text: str
    seed: int
    out: Path


def read_options(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="bash scripts/demo.sh",
        description="Draws a picture in the style of history images with the meaning of a reference.",
    )
    parser.add_argument("--history", metavar="FOLDER", type=Path, help="pictures of the style (default: the examples)")
    parser.add_argument("--reference", metavar="FILE", type=Path, help="picture of the meaning (default: the example)")
    parser.add_argument("--text", metavar="WORDS", default="", help="words for the meaning")
    parser.add_argument("--seed", metavar="N", type=int, default=SEED, help="another number, another picture")
    parser.add_argument("--out", metavar="FILE", type=Path, default=BUILD / "picture.png", help="the PNG to write")
    given = parser.parse_args(arguments)

    if not 0 <= given.seed <= LARGEST_SEED:
        raise InputError(f"--seed is {given.seed}, expected a whole number from 0 to {LARGEST_SEED}.")
    if given.out.suffix.lower() != ".png" or given.out.is_dir():
        raise InputError(f"--out is {str(given.out)!r}, expected the name of a .png file.")
    if given.reference:
        check_picture("--reference", given.reference)
    history = pictures_in(given.history) if given.history else []
    return Options(history, given.reference, given.text, given.seed, given.out)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures directly in a folder, by name."""
    if not folder.is_dir():
        raise InputError(f"--history is {str(folder)!r}, which is not a folder: give a folder of pictures.")
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"--history is {str(folder)!r}, which cannot be read: {error.strerror}.") from error
    pictures = [path for path in files if is_picture("--history", path)]
    if not pictures:
        kinds = ", ".join(SIGNATURES)
        raise InputError(f"--history is {str(folder)!r}, which holds no picture: put {kinds} files directly into it.")
    return pictures


def check_picture(option: str, path: Path) -> None:
    if not path.exists():
        raise InputError(f"{option} is {str(path)!r}, which does not exist: give the file of a picture.")
    if path.is_dir():
        raise InputError(f"{option} is {str(path)!r}, which is a folder: give the file of a picture.")
    if not is_picture(option, path):
        raise InputError(f"{option} is {str(path)!r}, which is not a picture: give a {', '.join(SIGNATURES)} file.")


def is_picture(option: str, path: Path) -> bool:
    """Whether a file begins as a picture does."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"{option}: {str(path)!r} cannot be read: {error.strerror}.") from error
    return start.startswith(tuple(SIGNATURES.values()))
