"""What a style card keeps of its pictures for a set that is completed: their palette, their grid, and their marks."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..card_file import load
from ..colours import Look, Palette
from ..data.palette import oklab_of_pixels
from ..interrupt import heard
from ..lmm.pictures import PICTURES
from ..model import DRC
from ..parsing import between
from ..pixels import from_pixels, resized, to_pixels
from ..progress import OnPart
from ..style_card import StyleCard, style_of, with_pictures
from . import svg
from .marks import MARKS, SIDE, marks
from .palette import has_flat_border, joint_palette, palette_of
from .report import Measured

REDRAWN = (
    "the style card was saved without the pictures of its set: colours and measures are those of what the model draws "
    "of its codes, near the set's own; give Save Style Card the pictures, too, for exactly these"
)
OLDER = (
    "the style card is one of an older version, without palette and grid: colours are means of those that it has, and "
    "marks are those of what it shows; save it again, with its pictures, for exactly these"
)


def with_look(card: StyleCard, pictures: Iterable[np.ndarray], on_part: OnPart | None = None) -> StyleCard:
    """The card with all that a set takes from its pictures, uint8 [H, H, 3] each of its own size; one after another is
    asked for and forgotten. `on_part` as in `palette_of`."""
    sides, found = [], []

    def seen() -> Iterator[np.ndarray]:
        for picture in pictures:
            sides.append(len(picture))
            found.append(heard(partial(marks, of_size(picture, SIDE)), on_part))
            yield picture

    palette = palette_of(seen(), on_part)
    return replace(card, look=Look(palette, svg.grid_of(sides)), marks=np.stack(found))


def of_size(picture: np.ndarray, size: int) -> np.ndarray:
    return to_pixels(resized(from_pixels([picture]), size))[0]


class CardHistory:
    """By the numbers that its card has; what one of an older version lacks is measured on what it shows."""

    def __init__(self, path: Path, drc: DRC, option: str):
        with between(f"{option}: "):
            self.drc, self.card = drc, load(path)
        self.style = style_of(drc, self.card, f"{option} is '{path}', which")
        redrawn = self.card.drawn_again or not self.card.traits
        self.notes = [REDRAWN] if redrawn else [OLDER] if self.card.look is None else []

    @cached_property
    def whole(self) -> StyleCard:
        is_whole = self.card.look is not None and self.card.marks.shape[1] == len(MARKS)
        return self.card if is_whole else completed(self.card, self.drc)

    def look(self) -> Look:
        return self.whole.look

    def measured(self) -> list[Measured]:
        return [Measured(*one) for one in zip(self.whole.traits, self.whole.marks, strict=True)]

    def pictures(self, size: int) -> Iterator[np.ndarray]:
        return (of_size(one, size) for one in self.whole.thumbnails)


def completed(card: StyleCard, drc: DRC) -> StyleCard:
    """A card of an older version with all that it lacks: without pictures by those that its codes draw."""
    drawn = card.thumbnails is None or drc.lmm.draws_pixels
    squares = squares_of(card.codes, drc) if drawn else from_pixels(card.thumbnails)
    found = with_look(card, to_pixels(squares))
    if card.thumbnails is None:
        return with_pictures(found, squares)
    return replace(found, look=card.look or Look(palette_on(card), svg.GRID))


def palette_on(card: StyleCard) -> Palette:
    """Of the colours of its pictures, which stand in the order of their areas."""
    colours = [one.colours for one in card.traits]
    areas = [1 / np.arange(1, 1 + len(some)) for some in colours]
    flat = [
        has_flat_border(oklab_of_pixels(picture), some[0])
        for picture, some in zip(card.thumbnails, colours, strict=True)
    ]
    return joint_palette(colours, areas, flat)


@torch.no_grad()
def squares_of(codes: Tensor, drc: DRC) -> Tensor:
    """Of codes [n, N]: squares [n, 3, S, S]."""
    return torch.cat([drc.lmm.detokenize(some.to(drc.device)).cpu() for some in codes.split(PICTURES)])
