"""What a benchmark asks: a history, a reference, and the true picture that a model should have drawn from them.

A domain knows its pictures, its tests and their cases. Every choice follows from hashes of names, so the lists are
fixed before any model is looked at, a shorter list is the beginning of the longer one, and so is a shorter history.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ...data.pictures import Picture, Pictures
from ...data.splits import order
from ...pixels import from_pixels

LONGEST = 16  # pictures of a history
NAME_IT = "name its folder with --data"  # what else there is to do about a build that is not found
HISTORIES = ("8", "1", "2", "4", "16", "noisy", "mixed")
"""How much of its history a model is shown; the first is the one that the tables are about. A number is that many
pictures. `noisy` are eight of which two are in styles of their own, `mixed` eight of which four are in one other style.
Both begin as the clean history does and are scored against its style. The shares are ours."""
SHARES = {"noisy": (6, 2), "mixed": (4, 4)}


@dataclass(frozen=True)
class Case:
    """Rows of a domain's pictures; `strays` and `others` are what noisy and mixed histories take in."""

    target: int
    reference: int
    history: tuple[int, ...]
    strays: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    def given(self, history: str) -> tuple[int, ...]:
        """The history as one of HISTORIES shows it."""
        if history in SHARES:
            own, foreign = SHARES[history]
            return self.history[:own] + {"noisy": self.strays, "mixed": self.others}[history][:foreign]
        return self.history[: int(history)]

    @property
    def rows(self) -> set[int]:
        return {self.target, self.reference, *self.history, *self.strays, *self.others}


def check_histories(histories: Iterable[str]) -> None:
    """ValueError for a history that is none."""
    for name in histories:
        if name not in SHARES and not (name.isdigit() and 1 <= int(name) <= LONGEST):
            raise ValueError(
                f"history {name} was asked for, expected a number of pictures from 1 to {LONGEST}, or "
                f"{' or '.join(SHARES)}; choose among them"
            )


def in_order(histories: Iterable[str]) -> list[str]:
    """Clean ones by their length, then the others."""
    histories = list(histories)
    clean = sorted((name for name in histories if name.isdigit()), key=int)
    return clean + [name for name in histories if not name.isdigit()]


class Domain:
    """All pictures that tests are made of, and the tests' cases and galleries.

    A domain gives `name`; `tests`, from their names to what they are; `reported`, those of a full report in its order;
    `open`, which reads what was built in a folder; and per test `targets`, `references`, `histories`, `gallery` and
    `facets`. It may give `foreign_styles`, without which no history is noisy or mixed, `rivals`, `caption` and
    `histories_shown`. `fingerprint` changes when pictures do. `ordinary` are the rows of pictures that nobody
    repainted, where there are such. Everything else follows: see `case`.
    """

    name: str
    tests: dict[str, str]
    reported: tuple[str, ...]
    is_drawn: bool = False
    """Whether its pictures have line widths, palettes and paddings that tell a hand, see `scores.hand`."""
    unindexed: frozenset[str] = frozenset()
    """Tests whose targets are by hands that are not in the index of drawings, see `drc.drawings`."""
    histories_shown: tuple[str, ...] = HISTORIES
    """Those of a full report; the first is what its tables are about."""

    def __init__(self, pictures: Pictures, fingerprint: str):
        self.pictures, self.fingerprint = pictures, fingerprint
        self.ordinary: Sequence[int] = range(len(pictures))

    @classmethod
    def open(cls, folder: Path) -> "Domain":
        """What a script built in a folder; ValueError, in one sentence that names the script, without it."""
        raise NotImplementedError

    def targets(self, test: str) -> list[int]:
        """True pictures, one for each case that a test could have."""
        raise NotImplementedError

    def references(self, test: str, target: int) -> list[int]:
        """The target's meaning in other styles; the reference is one of them."""
        raise NotImplementedError

    def histories(self, test: str, target: int, style: str) -> list[int]:
        """Pictures in a style, none of which shows what the target does; the history is some of them."""
        raise NotImplementedError

    def foreign_styles(self, test: str, target: int) -> list[str]:
        """Styles of others that may stray into the history."""
        return []

    def gallery(self, test: str) -> list[int]:
        """Every picture that what is drawn in a test is compared with: all its styles times all its meanings."""
        raise NotImplementedError

    def facets(self, target: int) -> dict[str, str]:
        """Where a case belongs in a report, such as {"family": "noto"}; the first facet is the one that is plotted."""
        raise NotImplementedError

    def rivals(self, target: int) -> dict[str, list[int]]:
        """Parts of a style and of a meaning, such as a font, each with the pictures that differ from the target in it
        alone; every part is scored apart."""
        return {}

    def caption(self, row: int) -> str:
        """What a picture shows in words, where that is known."""
        return ""

    def cases(self, test: str, limit: int) -> list[Case]:
        """The first `limit` cases of a test; ValueError, in one sentence, for a test that is not there."""
        if test not in self.tests:
            raise ValueError(f"test {test} was asked for, expected out of {', '.join(self.tests)}; choose among them")
        return [self.case(test, row) for row in self.asked(test, limit)]

    def asked(self, test: str, limit: int) -> list[int]:
        """The targets of the first `limit` cases."""
        return self.first(test, self.targets(test), limit)

    def case(self, test: str, target: int) -> Case:
        """Of all that it could show, what comes first by the hashes of names."""
        salt, style = f"{test} {self.name_of(target)}", self.record(target).style
        (reference,) = self.first(f"{salt} reference", self.references(test, target), 1)
        history = self.first(f"{salt} history", self.histories(test, target, style), LONGEST)
        foreign = sorted(self.foreign_styles(test, target), key=lambda name: order(f"{salt} foreign {name}"))
        strays, others = SHARES["noisy"][1], SHARES["mixed"][1]
        each = [self.first(f"{salt} foreign", self.histories(test, target, name), others) for name in foreign[:strays]]
        return Case(target, reference, tuple(history), tuple(rows[0] for rows in each), tuple(each[0] if each else ()))

    def record(self, row: int) -> Picture:
        return self.pictures.records[row]

    def name_of(self, row: int) -> str:
        return f"{self.record(row).style} {self.record(row).drawing}"

    @cached_property
    def by_style(self) -> dict[str, list[int]]:
        return self.grouped("style")

    @cached_property
    def by_meaning(self) -> dict[str, list[int]]:
        return self.grouped("meaning")

    def grouped(self, attribute: str, rows: Iterable[int] | None = None) -> dict[str, list[int]]:
        """Rows, all when left out, by what their records have for an attribute."""
        found = defaultdict(list)
        for row in range(len(self.pictures)) if rows is None else rows:
            found[getattr(self.record(row), attribute)].append(row)
        return found

    def images(self, rows: ArrayLike, device: torch.device | str = "cpu") -> Tensor:
        """Rows of any shape [...] -> pictures [..., 3, S, S] in 0..1."""
        rows = np.asarray(rows)
        return from_pixels(self.pictures.read(rows.ravel()), device).unflatten(0, rows.shape)

    def first(self, salt: str, rows: Iterable[int], count: int) -> list[int]:
        """The first `count` of the rows in the order of their names' hashes."""
        return sorted(rows, key=lambda row: order(f"{salt} {self.name_of(row)}"))[:count]

    def case_name(self, test: str, case: Case, history: Sequence[int]) -> str:
        """What a case shows, in words that are the same on every machine."""
        return " | ".join([test, *(self.name_of(row) for row in (case.target, case.reference, *history))])

    def seed(self, test: str, case: Case) -> int:
        """A case draws from the same random numbers whatever the model and the history."""
        return int(order(f"{test} {self.name_of(case.target)} seed")[:8], 16)
