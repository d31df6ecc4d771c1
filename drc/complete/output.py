"""The folder of a set: what was drawn as files, and the settings that it was drawn with.

png/NAME.png    the pictures; svg/NAME.svg    the same, where that was asked for
codes/          the same as the model drew them, see `cache`
set.json        model, history and settings
report.json, .txt, .png, sheet.png (or several): what there is, and how it fits
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from ..colours import Look
from ..data.palette import pixels_of_oklab
from ..data.picture_file import WHITE
from ..files import open_regular, read_bounded, write_bytes
from ..model import DRC
from ..parsing import brief, parse
from ..pixels import to_image
from ..sharpener import load_sharpener
from .cache import DrawnCache
from .flat import require_flat
from .palette import lock
from .sizes import full_size, shrunk
from .svg import trace

MOST_BYTES = 2**16  # of the settings
SETTINGS = "set.json"
HASHED = {"model", "history", "negative"}  # settings that are told apart by hashes, which say nothing to a reader
FOREIGN = ""  # in place of a mark
MARK = "drc"  # of our files: the name of a text in them that says how they were made
TRACED = "drc-svg"  # and of one that has the hash of the SVG that was written with them
MOST_TEXT = 2**20  # bytes of an SVG; ours are far smaller


class SetFolder:
    def __init__(self, path: Path):
        self.path, self.cache = path, DrawnCache(path / "codes")

    def claim(self, settings: Mapping[str, object]) -> None:
        """Writes the settings down; ValueError where others are, as a set is drawn in one way."""
        file = self.path / SETTINGS
        try:
            found = parse(read_bounded(file, MOST_BYTES))
        except FileNotFoundError:
            self.path.mkdir(parents=True, exist_ok=True)
            write_bytes(json.dumps(settings, indent=2).encode(), file)
            return
        except ValueError as error:
            raise ValueError(f"'{file}' {error}; delete it and start again") from error
        for name, value in settings.items():
            if found.get(name) != value:
                was = f"with {name} {brief(found.get(name))}, and now it is {brief(value)}"
                was = f"with another {name} than this one" if name in HASHED else was
                raise ValueError(
                    f"'{self.path}' holds a set that was drawn {was}; give another folder with --out, or delete that "
                    "one"
                )

    def picture(self, name: str) -> Path:
        return self.path / "png" / f"{name}.png"

    def svg(self, name: str) -> Path:
        return self.path / "svg" / f"{name}.svg"

    def write_text(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(text.encode(), path)

    def write_svg(self, name: str, text: str) -> None:
        """Not where somebody put another, or edited ours."""
        if self.is_own_svg(name):
            self.write_text(self.svg(name), text)

    def is_own_svg(self, name: str) -> bool:
        """Whether the SVG is as it was written with the picture, or there is none."""
        try:
            found = read_bounded(self.svg(name), MOST_TEXT)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return hash_of(found) == text_in(self.picture(name), TRACED)

    def write(self, path: Path, picture: np.ndarray, mark: str = "", svg: str | None = None) -> None:
        """Writes a picture uint8 [H, W, 3 or 4], with a mark of how it was made and of what was traced of it."""
        file, about = io.BytesIO(), PngImagePlugin.PngInfo()
        about.add_text(MARK, mark)
        if svg is not None:
            about.add_text(TRACED, hash_of(svg.encode()))
        Image.fromarray(picture).save(file, "PNG", pnginfo=about)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(file.getvalue(), path)

    def has(self, name: str, mark: str) -> bool:
        """Whether there is a picture that was made so, or one that somebody put there."""
        return mark_in(self.picture(name)) in (mark, FOREIGN)

    def is_whole(self, name: str, finish: "Finish", key: str) -> bool:
        """Whether all files of a picture are there; one that somebody put there stands for itself."""
        found = mark_in(self.picture(name))
        with_svg = not finish.as_svg or self.svg(name).exists()
        return found == FOREIGN or found == finish.mark(key) and with_svg

    def left(self, names: Iterable[str], finish: "Finish") -> list[tuple[str, str]]:
        """Name and key of the pictures that are ours, not of these `names`, and finished otherwise."""
        listed, found = set(names), []
        for path in sorted(self.picture("any").parent.glob("*.png")):
            key = None if path.stem in listed else key_in(mark_in(path))
            if key and not self.is_whole(path.stem, finish, key):
                found.append((path.stem, key))
        return found


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mark_in(path: Path) -> str | None:
    """How a picture was made; FOREIGN for somebody else's, None where there is none."""
    return text_in(path, MARK)


def text_in(path: Path, name: str) -> str | None:
    """The text of that name in a picture; FOREIGN where it has none, None where there is no picture."""
    try:
        with open_regular(path) as file, Image.open(file) as image:
            return image.info.get(name, FOREIGN)
    except (OSError, SyntaxError, ValueError):
        return None


def key_in(mark: str | None) -> str | None:
    found = re.match('\\["([0-9a-f]{64})",', str(mark))
    return found and found[1]


class Finish:
    """From codes to what is in a file: sharp, `size` pixels wide and high, and where there is a `look`, in at most
    `colours` of its colours beside the ground, 0: as many as its pictures have."""

    def __init__(self, drc: DRC, size: int, look: Look | None = None, colours: int = 0, as_svg: bool = False):
        self.drc, self.size, self.look, self.colours, self.as_svg = drc, size, look, colours, as_svg
        self.sharpen = load_sharpener().to(drc.device)

    @property
    def ground(self) -> tuple[int, int, int]:
        """What lies below files that are transparent."""
        return tuple(pixels_of_oklab(self.look.palette.colours[0]).tolist()) if self.look else WHITE

    def mark(self, key: str) -> str:
        """Of a picture with that key, see `Asked`."""
        return json.dumps([key, self.size, self.colours if self.look else None, self.as_svg])

    def full(self, codes: Tensor) -> np.ndarray:
        """Codes [N] -> uint8 [FULL, FULL, 3]"""
        return full_size(self.drawn(codes), self.sharpen, "what was drawn")

    def whole(self, full: np.ndarray) -> np.ndarray:
        """The same with its colours and its transparency, uint8 [FULL, FULL, 4]."""
        if self.look is None:
            return np.concatenate((full, np.full_like(full[..., :1], 255)), axis=-1)
        return lock(full[None], self.look.palette, self.colours)[0]

    def svg(self, full: np.ndarray, picture: np.ndarray, name: str) -> str:
        """Of both; ValueError for a picture that is no drawing of a few flat shapes."""
        require_flat(full, f"'{name}'")
        return trace(picture, self.look.grid, what=f"'{name}'")

    @torch.no_grad()
    def drawn(self, codes: Tensor) -> Tensor:
        """IMAGE [H, W, 3]"""
        return to_image(self.drc.lmm.detokenize(codes[None].to(self.drc.device)))[0]

    def file(self, whole: np.ndarray) -> np.ndarray:
        """What is written of it: uint8 [size, size, 3], or [size, size, 4] where the ground of the history is flat."""
        picture = shrunk(whole, self.size)
        return picture if self.look and self.look.palette.flat else picture[..., :3]
