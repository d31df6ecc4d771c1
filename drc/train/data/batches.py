"""What one training step sees, drawn from nothing but (seed, step).

Exact pairs come from repainted pictures (the same drawing under two programs, two drawings under one program), the rest
from pictures as they are, where another hand's drawing of the same meaning has other lines.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data.pictures import AUGMENTED, PROGRAM, Picture
from ..config import SECOND_VIEW


class Index:
    """Rows by style, and for each row the rows that may stand in for its meaning in another style.

    cluster: near-duplicates of a meaning share one; a history never shows the target's.
    family: styles of one hand; where a style has one, meanings are looked up by name in other families, else only
        other paintings of the very drawing count.
    targets: the rows that may be targets; all when left out.
    neighbours: for a row the rows to take for its style in place of its style's.
    """

    def __init__(
        self,
        records: list[Picture],
        cluster: dict[str, str],
        family: dict[str, str],
        targets: np.ndarray | None = None,
        neighbours: dict[int, np.ndarray] | None = None,
    ):
        self.style = np.array([record.style for record in records])
        self.cluster = numbered(cluster[record.meaning] for record in records)
        # A picture of no family is of a hand of its own.
        self.hand = numbered(family.get(record.style, row) for row, record in enumerate(records))
        self.neighbours = neighbours or {}
        self.of_style = grouped(record.style for record in records)
        of_drawing = grouped(record.drawing for record in records)
        of_meaning = grouped(record.meaning if record.style in family else None for record in records)
        of_hand = Counter((record.meaning, family[record.style]) for record in records if record.style in family)
        self.alike, self.others = [], []  # the rows that show the same, and how many of them are another hand's
        for record in records:
            known = record.style in family
            rows = of_meaning[record.meaning] if known else of_drawing[record.drawing]
            self.alike.append(rows)
            self.others.append(len(rows) - (of_hand[record.meaning, family[record.style]] if known else 1))
        self.clusters = {style: len(np.unique(self.cluster[rows])) for style, rows in self.of_style.items()}
        rows = np.arange(len(records)) if targets is None else targets
        rows = rows[[self.is_complete(row) for row in rows]]
        repainted = np.char.startswith(self.style[rows], PROGRAM)
        self.repainted, self.own = rows[repainted], rows[~repainted]

    def is_complete(self, row: int) -> bool:
        """Whether the row has all that a target needs: others of its style and of its meaning."""
        if self.style[row].startswith(AUGMENTED) or self.others[row] == 0:
            return False
        if row in self.neighbours:
            return len(self.neighbours[row]) > 0
        return self.clusters[self.style[row]] > 1

    def targets(self, random: np.random.Generator, count: int, own_share: float) -> np.ndarray:
        own = random.random(count) < own_share
        rows = np.empty(count, dtype=np.int64)
        for chosen, pool in ((own, self.own), (~own, self.repainted)):
            if chosen.any():
                rows[chosen] = random.choice(pool, chosen.sum())
        return rows

    def others_of_style(self, random: np.random.Generator, row: int, count: int) -> np.ndarray:
        """`count` pictures of the row's style, none of its meaning's cluster."""
        if row in self.neighbours:
            rows = self.neighbours[row]
        else:
            rows = self.of_style[self.style[row]]
            rows = rows[self.cluster[rows] != self.cluster[row]]
        return random.choice(rows, count, replace=len(rows) < count)

    def other_of_meaning(self, random: np.random.Generator, row: int) -> int:
        """A picture that shows the same, by another hand: a sibling of its family would give the lines away."""
        rows = self.alike[row]
        return random.choice(rows[self.hand[rows] != self.hand[row]])


def numbered(keys: Iterable[Hashable]) -> np.ndarray:
    """The same number for the same key: comparing numbers is quick."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def grouped(keys: Iterable[Hashable]) -> dict[Hashable, np.ndarray]:
    """Key -> the rows that have it, in order."""
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return {key: np.array(its) for key, its in rows.items()}


@dataclass(frozen=True)
class BatchCodes:
    """Codes of target [B, N], history [B, n, N], reference and its second view [B, N], text ids [B, T]."""

    target: Tensor
    history: Tensor
    reference: Tensor
    second_view: Tensor
    text: Tensor


@dataclass(frozen=True)
class BatchRows:
    """Rows of pictures: target, reference and its second view [B], history [B, n]; side [B] is 1 where mirrored."""

    target: np.ndarray
    history: np.ndarray
    reference: np.ndarray
    second_view: np.ndarray
    side: np.ndarray
    wording: np.ndarray


class Batches:
    """Triplets for stage 1 and personalisation cases for stage 2 over a table of codes.

    codes [M, 2, N]: every picture and its mirror image; index over the same rows; text ids [M', V, T] in V wordings,
    of which picture i takes row text_row[i]. second_view_share: how often a reference is seen twice, in two styles;
    mirrored: whether half of the cases are mirror images.
    """

    def __init__(
        self,
        codes: Tensor,
        index: Index,
        text: Tensor,
        text_row: Tensor,
        batch: int,
        own_share: float,
        seed: int,
        second_view_share: float = SECOND_VIEW,
        mirrored: bool = True,
    ):
        self.codes, self.index, self.text, self.text_row = codes, index, text, text_row
        self.batch, self.seed, self.second_view_share, self.mirrored = batch, seed, second_view_share, mirrored
        self.own_share = own_share_of(index, own_share)

    def triplets(self, step: int, times: int = 1) -> BatchCodes:
        """Anchor (target), one positive-style picture (history) and one positive-semantic picture (reference).

        The batch is `times` as large as usual.
        """
        random = np.random.default_rng((self.seed, 1, step))
        return self.codes_of(self.rows(random, times, 1, 0.0))

    def personal(self, step: int, history: int = 6, times: int = 1) -> BatchCodes:
        """Target, 1 to `history` pictures of its style, and a reference, now and then seen twice in two styles."""
        random = np.random.default_rng((self.seed, 2, step))
        length = int(random.integers(1, history + 1))
        return self.codes_of(self.rows(random, times, length, self.second_view_share))

    def rows(self, random: np.random.Generator, times: int, history: int, second_view_share: float) -> BatchRows:
        count, wordings = self.batch * times, self.text.shape[1]
        return draw_rows(self.index, random, count, history, second_view_share, self.own_share, wordings, self.mirrored)

    def codes_of(self, rows: BatchRows) -> BatchCodes:
        side = torch.from_numpy(rows.side)

        def codes(pictures: np.ndarray) -> Tensor:
            return self.codes[torch.from_numpy(pictures), side.view(-1, *[1] * (pictures.ndim - 1))].long()

        text = self.text[self.text_row[torch.from_numpy(rows.target)], torch.from_numpy(rows.wording)]
        return BatchCodes(codes(rows.target), codes(rows.history), codes(rows.reference), codes(rows.second_view), text)


def own_share_of(index: Index, wished: float) -> float:
    """The share of targets that are pictures as they are; all or none of them where one kind is missing."""
    if len(index.own) == 0:
        return 0.0
    return wished if len(index.repainted) else 1.0


def draw_rows(
    index: Index,
    random: np.random.Generator,
    count: int,
    history: int,
    second_view_share: float,
    own_share: float,
    wordings: int = 1,
    mirrored: bool = True,
) -> BatchRows:
    """`count` cases with `history` pictures each; one side of the mirror for all pictures of a case."""
    target = index.targets(random, count, own_share)
    histories = np.stack([index.others_of_style(random, row, history) for row in target])
    reference = np.array([index.other_of_meaning(random, row) for row in target])
    second_view = np.array([index.other_of_meaning(random, row) for row in target])
    second_view = np.where(random.random(count) < second_view_share, second_view, reference)
    side = random.integers(0, 2, count) * mirrored  # drawn in any case, so that all else stays the same
    return BatchRows(target, histories, reference, second_view, side, random.integers(0, wordings, count))
