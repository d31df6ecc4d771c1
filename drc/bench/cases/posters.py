"""Posters as a domain: any style can show any meaning, so every true picture is exact and every part of it known."""

from functools import cache, cached_property
from pathlib import Path

import numpy as np

from ...data.built import require_built
from ...data.pictures import Pictures
from ...data.posters import FACTORS, PARTS, STYLE_FACTORS, TESTS, Poster, PosterSplits, one_apart, poster_part
from ...data.splits import order
from ...files import file_hash
from .domain import NAME_IT, Domain


class PosterDomain(Domain):
    """`pictures` holds the parts of the plan in the order of PARTS."""

    name = "posters"
    tests = {
        "T1": "posters: seen style, seen word and subject, unseen together",
        "T2": "posters: seen style, unseen word and subject",
        "T3": "posters: unseen font, palette and layout, seen word and subject",
        "T4": "posters: unseen font, palette, layout, word and subject",
        "V": "validation: as T4 with others, to choose settings by",
    }
    reported = ("T1", "T2", "T3", "T4")

    def __init__(
        self, parts: dict[str, tuple[np.ndarray, np.ndarray, list[Poster]]], splits: PosterSplits, fingerprint: str = ""
    ):
        super().__init__(Pictures(list(parts.values())), fingerprint)
        self.splits = splits
        self.rivals = cache(self.rivals)  # asked for with every answer to a case
        bounds = self.pictures.starts.tolist()
        self.part = {name: range(*bounds[index : index + 2]) for index, name in enumerate(parts)}

    @classmethod
    def open(cls, folder: Path) -> "PosterDomain":
        """What scripts/build_posters.py wrote; ValueError, in one sentence, without it."""
        files = {"build_posters": tuple(f"posters/{part}.json" for part in PARTS)}
        require_built("poster benchmark", folder, files, NAME_IT)
        folder = folder / "posters"
        digests = " ".join(file_hash(folder / f"{part}.json") for part in PARTS)
        return cls({part: poster_part(folder, part) for part in PARTS}, PosterSplits.load(), order(digests))

    def targets(self, test: str) -> list[int]:
        if test == "V":
            return list(self.part["val"])
        return [row for row in self.gallery(test) if self.is_seen(row) == TESTS[test][0]]

    def gallery(self, test: str) -> list[int]:
        """Seen and unseen styles, each with all meanings of the test."""
        if test == "V":
            return list(self.part["val"])
        return [row for row in self.part["test"] if self.splits.meaning_split(self.record(row)) == TESTS[test][1]]

    def is_seen(self, row: int) -> bool:
        return self.splits.style_split(self.record(row)) == "train"

    def references(self, test: str, target: int) -> list[int]:
        """The target's meaning in styles that share no part with its own; in a test, styles that training may use."""
        return [
            row
            for row in self.by_meaning[self.record(target).meaning]
            if row in self.part["val" if test == "V" else "test"]
            and (test == "V" or self.is_seen(row))
            and not any(self.splits.same(factor, self.record(row), self.record(target)) for factor in STYLE_FACTORS)
        ]

    def histories(self, test: str, target: int, style: str) -> list[int]:
        """Posters of training words and subjects in a style, none with the target's word or subject."""
        return [row for row in self.users[style] if not self.splits.near(self.record(row), self.record(target))]

    def foreign_styles(self, test: str, target: int) -> list[str]:
        """Those of users whose fonts, palettes and layouts are of the same split as the target's."""
        own = self.record(target)
        return [
            style
            for style, rows in self.users.items()
            if style != own.style and self.splits.style_split(self.record(rows[0])) == self.splits.style_split(own)
        ]

    def rivals(self, target: int) -> dict[str, list[int]]:
        """Factor to the posters that differ from the target in it alone; nothing where they are not built."""
        found = {}
        for factor in FACTORS:
            rivals = one_apart(self.splits, self.record(target), factor)
            if all(rival in self.rows for rival in rivals):
                found[factor] = [self.rows[rival] for rival in rivals]
        return found

    def facets(self, target: int) -> dict[str, str]:
        record = self.record(target)
        return {name: getattr(record, name) for name in ("treatment", "ground", "layout")}

    @cached_property
    def rows(self) -> dict[Poster, int]:
        return {poster: row for row, poster in enumerate(self.pictures.records)}

    @cached_property
    def users(self) -> dict[str, list[int]]:
        """Style to the pictures that its histories are from."""
        return self.grouped("style", [row for name in ("train", "history", "val_history") for row in self.part[name]])
