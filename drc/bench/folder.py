"""A user's own pictures as a domain: repainted, the true picture of every case is known, whatever was never drawn.

A repainting of all pictures of a user is a new user, whose history is every other picture in the same repainting; the
reference is the picture as it is. Where a table names meanings, pictures that two hands drew are a test of their own.
"""

from collections.abc import Sequence

import numpy as np

from ..data.folder import Entry, ImageFolder, read
from ..data.pictures import PROGRAM, Picture, Pictures
from ..data.repaint import FAMILIES, draw_repaints, repaint
from ..data.splits import order
from .domain import LONGEST, Case, Domain

REPAINTED, LABELLED = "R", "L"
STYLES = 12  # repaintings, one of each family
MOST = 48  # pictures of the folder that are taken
SEED = 2**40  # of the repaintings: far from what a training draws


class FolderDomain(Domain):
    """`size` is that of the pictures that a model reads. ValueError, in one sentence, for a folder that has no case."""

    name = "own pictures"
    tests = {
        REPAINTED: "your pictures, repainted",
        LABELLED: "your pictures, the same meaning by another hand",
    }

    def __init__(self, folder: ImageFolder, size: int):
        entries = sorted(folder.entries, key=lambda entry: order(entry.digest))[:MOST]
        programs = draw_repaints(FAMILIES, STYLES, SEED)
        plain = np.stack([read(entry.path, size) for entry in entries])
        painted = np.stack([repaint(picture, program) for program in programs for picture in plain])
        own = [picture_of(entry, entry.style) for entry in entries]
        styles = [f"{PROGRAM}{program.family} {program.seed}" for program in programs]
        records = [picture_of(entry, f"{style}/{entry.style}") for style in styles for entry in entries]
        parts = [(plain, np.arange(len(plain)), own), (painted, np.arange(len(painted)), records)]
        super().__init__(Pictures(parts), order(f"{folder.fingerprint} {size} {STYLES} {MOST}"))
        self.ordinary = range(len(entries))
        self.painted = range(len(entries), len(self.pictures))
        self.by_style, self.by_meaning = self.grouped("style"), self.grouped("meaning")
        self.reported = tuple(test for test in self.tests if self.targets(test))
        if not self.reported:
            raise ValueError(
                f"dataset holds {len(folder.entries)} pictures and no two of one user that show different things; add "
                "pictures"
            )

    def targets(self, test: str) -> list[int]:
        return [row for row in self.pool(test) if self.history(row) and self.references(test, row)]

    def history(self, target: int) -> list[int]:
        """Pictures in the target's style that show something else."""
        record = self.record(target)
        return [row for row in self.by_style[record.style] if self.record(row).meaning != record.meaning]

    def references(self, test: str, target: int) -> list[int]:
        if test == REPAINTED:
            return [(target - len(self.ordinary)) % len(self.ordinary)]  # the same picture as it is
        record = self.record(target)
        same = [row for row in self.by_meaning[record.meaning] if row in self.ordinary]
        return [row for row in same if self.record(row).style != record.style]

    def cases(self, test: str, limit: int) -> list[Case]:
        if test not in self.reported:
            offered = ", ".join(self.reported)
            raise ValueError(f"test {test} was asked for, but this dataset has {offered}; choose among them")
        return [self.case(test, row) for row in self.first(test, self.targets(test), limit)]

    def case(self, test: str, target: int) -> Case:
        salt, style = f"{test} {self.name_of(target)}", self.record(target).style
        (reference,) = self.first(f"{salt} reference", self.references(test, target), 1)
        history = self.first(f"{salt} history", self.history(target), LONGEST)
        meaning = self.record(target).meaning
        foreign = [row for row in self.pool(test) if self.record(row).style != style]
        strays = self.first(f"{salt} foreign", (row for row in foreign if self.record(row).meaning != meaning), LONGEST)
        return Case(target, reference, tuple(history), tuple(strays), tuple(strays))

    def pool(self, test: str) -> Sequence[int]:
        return self.painted if test == REPAINTED else self.ordinary

    def gallery(self, test: str) -> list[int]:
        """With the pictures as they are among the rivals, so that a copy is wrong."""
        return list(range(len(self.pictures)) if test == REPAINTED else self.ordinary)

    def facets(self, target: int) -> dict[str, str]:
        style = self.record(target).style
        return {"family": style.removeprefix(PROGRAM).split()[0]} if target in self.painted else {"style": style}


def picture_of(entry: Entry, style: str) -> Picture:
    return Picture(style, entry.digest, entry.semantics or entry.digest)
