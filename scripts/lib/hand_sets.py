"""Sets of real icons for whoever measures hands: which icons, their numbers, what a model's codes make of them, and the
same sets in colours."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from drc.bench.cases.icons import COLOURED
from drc.complete.report import Measured, measure
from drc.data.colouring import draw_colouring
from drc.data.icons import Icons, IconStyle
from drc.model import DRC
from drc.pixels import from_pixels, to_pixels
from drc.progress import OnShare

FEWEST = {"train": 30, "val": 48, "test": 48}  # icons of a style that is used
STYLES = {"train": 2, "val": 2, "test": 9}  # of a family, at most
PICTURES = {"train": 28, "val": 28, "test": 46}  # of a style; 46 leave some beside a history of 40
CODED = 3  # of them that are drawn again from their codes
PAINTED, STRANGERS = 28, 24  # of a set in colours, and icons of other families in the same colours


@dataclass(frozen=True)
class HandSet:
    """Icons of one style, and the first of them as the codes of a model hold them; none is blank. `strangers` are icons
    of other families that could be taken for its own by their colours."""

    style: str
    family: str
    colour: bool
    pictures: list[Measured]
    coded: list[Measured] = field(default_factory=list)
    strangers: list[Measured] = field(default_factory=list)

    @property
    def marks(self) -> np.ndarray:
        """[n, MARKS]"""
        return np.stack([one.marks for one in self.pictures])

    @property
    def strange(self) -> np.ndarray:
        """[strangers, MARKS]"""
        return np.stack([one.marks for one in self.strangers])

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


def sets_of(
    icons: Icons,
    model: DRC,
    on_set: OnShare,
    wanted: Callable[[IconStyle], bool] = lambda style: True,
) -> list[HandSet]:
    every, sets = [pair for pair in chosen(icons) if wanted(icons.styles[pair[0]])], []
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


def painted_sets(icons: Icons, on_set: OnShare, unseen: bool) -> list[HandSet]:
    """One-colour sets in the colours of their twins in the benchmark, with strangers in the same colours: every one
    that training never saw, or one of each other family."""
    every = [pair for pair in chosen(icons) if (one := icons.styles[pair[0]]).unseen == unseen and not one.colour]
    if not unseen:
        every = list({icons.styles[pair[0]].family: pair for pair in reversed(every)}.values())[::-1]
    sets = []
    for number, (style, rows) in enumerate(every, 1):
        one, random = icons.styles[style], np.random.default_rng(number)
        colouring = draw_colouring(np.random.default_rng(list(f"{style}{COLOURED}".encode())), one.tones)
        others = [row for name, some in every if icons.styles[name].family != one.family for row in some]
        rows = [*rows[:PAINTED], *random.permutation(others)[:STRANGERS]]
        found = [measure(picture) for picture in colouring.paint(np.stack([icons.images[row] for row in rows]))]
        if not any(picture.blank for picture in found):
            sets.append(HandSet(style, one.family, True, found[:PAINTED], strangers=found[PAINTED:]))
        on_set(number, len(every))
    return sets
