"""What training may see of the posters: fonts, palettes, layouts, words and subjects are shared out, each by itself.

A style is unseen when its font, its palette and its layout are; a meaning when its word and its subject are. Grounds
and treatments are few and free. Subjects follow the splits of the emoji: a model may learn from both benchmarks.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import emoji
from ..splits import Splits, clusters, order, split_meanings
from . import fonts, layouts, palettes, words
from .page import GROUNDS
from .poster import MEANING_FACTORS, SUBJECTS, Poster
from .treatments import TREATMENTS

MANIFEST = Path(__file__).with_name("manifest.json")
FREE = {"ground": tuple(GROUNDS), "treatment": TREATMENTS}
LEVELS = {
    "font": fonts.FONTS,
    "palette": tuple(palettes.PALETTES),
    "layout": tuple(layouts.LAYOUTS),
    "word": words.WORDS,
}
NEAR_DUPLICATE = {"font": 0.8, "palette": 0.8, "layout": 0.9, "word": 0.55}
"""Likeness above which two levels are one cluster; each module's `alike` says how it is measured."""
SUBJECT_GROUPS = {"activities", "animals-nature", "food-drink", "objects", "travel-places"}
"""Not the faces and people: most are near-duplicates, and some would make a strange title picture."""


@dataclass(frozen=True)
class PosterSplits:
    """For each factor the split ("train", "val", "test") and the cluster of near-duplicates of every level."""

    split: dict[str, dict[str, str]]
    cluster: dict[str, dict[str, str]]

    @classmethod
    def load(cls, manifest: Path = MANIFEST) -> "PosterSplits":
        return cls.of(json.loads(manifest.read_text())["levels"])

    @classmethod
    def of(cls, table: dict[str, dict[str, tuple[str, str]]]) -> "PosterSplits":
        """Factor to what `share_out` says of it, and the subjects."""
        split = {factor: {name: row[0] for name, row in rows.items()} for factor, rows in table.items()}
        cluster = {factor: {name: row[1] for name, row in rows.items()} for factor, rows in table.items()}
        split["subject"], cluster["subject"] = subjects()
        return cls(split, cluster)

    def levels(self, factor: str, split: str) -> list[str]:
        """The levels of a factor that a split may use."""
        if factor in FREE:
            return list(FREE[factor])
        return [name for name, its in self.split[factor].items() if its == split]

    def distinct(self, factor: str, split: str) -> list[str]:
        """As `levels`, one of each cluster."""
        chosen = {}
        for name in sorted(self.levels(factor, split), key=order):
            chosen.setdefault(self.cluster[factor][name], name)
        return list(chosen.values())

    def style_split(self, poster: Poster) -> str:
        return self.split["font"][poster.font]

    def meaning_split(self, poster: Poster) -> str:
        return self.split["word"][poster.word]

    def near(self, first: Poster, second: Poster) -> bool:
        """Whether two posters have near-duplicates of one word or one subject."""
        return any(self.same(factor, first, second) for factor in MEANING_FACTORS)

    def same(self, factor: str, first: Poster, second: Poster) -> bool:
        """Whether two posters have near-duplicates of one level."""
        cluster = self.cluster.get(factor, {})
        names = (getattr(poster, factor) for poster in (first, second))
        first_name, second_name = (cluster.get(name, name) for name in names)
        return first_name == second_name


def subjects() -> tuple[dict[str, str], dict[str, str]]:
    """Split and cluster of the subjects, by code: shared meanings whose cell of SUBJECTS the emoji do not hold out."""
    splits, table = Splits.load(), json.loads(emoji.MANIFEST.read_text())["meanings"]
    codes = [
        code
        for code in sorted(splits.shared)
        if table[code]["group"] in SUBJECT_GROUPS and not splits.is_held_out(SUBJECTS, code)
    ]
    return {code: splits.meaning_split[code] for code in codes}, {code: splits.cluster[code] for code in codes}


def likeness(factor: str, packages: Path) -> np.ndarray:
    """[levels, levels] of one of LEVELS; `packages` as for Studio, only fonts need it."""
    names = list(LEVELS[factor])
    if factor == "font":
        return fonts.alike(packages, names)
    return {"palette": palettes, "layout": layouts, "word": words}[factor].alike(names)


def share_out(factor: str, alike: np.ndarray) -> dict[str, tuple[str, str]]:
    """Level to split and cluster. Whole clusters, in the order of their hashes; what the manifest holds."""
    names = list(LEVELS[factor])
    cluster = clusters(alike, names, NEAR_DUPLICATE[factor])
    kinds = {name: palettes.PALETTES[name].kind if factor == "palette" else factor for name in names}
    split = split_meanings(cluster, kinds, names)
    return {name: (split[name], cluster[name]) for name in names}
