"""The history of a set that a command completes: a folder of pictures, or the style card of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..card_file import load
from ..data.folder import nothing_usable
from ..data.history import picture_names, remarks, require_few, squares_in
from ..data.picture_file import read, read_for
from ..instruction import Style
from ..lmm.pictures import PICTURES, codes_of
from ..model import DRC
from ..pixels import from_pixels, resized, to_pixels
from ..style_card import THUMBNAIL, style_of
from . import svg
from .output import Look
from .palette import palette_of
from .settings import FULL


class History(Protocol):
    style: Style
    notes: list[str]  # what is odd in it
    side: int  # pixels up to which more tell more

    def look(self) -> Look:
        """Its colours and its grid."""

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

    side = FULL

    def __init__(self, folder: Path, drc: DRC, option: str):
        left_out: list[tuple[str, str]] = []
        names = picture_names(folder, left_out, lambda seen: None)
        require_few(len(names), f"{option} '{folder}'")
        lmm = drc.lmm
        found = dict(squares_in(folder, names, lmm.image_size, lmm.prepare, left_out, lambda: None))
        if not found:
            raise ValueError(nothing_usable(folder, "*", left_out))
        squares = torch.stack(list(found.values()))
        self.paths, self.notes = [folder / name for name in found], remarks(list(found), squares, left_out)
        self.style = drc.style(codes_of(lmm, squares, drc.device))

    def look(self) -> Look:
        sides: list[int] = []

        def pictures() -> Iterator[np.ndarray]:
            for path in self.paths:
                sides.append(max(read_for(path, FULL).shape[:2]))
                yield read(path, min(sides[-1], FULL))

        return Look(palette_of(pictures()), svg.grid_of(sides))

    def pictures(self, size: int) -> Iterator[np.ndarray]:
        return (read(path, size) for path in self.paths)


class CardHistory:
    """By its small pictures; a card that has none shows what its codes draw."""

    def __init__(self, path: Path, drc: DRC, option: str):
        card, self.notes = load(path), []
        self.style = style_of(drc, card, f"{option} is '{path}', which")
        self.small = thumbnails_of(card.codes, drc) if card.thumbnails is None else card.thumbnails
        self.side = self.small.shape[1]

    def look(self) -> Look:
        return Look(palette_of(self.small), svg.GRID)

    def pictures(self, size: int) -> Iterator[np.ndarray]:
        return (to_pixels(resized(from_pixels([one]), size))[0] for one in self.small)


@torch.no_grad()
def thumbnails_of(codes: Tensor, drc: DRC) -> np.ndarray:
    """Of codes [n, N]: uint8 [n, THUMBNAIL, THUMBNAIL, 3]."""
    drawn = (drc.lmm.detokenize(some.to(drc.device)) for some in codes.split(PICTURES))
    return np.concatenate([to_pixels(resized(some, THUMBNAIL)) for some in drawn])
