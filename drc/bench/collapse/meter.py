"""The collapse meter: style kept, meaning kept and copying as numbers from 0 to 1, and one verdict.

A score becomes a number by three points of a scale: what collapsed pictures of the benchmark usually show is 0, what
true ones show is 1, and the line between kept and lost is 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .likelihood import CollapseScores

BALANCED = "balanced, well drawn or not"
TO_STYLE, TO_REFERENCE = "collapsed to the style", "collapsed to the reference"
COPIES_REFERENCE, COPIES_HISTORY = "copies the reference", "copies the history"
NEITHER = "keeps neither"
LINE = 0.5
"""Where kept and lost meet on every scale."""


@dataclass(frozen=True)
class Scale:
    """Scores that are 0, 0.5 and 1."""

    lost: float
    line: float
    kept: float

    def __call__(self, values) -> np.ndarray:
        """Scores [n] -> 0..1 [n]"""
        return np.interp(np.asarray(values, float), (self.lost, self.line, self.kept), (0.0, LINE, 1.0))


@dataclass(frozen=True)
class Thresholds:
    """What `python scripts/fit_collapse.py --tests P1,P3` printed for the embedded model; another model has its own."""

    style: Scale = Scale(-0.228, -0.0156, 0.0987)
    meaning: Scale = Scale(-0.0968, -0.0245, 0.0891)
    copying: Scale = Scale(0.0, 0.713, 1.0)


@dataclass(frozen=True)
class Reading:
    """Of one picture: numbers from 0 to 1, and the verdict in words."""

    style: float
    meaning: float
    copying: float
    verdict: str

    @property
    def collapsed(self) -> bool:
        return self.verdict != BALANCED


def read(scores: CollapseScores, thresholds: Thresholds | None = None) -> list[Reading]:
    """One reading per picture."""
    thresholds = thresholds or Thresholds()
    style, meaning = thresholds.style(scores.style), thresholds.meaning(scores.meaning)
    of_reference = thresholds.copying(scores.copies_reference)
    of_history = thresholds.copying(scores.copies_history)
    numbers = zip(style.tolist(), meaning.tolist(), of_reference.tolist(), of_history.tolist(), strict=True)
    return [Reading(s, m, max(r, h), verdict(s, m, r, h)) for s, m, r, h in numbers]


def verdict(style: float, meaning: float, of_reference: float, of_history: float) -> str:
    """Of numbers from 0 to 1. A copy is called one whatever else it keeps."""
    if max(of_reference, of_history) > LINE:
        return COPIES_REFERENCE if of_reference >= of_history else COPIES_HISTORY
    if style >= LINE and meaning >= LINE:
        return BALANCED
    if style >= LINE:
        return TO_STYLE
    return TO_REFERENCE if meaning >= LINE else NEITHER


FALSE_ALARMS = tuple(percent / 200 for percent in range(1, 13))
"""Shares of true pictures that the lines may flag where they are fixed, of which the best is taken."""
COPYING, STYLE, MEANING = 0.1, 0.25, 0.65  # how the lines divide that share; meaning is the hardest to tell


def fit(
    true: CollapseScores, style_lost: CollapseScores, meaning_lost: CollapseScores, copied: CollapseScores
) -> Thresholds:
    """Thresholds from seeded cases: what true pictures show, and what those show that lost something or are copies.

    Lines that flag more miss less. The best ones make the greater of both errors as small as it can be.
    """
    copies = [-torch.maximum(each.copies_reference, each.copies_history) for each in (true, copied)]

    def lines(share: float) -> Thresholds:
        return Thresholds(
            style=scale(true.style, style_lost.style, STYLE * share),
            meaning=scale(true.meaning, meaning_lost.meaning, MEANING * share),
            copying=Scale(0.0, -line(*copies, COPYING * share), 1.0),
        )

    def error(thresholds: Thresholds) -> float:
        missed = [not one.collapsed for lost in (style_lost, meaning_lost) for one in read(lost, thresholds)]
        return max(rate(read(true, thresholds)), float(np.mean(missed)))

    return min(map(lines, FALSE_ALARMS), key=error)


def scale(kept, lost, false_alarms: float) -> Scale:
    kept, lost = np.asarray(kept, float), np.asarray(lost, float)
    middle = line(kept, lost, false_alarms)
    return Scale(min(float(np.median(lost)), middle), middle, max(float(np.median(kept)), middle))


def line(kept, lost, false_alarms: float) -> float:
    """Below it lie at most a share `false_alarms` of the kept and otherwise as many of the lost as can be.

    Of all values that do as well it is the middle.
    """
    kept, lost = np.sort(np.asarray(kept, float)), np.asarray(lost, float)
    top = kept[int(false_alarms * len(kept))]
    below = lost[lost < top]
    return float((below.max() + top) / 2) if len(below) else float(top)


def rate(readings: Sequence[Reading]) -> float:
    """Share of readings that say collapsed: detection on collapsed pictures, false alarms on true ones."""
    return float(np.mean([reading.collapsed for reading in readings]))
