"""What a model is asked to draw: a history, a reference, and the true picture it should have drawn.

Every choice follows from hashes of names, so the lists are fixed before any model is looked at and a shorter list is
the beginning of the longer one.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..data.emoji import Emoji
from ..data.pictures import Picture, Pictures, emoji_part, restyled_part
from ..data.splits import TESTS as VENDOR_TESTS
from ..data.splits import Splits, order
from ..data.styles import STYLES

HISTORY = 6
PARTS = ("emoji", "test", "seen", "history", "val", "val_history")
DESCRIPTIONS = {
    "P3": "unseen program, unseen drawing",
    "P1": "unseen program, seen drawing",
    "T1": "real sets: seen style, seen meaning, unseen cell",
    "T2": "real sets: seen style, unseen meaning",
    "T3": "real sets: unseen style, seen meaning",
    "T4": "real sets: unseen style, unseen meaning",
    "V": "validation: as P3 with other programs and drawings, to choose settings by",
}
# test -> parts of the restyled drawings that targets and histories are from
PROCEDURAL = {"P3": ("test", "history"), "P1": ("seen", "history"), "V": ("val", "val_history")}
VENDOR = dict(zip(("T1", "T2", "T3", "T4"), VENDOR_TESTS, strict=True))


@dataclass(frozen=True)
class Case:
    """Rows of `Bench.pictures`."""

    target: int
    history: tuple[int, ...]
    reference: int


class Bench:
    """All pictures that tests are made of, and the tests' cases and galleries.

    `pictures` holds the clean emoji of all sets, then the restyled parts, in the order of PARTS.
    """

    def __init__(self, pictures: Pictures, splits: Splits):
        self.pictures, self.splits = pictures, splits
        bounds = pictures.starts.tolist()
        self.part = {name: range(*bounds[index : index + 2]) for index, name in enumerate(PARTS)}

    @classmethod
    def load(cls, data: Path) -> "Bench":
        """`data` is the folder that scripts/build_emoji.py and scripts/build_restyled.py wrote."""
        emoji, splits = Emoji(data), Splits.load()
        rows = [row for (_, code), row in emoji.rows.items() if code in splits.meaning_split]
        restyled = [restyled_part(data / "restyled" / name) for name in PARTS[1:]]
        return cls(Pictures([emoji_part(emoji, rows), *restyled]), splits)

    def record(self, row: int) -> Picture:
        return self.pictures.records[row]

    def name(self, row: int) -> str:
        return f"{self.record(row).style} {self.record(row).drawing}"

    def cases(self, test: str, limit: int) -> list[Case]:
        """The first `limit` cases of a test."""
        targets = self.part[PROCEDURAL[test][0]] if test in PROCEDURAL else self.vendor_targets(VENDOR[test])
        targets = sorted(targets, key=lambda row: order(f"{test} {self.name(row)}"))
        return [self.case(test, row) for row in targets[:limit]]

    def vendor_targets(self, test: str) -> list[int]:
        seen, split = VENDOR_TESTS[test]
        return [
            row
            for row in self.part["emoji"]
            if STYLES[self.record(row).style].seen == seen
            and self.record(row).meaning in self.splits.shared
            and self.splits.meaning_split[self.record(row).meaning] == split
            and (test != "cells" or self.splits.is_held_out(self.record(row).style, self.record(row).meaning))
        ]

    def case(self, test: str, target: int) -> Case:
        def first(purpose: str, rows: list[int], count: int) -> list[int]:
            return sorted(rows, key=lambda row: order(f"{test} {self.name(target)} {purpose} {self.name(row)}"))[:count]

        (reference,) = first("reference", self.references(test, target), 1)
        return Case(target, tuple(first("history", self.histories(test, target), HISTORY)), reference)

    def histories(self, test: str, target: int) -> list[int]:
        """Pictures in the target's style of training meanings, none near the target's."""
        cluster, split = self.splits.cluster, self.splits.meaning_split
        near, part = cluster[self.record(target).meaning], self.part[PROCEDURAL.get(test, ("", "emoji"))[1]]
        return [
            row
            for row in self.by_style[self.record(target).style]
            if row in part and split[self.record(row).meaning] == "train" and cluster[self.record(row).meaning] != near
        ]

    def references(self, test: str, target: int) -> list[int]:
        """The target's meaning as others draw it.

        Of a restyled drawing: half of the cases show the original, half the same drawing under another held-out
        program. Of an emoji: any set of another family that training may use.
        """
        record = self.record(target)
        if test in PROCEDURAL:
            same = [row for row in self.by_drawing[record.drawing] if row != target]
            original = int(order(f"{test} {self.name(target)} original"), 16) % 2 == 0
            return [row for row in same if row in self.part["emoji" if original else PROCEDURAL[test][0]]]
        family = STYLES[record.style].family
        styles = {name for name, style in STYLES.items() if style.seen and style.family != family}
        same = [row for row in self.by_meaning[record.meaning] if row in self.part["emoji"]]
        return [row for row in same if self.record(row).style in styles]

    def gallery(self, test: str) -> list[int]:
        """Every picture that the outputs of a test are compared with: all its styles times all its meanings."""
        if test in PROCEDURAL:
            return list(self.part[PROCEDURAL[test][0]])
        _, split = VENDOR_TESTS[VENDOR[test]]
        shared = {code for code in self.splits.shared if self.splits.meaning_split[code] == split}
        return [row for row in self.part["emoji"] if self.record(row).meaning in shared]

    @cached_property
    def by_style(self) -> dict[str, list[int]]:
        return self.grouped("style")

    @cached_property
    def by_drawing(self) -> dict[str, list[int]]:
        return self.grouped("drawing")

    @cached_property
    def by_meaning(self) -> dict[str, list[int]]:
        return self.grouped("meaning")

    def grouped(self, attribute: str) -> dict[str, list[int]]:
        rows = defaultdict(list)
        for row, record in enumerate(self.pictures.records):
            rows[getattr(record, attribute)].append(row)
        return rows
