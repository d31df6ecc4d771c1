"""The history of a set that a command completes: a folder of pictures, or the style card of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ..colours import Look
from ..data.folder import nothing_usable
from ..data.history import picture_names, remarks, require_few, squares_in
from ..data.picture_file import read, read_for
from ..familiar import is_unfamiliar, unfamiliar_told
from ..instruction import Style
from ..lmm.pictures import codes_of
from ..model import DRC
from ..parsing import between
from . import svg
from .card import CardHistory
from .marks import SIDE
from .palette import palette_of
from .report import Measured, measure
from .settings import FULL


class History(Protocol):
    style: Style
    notes: list[str]  # what is odd in it

    def look(self) -> Look:
        """Its colours and its grid."""

    def measured(self) -> list[Measured]:
        """The numbers of its pictures."""

    def pictures(self, size: int) -> Iterator[np.ndarray]:
        """uint8 [size, size, 3] each."""


def history_in(path: Path, drc: DRC, option: str = "--history") -> History:
    """What an option names. ValueError, in one sentence, for a folder without pictures or with too many, and for a file
    that is no style card or one of another model."""
    if path.is_file() and path.suffix.lower() != ".safetensors":
        raise ValueError(
            f"{option} is '{path}', a file that is no style card, expected a folder of pictures or a style card; give "
            "the folder that it lies in"
        )
    return (CardHistory if path.is_file() else FolderHistory)(path, drc, option)


class FolderHistory:
    """Found as My Pictures finds them."""

    def __init__(self, folder: Path, drc: DRC, option: str):
        left_out: list[tuple[str, str]] = []
        with between(f"{option}: "):
            names = picture_names(folder, left_out, lambda seen: None)
        require_few(len(names), f"{option} '{folder}'")
        lmm = drc.lmm
        found = dict(squares_in(folder, names, lmm.image_size, lmm.prepare, left_out, lambda: None))
        if not found:
            raise ValueError(f"{option}: {nothing_usable(folder, '*', left_out)}")
        squares = torch.stack(list(found.values()))
        self.paths, self.notes = [folder / name for name in found], remarks(list(found), squares, left_out)
        unfamiliar = 0 if lmm.pretrained else sum(map(is_unfamiliar, squares))
        self.notes += filter(None, [unfamiliar_told(unfamiliar, len(squares), option.removeprefix("--"))])
        self.style = drc.style(codes_of(lmm, squares, drc.device))

    def look(self) -> Look:
        sides: list[int] = []

        def pictures() -> Iterator[np.ndarray]:
            for path in self.paths:
                sides.append(max(read_for(path, FULL).shape[:2]))
                yield read(path, min(sides[-1], FULL))

        return Look(palette_of(pictures()), svg.grid_of(sides))

    def measured(self) -> list[Measured]:
        return [measure(picture) for picture in self.pictures(SIDE)]

    def pictures(self, size: int) -> Iterator[np.ndarray]:
        return (read(path, size) for path in self.paths)
