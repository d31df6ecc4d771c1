"""Emoji as a domain: procedural styles, whose true pictures are exact, and the sets of real vendors."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from ...data.built import EmojiBenchmark, require_built
from ...data.emoji import Emoji
from ...data.pictures import PROGRAM, Picture, Pictures, emoji_part, restyled_part
from ...data.splits import TESTS as VENDOR_TESTS
from ...data.splits import Splits, order
from ...data.styles import STYLES
from ...files import file_hash, read_bounded
from .domain import LONGEST, NAME_IT, Case, Domain

RESTYLED = ("test", "seen", "history", "val", "val_history", "known", "train")
# test -> parts of the restyled drawings that targets and histories are from
PROCEDURAL = {
    "P1": ("seen", "history"),
    "P2": ("known", "train"),
    "P3": ("test", "history"),
    "V": ("val", "val_history"),
}
VENDOR = dict(zip(("T1", "T2", "T3", "T4"), VENDOR_TESTS, strict=True))


class EmojiDomain(Domain):
    """`pictures` holds the clean emoji of all sets, then the restyled parts that are built, in the order of RESTYLED.

    `families` are those of the programs, by style; `groups` are the CLDR groups of the meanings.
    """

    name = "emoji"
    tests = {
        "P1": "unseen program, seen drawing",
        "P2": "seen program, unseen drawing",
        "P3": "unseen program, unseen drawing",
        "T1": "real sets: seen style, seen meaning, unseen cell",
        "T2": "real sets: seen style, unseen meaning",
        "T3": "real sets: unseen style, seen meaning",
        "T4": "real sets: unseen style, unseen meaning",
        "V": "validation: as P3 with other programs and drawings, to choose settings by",
    }

    def __init__(
        self,
        parts: dict[str, tuple[np.ndarray, np.ndarray, list[Picture]]],
        splits: Splits,
        families: dict[str, str],
        groups: dict[str, str],
        fingerprint: str = "",
    ):
        super().__init__(Pictures(list(parts.values())), fingerprint)
        self.splits, self.families, self.groups = splits, families, groups
        bounds = self.pictures.starts.tolist()
        self.part = {name: range(*bounds[index : index + 2]) for index, name in enumerate(parts)}
        self.ordinary = self.part["emoji"]
        self.reported = tuple(test for test in self.tests if test != "V" and not self.missing(test))

    @classmethod
    def open(cls, folder: Path) -> "EmojiDomain":
        """What scripts/build_emoji.py and scripts/build_restyled.py wrote; ValueError, in one sentence, without the
        first, and where a test needs it without the second."""
        script = "build_emoji"
        require_built(EmojiBenchmark.source, folder, {script: EmojiBenchmark.files[script]}, NAME_IT)
        emoji, splits, families = Emoji(folder), Splits.load(), {}
        rows = [row for (_, code), row in emoji.rows.items() if code in splits.meaning_split]
        parts, files = {"emoji": emoji_part(emoji, rows)}, [folder / "emoji.json"]
        for name in RESTYLED:
            plan = folder / "restyled" / name / "restyled.json"
            if plan.is_file():
                files.append(plan)
                parts[name] = restyled_part(plan.parent)
                programs = json.loads(read_bounded(plan))["programs"]
                families |= {f"{PROGRAM}{program['seed']}": program["family"] for program in programs}
        parts = without_unneeded(parts)
        groups = {code: meaning.group for code, meaning in emoji.meanings.items()}
        return cls(parts, splits, families, groups, order(" ".join(map(file_hash, files))))

    def cases(self, test: str, limit: int) -> list[Case]:
        if missing := self.missing(test):
            raise ValueError(
                f"test {test} needs restyled drawings that are not built ('restyled/{missing[0]}'); run "
                "'python scripts/build_restyled.py', which builds what is missing"
            )
        return super().cases(test, limit)

    def missing(self, test: str) -> list[str]:
        """Restyled parts that a test needs and that are not built."""
        return [part for part in PROCEDURAL.get(test, ()) if part not in self.part]

    def targets(self, test: str) -> list[int]:
        if test in PROCEDURAL:
            return list(self.part[PROCEDURAL[test][0]])
        picture, vendor = self.record, VENDOR[test]
        return [
            row for row in self.part["emoji"] if self.splits.is_target(picture(row).style, picture(row).meaning, vendor)
        ]

    def case(self, test: str, target: int) -> Case:
        case = super().case(test, target)
        if len(case.history) < LONGEST:
            raise ValueError(
                f"style {self.record(target).style} has {len(case.history)} pictures for a history, expected "
                f"{LONGEST}; build the benchmark as its scripts do"
            )
        return case

    def history_part(self, test: str) -> range:
        return self.part[PROCEDURAL[test][1] if test in PROCEDURAL else "emoji"]

    def histories(self, test: str, target: int, style: str) -> list[int]:
        """Pictures of training meanings in a style, none near the target's meaning."""
        cluster, split = self.splits.cluster, self.splits.meaning_split
        near, part = cluster[self.record(target).meaning], self.history_part(test)
        return [
            row
            for row in self.by_style[style]
            if row in part and split[self.record(row).meaning] == "train" and cluster[self.record(row).meaning] != near
        ]

    def foreign_styles(self, test: str, target: int) -> list[str]:
        """Other programs, or sets of other vendors."""
        part, style = self.history_part(test), self.record(target).style
        styles = [name for name, rows in self.by_style.items() if name != style and any(row in part for row in rows)]
        if test in PROCEDURAL:
            return styles
        return [name for name in styles if STYLES[name].family != STYLES[style].family]

    def references(self, test: str, target: int) -> list[int]:
        """The target's meaning as others draw it.

        Of a restyled drawing: half of the cases show the original, half the same drawing under another program of the
        test. Of an emoji: any set of another family that training may use.
        """
        record = self.record(target)
        if test in PROCEDURAL:
            same = [row for row in self.by_drawing[record.drawing] if row != target]
            original = int(order(f"{test} {self.name_of(target)} original"), 16) % 2 == 0
            return [row for row in same if row in self.part["emoji" if original else PROCEDURAL[test][0]]]
        family = STYLES[record.style].family
        styles = {name for name, style in STYLES.items() if style.seen and style.family != family}
        same = [row for row in self.by_meaning[record.meaning] if row in self.part["emoji"]]
        return [row for row in same if self.record(row).style in styles]

    def gallery(self, test: str) -> list[int]:
        if test in PROCEDURAL:
            return list(self.part[PROCEDURAL[test][0]])
        _, split = VENDOR_TESTS[VENDOR[test]]
        shared = {code for code in self.splits.shared if self.splits.meaning_split[code] == split}
        return [row for row in self.part["emoji"] if self.record(row).meaning in shared]

    def facets(self, target: int) -> dict[str, str]:
        record = self.record(target)
        group = self.groups[record.meaning]
        if record.style in STYLES:
            style = STYLES[record.style]
            return {"family": style.family, "colour": "colour" if style.colour else "black", "group": group}
        return {"family": self.families[record.style], "group": group}

    @cached_property
    def by_drawing(self) -> dict[str, list[int]]:
        return self.grouped("drawing")


def without_unneeded(parts: dict) -> dict:
    """Of the drawings that training saw, only those under the programs of P2 serve a test: as its histories."""
    if "train" in parts:
        pixels, rows, records = parts.pop("train")
        programs = {record.style for record in parts["known"][2]} if "known" in parts else set()
        kept = [index for index, record in enumerate(records) if record.style in programs]
        parts["train"] = pixels, rows[kept], [records[index] for index in kept]
    return parts
