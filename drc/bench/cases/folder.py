"""A user's own pictures as a domain: repainted, the true picture of every case is known, whatever was never drawn.

A repainting of all pictures of a style is a new style, whose history is every other picture in the same repainting; the
reference is the picture as it is. Where a table names meanings, pictures that two hands drew are a test of their own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from ...data.folder import Entry, ImageFolder, counted, read
from ...data.pictures import PROGRAM, Picture, Pictures
from ...data.repaint import FAMILIES, draw_repaints, repaint
from ...data.splits import order
from ...progress import OnPart, OnShare
from .domain import LONGEST, Case, Domain

REPAINTED, LABELLED = "R", "L"
STYLES = 12  # repaintings, one of each family
MOST = 48  # pictures of the folder that are taken
SEED = 2**40  # of the repaintings: far from what a training draws


class FolderDomain(Domain):
    """`size` is that of the pictures that a model reads; `on_picture(done, total)` is told of each that is read, and of
    each that is repainted, and `on_part()` is called often while one is read; both may raise to stop.

    Of a large folder whole styles are taken, as many as fit. ValueError, in one sentence, for a folder without a case.
    """

    name = "own pictures"
    tests = {
        REPAINTED: "your pictures, repainted",
        LABELLED: "your pictures, the same meaning by another hand",
    }

    def __init__(
        self,
        folder: ImageFolder,
        size: int,
        on_picture: OnShare | None = None,
        on_part: OnPart | None = None,
    ):
        on_picture = on_picture or (lambda done, total: None)
        taken = list(some_of(folder.entries))
        pictures = []
        for entry in taken:
            on_picture(len(pictures), 2 * len(taken))
            pictures.append(read(entry.path, size, on_part))
        entries, plain = without_doubles(taken, pictures)
        programs = draw_repaints(FAMILIES, STYLES, SEED)
        painted = np.empty((len(programs), *plain.shape), np.uint8)
        for row, picture in enumerate(plain):
            on_picture(len(taken) + row, 2 * len(taken))
            for program, views in zip(programs, painted, strict=True):
                views[row] = repaint(picture, program)
        own = [Picture(entry.style, entry.digest, entry.semantics or entry.digest) for entry in entries]
        styles = [f"{PROGRAM}{program.family} {program.seed}" for program in programs]
        records = [Picture(f"{style}/{one.style}", one.drawing, one.meaning) for style in styles for one in own]
        painted = painted.reshape(-1, *plain.shape[1:])
        parts = [(plain, np.arange(len(plain)), own), (painted, np.arange(len(painted)), records)]
        super().__init__(Pictures(parts), order(f"{folder.fingerprint} {size} {STYLES} {MOST}"))
        # All are ordinary: the scale of a judge needs more than a user's few.
        self.plain, self.painted = range(len(plain)), range(len(plain), len(self.pictures))
        self.labelled = {entry.semantics for entry in entries}
        self.reported = tuple(test for test in self.tests if self.targets(test))
        if not self.reported:
            raise ValueError(
                f"dataset holds {counted(len(folder.entries), 'picture')}, expected at least two in one style that "
                "show different things; add pictures"
            )

    def targets(self, test: str) -> list[int]:
        rows = self.painted if test == REPAINTED else self.plain
        return [row for row in rows if self.histories(test, row, self.record(row).style) and self.references(test, row)]

    def histories(self, test: str, target: int, style: str) -> list[int]:
        meaning = self.record(target).meaning
        return [row for row in self.by_style[style] if self.record(row).meaning != meaning]

    def references(self, test: str, target: int) -> list[int]:
        if test == REPAINTED:
            return [(target - len(self.plain)) % len(self.plain)]  # the same picture as it is
        record = self.record(target)
        if record.meaning not in self.labelled:
            return []
        same = [row for row in self.by_meaning[record.meaning] if row in self.plain]
        return [row for row in same if self.record(row).style != record.style]

    def cases(self, test: str, limit: int) -> list[Case]:
        if test not in self.reported:
            offered = ", ".join(self.reported)
            raise ValueError(f"test {test} was asked for, but this dataset has {offered}; choose among them")
        return super().cases(test, limit)

    def gallery(self, test: str) -> list[int]:
        """With the pictures as they are among the rivals, so that a copy is wrong."""
        return list(range(len(self.pictures)) if test == REPAINTED else self.plain)

    def facets(self, target: int) -> dict[str, str]:
        style = self.record(target).style
        return {"family": style.removeprefix(PROGRAM).split()[0]} if target in self.painted else {"style": style}


def some_of(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Style by style in the order of their names' hashes, of each as many as a case can show, MOST in all."""
    styles = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: order(entry.digest)):
        styles[entry.style].append(entry)
    room = MOST
    for style in sorted(styles, key=order):
        some = styles[style][: min(room, LONGEST + 1)]
        room -= len(some)
        yield from some


def without_doubles(entries: Sequence[Entry], pictures: Sequence[np.ndarray]) -> tuple[list[Entry], np.ndarray]:
    """Of pictures with the same pixels the first: of the others nobody could say which is the true one."""
    first = {picture.tobytes(): row for row, picture in reversed(list(enumerate(pictures)))}
    rows = sorted(first.values())
    return [entries[row] for row in rows], np.stack([pictures[row] for row in rows])
