"""Sets of real icons for whoever measures hands: which icons, their numbers, and what a model's codes make of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from drc.complete.report import Measured, measure
from drc.data.icons import Icons
from drc.model import DRC
from drc.pixels import from_pixels, to_pixels

FEWEST = {"train": 30, "val": 48, "test": 48}  # icons of a style that is used
STYLES = {"train": 2, "val": 2, "test": 9}  # of a family, at most
PICTURES = {"train": 28, "val": 28, "test": 46}  # of a style; 46 leave some beside a history of 40
CODED = 3  # of them that are drawn again from their codes


@dataclass(frozen=True)
class HandSet:
    """Icons of one style, and the first of them as the codes of a model hold them; none is blank."""

    style: str
    family: str
    colour: bool
    pictures: list[Measured]
    coded: list[Measured]

    @property
    def marks(self) -> np.ndarray:
        """[n, MARKS]"""
        return np.stack([one.marks for one in self.pictures])

    @property
    def changes(self) -> np.ndarray:
        """What codes change in the marks, [coded, MARKS]."""
        return np.stack([one.marks for one in self.coded]) - self.marks[: len(self.coded)]


def chosen(icons: Icons) -> list[tuple[str, np.ndarray]]:
    """Styles and rows of some of their pictures, the same in every run."""
    rows, families, random = {}, {}, np.random.default_rng(0)
    for (style, _), row in icons.rows.items():
        rows.setdefault(style, []).append(row)
    for style in sorted(rows):
        one = icons.styles[style]
        if len(rows[style]) >= FEWEST[one.split]:
            families.setdefault((one.split, one.family), []).append(style)
    found = []
    for (split, _), styles in families.items():
        for style in random.permutation(styles)[: STYLES[split]].tolist():
            found.append((style, random.permutation(rows[style])[: PICTURES[split]]))
    return found


def sets_of(icons: Icons, model: DRC, on_set: Callable[[int, int], None]) -> list[HandSet]:
    every, sets = chosen(icons), []
    for number, (style, rows) in enumerate(every, 1):
        images = np.stack([icons.images[row] for row in rows])
        pictures = [measure(image) for image in images]
        drawn = [measure(image) for image in through_codes(model, images[:CODED])]
        whole = not any(one.blank for one in (*pictures, *drawn))
        if whole:
            one = icons.styles[style]
            sets.append(HandSet(style, one.family, one.colour, pictures, drawn))
        on_set(number, len(every))
    return sets


@torch.inference_mode()
def through_codes(model: DRC, images: np.ndarray) -> np.ndarray:
    return to_pixels(model.lmm.detokenize(model.lmm.tokenize(from_pixels(images))))
