"""What one training step sees, drawn from nothing but (seed, step).

Exact pairs come from procedural styles (the same drawing under two programs, two drawings under one program), the rest
from the emoji sets, where another vendor's drawing has the same meaning but other lines.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data.pictures import Picture


class Index:
    """Rows by style, and for each row the rows that may stand in for its meaning in another style."""

    def __init__(self, records: list[Picture], cluster: dict[str, str], family: dict[str, str]):
        self.style = np.array([record.style for record in records])
        self.cluster = np.array([cluster[record.meaning] for record in records])
        self.procedural = np.flatnonzero(np.char.startswith(self.style, "program/"))
        self.vendor = np.flatnonzero(~np.char.startswith(self.style, "program/"))
        self.of_style, of_drawing, of_meaning = defaultdict(list), defaultdict(list), defaultdict(list)
        for row, record in enumerate(records):
            self.of_style[record.style].append(row)
            of_drawing[record.drawing].append(row)
            if record.style in family:
                of_meaning[record.meaning].append(row)
        self.of_style = {style: np.array(rows) for style, rows in self.of_style.items()}
        self.same_meaning = []
        for row, record in enumerate(records):
            if record.style in family:  # another vendor's drawing; a sibling of the family would give the lines away
                others = [r for r in of_meaning[record.meaning] if family[records[r].style] != family[record.style]]
            else:
                others = [r for r in of_drawing[record.drawing] if r != row]
            self.same_meaning.append(np.array(others, dtype=np.int64))
        self.procedural = self.procedural[[len(self.same_meaning[row]) > 0 for row in self.procedural]]
        self.vendor = self.vendor[[len(self.same_meaning[row]) > 0 for row in self.vendor]]

    def targets(self, random: np.random.Generator, count: int, vendor_share: float) -> np.ndarray:
        vendor = random.random(count) < vendor_share
        rows = np.empty(count, dtype=np.int64)
        for chosen, pool in ((vendor, self.vendor), (~vendor, self.procedural)):
            if chosen.any():
                rows[chosen] = random.choice(pool, chosen.sum())
        return rows

    def others_of_style(self, random: np.random.Generator, row: int, count: int) -> np.ndarray:
        """`count` pictures of the row's style, none of its meaning's cluster."""
        rows = self.of_style[self.style[row]]
        rows = rows[self.cluster[rows] != self.cluster[row]]
        return random.choice(rows, count, replace=len(rows) < count)

    def other_of_meaning(self, random: np.random.Generator, row: int) -> int:
        return random.choice(self.same_meaning[row])


@dataclass(frozen=True)
class Batch:
    """Codes of target [B, N], history [B, n, N], reference and its second view [B, N], text ids [B, T]."""

    target: Tensor
    history: Tensor
    reference: Tensor
    partner: Tensor
    text: Tensor


class Batches:
    """Triplets for stage 1 and personalisation cases for stage 2 over a table of codes.

    codes [M, 2, N]: every picture and its mirror image; index over the same rows; text ids [M', V, T] in V wordings,
    of which picture i takes row text_row[i].
    """

    def __init__(
        self,
        codes: Tensor,
        index: Index,
        text: Tensor,
        text_row: Tensor,
        batch: int,
        vendor_share: float,
        seed: int,
        device: torch.device | str = "cpu",
    ):
        self.device = device
        self.codes, self.index, self.text, self.text_row = codes, index, text, text_row
        self.batch, self.vendor_share, self.seed = batch, vendor_share, seed

    def triplets(self, step: int, times: int = 1) -> Batch:
        """Anchor (target), one positive-style picture (history) and one positive-semantic picture (reference).

        The batch is `times` as large as usual.
        """
        random = np.random.default_rng((self.seed, 1, step))
        return self.draw(random, 1, second_view=0.0, times=times)

    def personal(self, step: int, history: int = 6, times: int = 1) -> Batch:
        """Target, 1 to `history` pictures of its style, and a reference seen twice in two styles half of the time."""
        random = np.random.default_rng((self.seed, 2, step))
        return self.draw(random, int(random.integers(1, history + 1)), second_view=0.5, times=times)

    def draw(self, random: np.random.Generator, history: int, second_view: float, times: int = 1) -> Batch:
        index, count = self.index, self.batch * times
        target = index.targets(random, count, self.vendor_share)
        histories = np.stack([index.others_of_style(random, row, history) for row in target])
        reference = np.array([index.other_of_meaning(random, row) for row in target])
        partner = np.array([index.other_of_meaning(random, row) for row in target])
        partner = np.where(random.random(count) < second_view, partner, reference)
        side = torch.from_numpy(random.integers(0, 2, count))  # one side for all pictures of a case
        pick = lambda rows: self.codes[torch.from_numpy(rows), side.view(-1, *[1] * (rows.ndim - 1))].long()  # noqa: E731
        wording = torch.from_numpy(random.integers(0, self.text.shape[1], count))
        text = self.text[self.text_row[torch.from_numpy(target)], wording]
        return Batch(
            *(t.to(self.device) for t in (pick(target), pick(histories), pick(reference), pick(partner), text))
        )
