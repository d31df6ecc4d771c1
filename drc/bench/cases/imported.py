"""Cases of the paper's own data as a domain: what `python -m drc.bench import` wrote of somebody's
pictures (METHOD.md, 8).

As Pigeon has it, the reference is the target's own picture. So a copy of it is the best answer there is, which the
report shows beside every model; a second test repaints the reference first, so that a copy is wrong.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...data import picture_file
from ...data.folder import is_inside
from ...data.pictures import PROGRAM, Picture, Pictures
from ...data.repaint import FAMILIES, draw_repaints, repaint
from ...data.splits import order
from .domain import Case, Domain
from .importers.collection import HISTORY, CaseList, ImportedCase, read_cases

SIZE = 128  # pixels along a side, as in the other domains
PROGRAMS = 12  # repaintings, one of each family
SEED = 2**41  # of the repaintings: far from what a training draws
REMEMBERED = 1024  # pictures in memory
AS_IT_IS = "as it is"  # the style of all that nobody repainted: a picture may be liked by several users
PARTS = {"test": "test", "repainted": "test", "validation": "validation"}


class ImportedDomain(Domain):
    """Rows are the pictures as they are, then the same repainted, each by a program that its name chooses.

    Pictures are read from where they lie. ValueError, in one sentence, for one that is not there.
    """

    name = "imported"
    tests = {
        "test": "imported cases, the reference is the true picture itself, as Pigeon has it",
        "repainted": "imported cases, the reference is the true picture repainted",
        "validation": "as test, with the cases of validation, to choose settings by",
    }
    reported = ("test", "repainted")
    histories_shown = (str(HISTORY),)

    def __init__(self, found: CaseList):
        self.imported = {part: [case for case in found.cases if case.part == part] for part in set(PARTS.values())}
        used = [case for cases in self.imported.values() for case in cases]
        names = sorted({name for case in used for name in (*case.history, case.target)})
        paths = [place_of(found.root, name) for name in names]
        self.texts, self.row_of = found.texts, {name: row for row, name in enumerate(names)}
        programs = draw_repaints(FAMILIES, PROGRAMS, SEED)
        chosen = [programs[int(order(name), 16) % PROGRAMS] for name in names]
        plain = [Picture(AS_IT_IS, name, name) for name in names]
        painted = [
            Picture(f"{PROGRAM}{program.family} {program.seed}", name, name)
            for program, name in zip(chosen, names, strict=True)
        ]
        files, rows = Files(paths), np.arange(len(names))
        parts = [(files, rows, plain), (Repainted(files, chosen), rows, painted)]
        sizes = " ".join(f"{name} {path.stat().st_size}" for name, path in zip(names, paths, strict=True))
        super().__init__(Pictures(parts), order(f"{sizes} {SIZE} {PROGRAMS}"))
        self.ordinary = range(len(names))

    @classmethod
    def open(cls, file: Path, root: Path | None = None) -> "ImportedDomain":
        """What `import` wrote with --out; `root` says where the pictures lie by now, if they have moved."""
        return cls(read_cases(file, root))

    def cases(self, test: str, limit: int) -> list[Case]:
        if test not in self.tests:
            return super().cases(test, limit)  # which says so
        asked = self.imported[PARTS[test]]
        if not asked:
            raise ValueError(f"the cases have none of {PARTS[test]}; import more pictures")
        found = [self.imported_case(test, case) for case in asked]
        found = sorted(dict.fromkeys(found), key=lambda case: order(self.case_name(test, case, case.history)))
        return found[:limit]

    def imported_case(self, test: str, case: ImportedCase) -> Case:
        target, reference = self.row_of[case.target], self.row_of[case.reference]
        if test == "repainted":
            reference += len(self.ordinary)
        return Case(target, reference, tuple(self.row_of[name] for name in case.history))

    def gallery(self, test: str) -> list[int]:
        """All true pictures of the test, as they are and repainted."""
        targets = sorted({self.row_of[case.target] for case in self.imported[PARTS[test]]})
        return targets + [row + len(self.ordinary) for row in targets]

    def facets(self, target: int) -> dict[str, str]:
        """By emotion, or the first genre."""
        text = self.text(target)
        return {"kind": text.get("emotion") or text.get("genres", "").split("|")[0] or "unknown"}

    def caption(self, row: int) -> str:
        text = self.text(row)
        return text.get("caption") or text.get("title") or ""

    def text(self, row: int) -> dict[str, str]:
        return self.texts.get(self.record(row).drawing, {})


def place_of(root: Path, name: str) -> Path:
    path = root / name
    if not is_inside(root, path):
        raise ValueError(f"the cases name '{name}', which is not below '{root}'; import the pictures again")
    if not path.is_file():
        raise ValueError(
            f"picture '{name}' of the cases is not in '{root}'; put it back, or name its folder with --pictures"
        )
    return path


class Files:
    """Pictures uint8 [SIZE, SIZE, 3] that are read where they are asked for."""

    def __init__(self, paths: Iterable[Path]):
        self.paths = list(paths)
        self.read = lru_cache(REMEMBERED)(self.read)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.read(int(row))

    def read(self, row: int) -> np.ndarray:
        return picture_file.read(self.paths[row], SIZE)


class Repainted:
    """The same pictures, each by its program."""

    def __init__(self, files: Files, programs: list):
        self.files, self.programs = files, programs
        self.paint = lru_cache(REMEMBERED)(self.paint)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.paint(int(row))

    def paint(self, row: int) -> np.ndarray:
        return repaint(self.files[row], self.programs[row])
