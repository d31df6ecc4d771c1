"""The icon matrix as a domain: real hands, who draw the same meanings each in their own way.

Every family asks as often as every other, whatever it draws: the first case of each comes before the second of any.
Hands that training never saw all draw in one colour. Each asks twice, as it is and as it would look in colours of its
own, so that there are coloured targets, too; the colours are ours and the same on every machine.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...data.built import IconMatrix, require_built
from ...data.colouring import Painted, draw_colouring
from ...data.icons import FILES, Icons, IconStyle, is_held_out
from ...data.pictures import Picture, Pictures
from ...data.splits import order
from ...files import file_hash
from .domain import LONGEST, NAME_IT, Domain

T = TypeVar("T")
TESTS = {
    "I1": ("train", "train"),
    "I2": ("train", "test"),
    "I3": ("test", "train"),
    "I4": ("test", "test"),
    "IV": ("val", "val"),
}
"""Test to the splits of hand and meaning."""
COLOURED = " in colours"  # ends the name of a one-colour hand's twin


class IconDomain(Domain):
    """`pictures` holds what the designers drew; `icons` tells of hands and meanings."""

    name = "icons"
    tests = {
        "I1": "seen hand, seen meaning, unseen cell",
        "I2": "seen hand, unseen meaning",
        "I3": "unseen hand, seen meaning",
        "I4": "unseen hand, unseen meaning",
        "IV": "validation: as I4 with other hands and meanings, to choose settings by",
    }
    reported = ("I1", "I2", "I3", "I4")
    unindexed = frozenset(name for name, (hand, _) in TESTS.items() if hand != "train")
    is_drawn = True

    def __init__(self, icons: Icons, fingerprint: str = ""):
        rows = np.array(list(icons.rows.values()))
        cells = [icons.cells[row] for row in rows]
        records = [Picture(cell.style, f"{cell.style}/{cell.meaning}", cell.meaning) for cell in cells]
        self.icons, self.hands = icons, icons.styles | coloured_hands(icons)
        super().__init__(Pictures([(icons.images, rows, records), self.painted(rows)]), fingerprint)

    def painted(self, rows: np.ndarray) -> tuple[Painted, np.ndarray, list[Picture]]:
        """The pictures of the coloured twins, as a part of Pictures."""
        names = {row: self.icons.cells[row].style + COLOURED for row in rows.tolist()}
        names = {row: name for row, name in names.items() if name in self.hands}
        colourings = {
            name: draw_colouring(np.random.default_rng(list(name.encode())), self.hands[name].tones)
            for name in set(names.values())
        }
        meanings = {row: self.icons.cells[row].meaning for row in names}
        records = [Picture(name, f"{name}/{meanings[row]}", meanings[row]) for row, name in names.items()]
        painted = Painted(self.icons.images, {row: colourings[name] for row, name in names.items()})
        return painted, np.array(list(names), int), records

    @classmethod
    def open(cls, folder: Path) -> "IconDomain":
        """What scripts/build_icons.py wrote below a folder; ValueError, in one sentence, without it."""
        require_built(IconMatrix.source, folder, IconMatrix.files, NAME_IT)
        folder = folder / "icons"
        return cls(Icons(folder), file_hash(folder / FILES[0]))

    def hand(self, row: int) -> IconStyle:
        return self.hands[self.record(row).style]

    @cached_property
    def meanings(self) -> dict[str, set[str]]:
        """Split to the meanings that tests ask for: of those of training as many as there are to test, by hash."""
        of = defaultdict(list)
        for meaning, split in self.icons.meaning_split.items():
            of[split].append(meaning)
        some = sorted(of["train"], key=lambda meaning: order(f"asked {meaning}"))[: len(of["test"])]
        return {"train": set(some), "val": set(of["val"]), "test": set(of["test"])}

    def targets(self, test: str) -> list[int]:
        hand, split = TESTS[test]
        found = []
        for row in self.rows_of(split):
            style, meaning = self.hand(row), self.record(row).meaning
            kept_back = test != "I1" or is_held_out(style.family, meaning)
            if style.split == hand and kept_back and self.is_asked(test, row):
                found.append(row)
        return found

    def asked(self, test: str, limit: int) -> list[int]:
        """Targets in turns by family."""
        turns = defaultdict(list)
        for row in self.first(test, targets := self.targets(test), len(targets)):
            turns[self.hand(row).family].append(row)
        return in_turns(turns.values())[:limit]

    def is_asked(self, test: str, row: int) -> bool:
        """Whether a case can be made of a target: a reference, and a history as long as any."""
        return bool(self.references(test, row)) and len(self.histories(test, row, self.record(row).style)) >= LONGEST

    def references(self, test: str, target: int) -> list[int]:
        """The target's meaning by the hands of training, of another family."""
        family = self.hand(target).family
        same = self.by_meaning[self.record(target).meaning]
        return [row for row in same if self.hand(row).split == "train" and self.hand(row).family != family]

    def histories(self, test: str, target: int, style: str) -> list[int]:
        """Pictures of training meanings in a style, none of which is part of the target's meaning or the reverse."""
        words = set(self.record(target).meaning.split())
        found = []
        for row in self.by_style[style]:
            others = set(self.record(row).meaning.split())
            if (
                self.icons.meaning_split[self.record(row).meaning] == "train"
                and not words <= others
                and not others <= words
            ):
                found.append(row)
        return found

    def foreign_styles(self, test: str, target: int) -> list[str]:
        """Those of other families with the same split."""
        hand = self.hand(target)
        styles = self.hands.values()
        return [one.name for one in styles if one.split == hand.split and one.family != hand.family]

    def gallery(self, test: str) -> list[int]:
        return self.rows_of(TESTS[test][1])

    def rows_of(self, split: str) -> list[int]:
        """All pictures of the meanings that tests ask for."""
        return [row for meaning in sorted(self.meanings[split]) for row in self.by_meaning[meaning]]

    def facets(self, target: int) -> dict[str, str]:
        hand = self.hand(target)
        return {"family": hand.family, "colour": "colour" if hand.colour else "one colour"}

    def caption(self, row: int) -> str:
        return self.record(row).meaning


def in_turns(families: Iterable[Sequence[T]]) -> list[T]:
    """The first of each, then the second of each, as far as they have one."""
    return [one for turn in zip_longest(*families) for one in turn if one is not None]


def coloured_hands(icons: Icons) -> dict[str, IconStyle]:
    """The twins of one-colour hands that training leaves out."""
    plain = (style for style in icons.styles.values() if style.split != "train" and not style.colour)
    return {style.name + COLOURED: replace(style, name=style.name + COLOURED, colour=True) for style in plain}
