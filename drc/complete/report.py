"""Set report: every new icon's numbers against a history, what does not fit in words, and what to redraw first.

One number decides: how much likelier another hand is (`hands`), or, if that is more, how far one trait alone is. The
words come from `drc.traits`, the numbers that the benchmark has, too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..plots.canvas import label
from ..progress import OnPart
from ..style_card import MOST_PICTURES
from ..traits import WIDEST_LINE, Traits, departures, traits
from ..visible import LONGEST
from .hands import Hands, load_hands
from .marks import SIDE, marks
from .names import each_named

LINE = 2.0  # of a z-score; what is beyond is told in words
AWAY = 7.0  # of a z-score; beyond, nothing fits, however well the rest does. Two true icons in a hundred are
PICTURES = 8  # as many of a history count as what is known of the spread in other sets
FLOORS = {"stroke": 0.08, "weight": 0.1, "padding": 0.03, "corner": 0.02, "palette": 0.03, "colours": 0.4}
"""Spread of each trait within the middling set, which scripts/measure_set_report.py prints; of colours, which are the
same in most sets, what can just be seen and less than half a colour."""
TRAITS = tuple(FLOORS)
FITS, MISFITS, NOT_TOLD = "fits", "does not fit", "not told"


@dataclass(frozen=True)
class Measured:
    """All numbers of a picture; `marks` are nan where nothing is drawn."""

    traits: Traits
    marks: np.ndarray

    @property
    def blank(self) -> bool:
        return bool(np.isnan(self.marks).all())


@dataclass(frozen=True)
class Row:
    """What is known of one picture. `scores` are z-scores, nan where a trait cannot be read; above 0 of `misfit` it
    does not fit, it is inf where nothing is drawn, and nan where the picture is too small to tell. `words` say what
    stands out, the most first."""

    number: int
    name: str
    scores: dict[str, float]
    misfit: float
    words: tuple[str, ...]

    @property
    def verdict(self) -> str:
        return NOT_TOLD if math.isnan(self.misfit) else FITS if self.misfit <= 0 else MISFITS

    @property
    def told(self) -> str:
        return f"{self.verdict} ({self.misfit:+.1f})" if math.isfinite(self.misfit) else self.verdict

    @property
    def label(self) -> str:
        """What a picture calls it."""
        return label(self.name, self.number + 1)


@dataclass(frozen=True)
class Report:
    """`rows` in the order in which to redraw: the worst first. `history` is how many pictures were compared with."""

    rows: tuple[Row, ...]
    history: int
    notes: tuple[str, ...] = ()

    @property
    def redraw(self) -> list[str]:
        """Names of what does not fit, the worst first."""
        return [row.name for row in self.misfits]

    @property
    def misfits(self) -> list[Row]:
        """What does not fit, the worst first."""
        return [row for row in self.rows if row.verdict == MISFITS]

    @property
    def title(self) -> str:
        untold = sum(row.verdict == NOT_TOLD for row in self.rows)
        if untold == len(self.rows):
            return f"The pictures are too small to tell which fit the set of {self.history}: {SIDE} pixels or more tell"
        return f"{len(self.redraw)} of {len(self.rows)} do not fit the set of {self.history}"

    def text(self) -> str:
        return "\n".join((self.title, *self.notes, *map(line_of, self.rows)))


def measure(image: np.ndarray) -> Measured:
    """Of a picture uint8 [128, 128, 3]; ValueError for one of another size."""
    if image.shape != (SIDE, SIDE, 3):
        raise ValueError(f"a picture of the shape {list(image.shape)} cannot be measured, expected {[SIDE, SIDE, 3]}")
    return Measured(traits(image), marks(image))


def report(
    drawn: Sequence[Measured | None],
    history: Sequence[Measured],
    names: Sequence[str] | None = None,
    hands: Hands | None = None,
    on_row: OnPart = lambda: None,
) -> Report:
    """Pictures against those of a set, 1 to 200; None for one that is too small to be measured. `on_row` is called
    before each and may raise to stop.

    ValueError where the history has none or too many, or nothing drawn in any, and for another number of names.
    """
    names = numbered(names, len(drawn))
    kept = known(history)
    trait_scores = TraitScores([one.traits for one in kept], on_row)
    hands, marked = hands or load_hands(), np.stack([one.marks for one in kept])
    rows = []
    for number, (name, one) in enumerate(zip(names, drawn, strict=True)):
        on_row()
        if one is None:
            rows.append(Row(number, name, dict.fromkeys(TRAITS, math.nan), math.nan, ()))
            continue
        if one.blank:
            rows.append(Row(number, name, dict.fromkeys(TRAITS, math.nan), math.inf, ("nothing is drawn",)))
            continue
        scores, words = trait_scores.of(one.traits)
        misfit = max(float(hands.misfits(one.marks[None], marked)[0]), farthest(scores) - AWAY)
        if misfit > 0 and not words:
            words = (f"{strangest_group(hands, one.marks, marked)} unlike the set",)
        rows.append(Row(number, name, scores, misfit, words))
    rows.sort(key=lambda row: (row.verdict == NOT_TOLD, -row.misfit))
    return Report(tuple(rows), len(kept), notes_of(len(kept), len(history)))


def farthest(scores: dict[str, float]) -> float:
    return max(abs(score) for score in scores.values() if not math.isnan(score))


def notes_of(kept: int, given: int) -> tuple[str, ...]:
    """What limits a report, in words."""
    notes = []
    if kept < given:
        notes.append(f"{given - kept} of the {given} pictures of the history have nothing drawn and are left out")
    if kept == 1:
        notes.append("with one picture in the history, only other sets tell how far is far")
    return tuple(notes)


def strangest_group(hands: Hands, picture: np.ndarray, history: np.ndarray) -> str:
    """The group of marks by which a picture [MARKS] is least like a history [n, MARKS]."""
    ratios = hands.group_ratios(picture[None], history)
    return max(ratios, key=lambda name: ratios[name][0])


def numbered(names: Sequence[str] | None, count: int) -> list[str]:
    """The names of so many pictures, or numbers where there are none; ValueError for another number of them."""
    return each_named(names, count, f"images has {count} pictures", "give each a line", LONGEST)


def known_count(count: int) -> None:
    """ValueError for a history of another number of pictures than can be compared with."""
    if not 0 < count <= MOST_PICTURES:
        raise ValueError(f"history has {count} pictures, expected 1 to {MOST_PICTURES}; choose some of the set")


def known(history: Sequence[Measured]) -> list[Measured]:
    """Those of a history in which something is drawn."""
    known_count(len(history))
    kept = [one for one in history if not one.blank]
    if not kept:
        raise ValueError(f"history has nothing drawn in any of its pictures ({len(history)}); give pictures of the set")
    return kept


class TraitScores:
    """Traits against those of a history, as z-scores and in words."""

    def __init__(self, history: Sequence[Traits], on_row: OnPart = lambda: None):
        self.history, self.lines = history, float(np.mean([one.lines for one in history]))
        self.spreads = {trait: [] for trait in TRAITS}
        if len(history) > 1:
            for place, one in enumerate(history):
                on_row()
                for trait, value in departures(one, [*history[:place], *history[place + 1 :]]).items():
                    self.spreads[trait].append(value)

    def spread(self, trait: str) -> float:
        """Of a trait: how far each of the history is from the others, with what is known of other sets."""
        own = np.array(self.spreads[trait])
        own = own[~np.isnan(own)]
        return math.sqrt((PICTURES * FLOORS[trait] ** 2 + (own**2).sum()) / (PICTURES + len(own)))

    def of(self, picture: Traits) -> tuple[dict[str, float], tuple[str, ...]]:
        """z-scores, and words for those beyond LINE, the largest first."""
        found = departures(picture, self.history)
        scores = {trait: found[trait] / self.spread(trait) for trait in TRAITS}
        beyond = [trait for trait in TRAITS if abs(scores[trait]) >= LINE]
        beyond.sort(key=lambda trait: -abs(scores[trait]))
        words = [self.in_words(trait, found[trait], picture) for trait in beyond]
        if picture.lines and self.lines <= 0.1:
            words.append("drawn in lines, the set is filled")
        return scores, tuple(dict.fromkeys(words))

    def in_words(self, trait: str, far: float, picture: Traits) -> str:
        if trait == "stroke":
            in_lines = self.lines >= 0.9
            if in_lines and picture.stroke > WIDEST_LINE:
                return "filled, the set is drawn in lines"
            uneven = " and uneven" * (in_lines and not picture.lines)
            return f"stroke {percent(far)} {'thicker' if far > 0 else 'thinner'} than the set{uneven}"
        if trait == "weight":
            return f"covers {percent(far)} {'more' if far > 0 else 'less'} of the picture than the set"
        if trait == "padding":
            return f"sits {percent(far)} {'farther from' if far > 0 else 'nearer to'} the edge"
        if trait == "corner":
            return f"corners {'rounder' if far > 0 else 'sharper'} by {percent(far)} of the side"
        if trait == "colours":
            count = max(1, round(abs(far)))
            return f"{count} {'more' if far > 0 else 'fewer'} colour{'s' * (count > 1)} than the set"
        return "colours that the set does not have"


def percent(share: float) -> str:
    return f"{100 * abs(share):.0f} %" if abs(share) >= 0.0095 else f"{100 * abs(share):.1f} %"


def signed(score: float) -> str:
    """With its sign and one decimal, 0 as +0.0."""
    return f"{round(score, 1) + 0.0:+.1f}"


def line_of(row: Row) -> str:
    """A row as a line of text."""
    read = [f"{trait} {signed(score)}" for trait, score in row.scores.items() if not math.isnan(score)]
    unread = [trait for trait, score in row.scores.items() if math.isnan(score)]
    name = row.name if row.label == row.name else f"{row.name} ({row.label})"
    parts = [f"{name}: {row.told}"]
    parts += [", ".join(row.words)] if row.words else []
    parts += [f"z: {', '.join(read)}"] if read else []
    parts += [f"not read: {', '.join(unread)}"] if unread and read else []
    return "; ".join(parts)
