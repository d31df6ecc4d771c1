"""A build of the posters, and what training may see of them: fonts, palettes, layouts, words and subjects are shared
out, each by itself.

A poster is seven choices: five make its style, two its meaning. Any style shows any meaning: targets are exact. A style
is unseen when its font, its palette and its layout are; a meaning when its word and its subject are. Grounds and
treatments are few and free. Subjects follow the splits of the emoji: a model may learn from both benchmarks.

A part of a build is two files: `NAME.npy`, uint8 [posters, size, size, 3], and `NAME.json`, which names each row.
scripts/build_posters.py of the source repository draws them; `poster_splits.json` is made there, too.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..files import read_bounded
from .splits import FILE as EMOJI_SPLITS
from .splits import TESTS as SEEN_AND_SPLIT
from .splits import Splits, order

FILE = Path(__file__).with_name("poster_splits.json")
STYLE_FACTORS = ("font", "palette", "layout", "ground", "treatment")
MEANING_FACTORS = ("word", "subject")
FACTORS = STYLE_FACTORS + MEANING_FACTORS
FREE = {
    "ground": ("plain", "rays", "dots", "checks", "slants", "waves"),
    "treatment": ("flat", "outline", "line", "silhouette", "misprint"),
}
SUBJECTS = "fluent-flat"
"""The emoji set that the subjects are from (MIT)."""
SUBJECT_GROUPS = {"activities", "animals-nature", "food-drink", "objects", "travel-places"}
"""Not the faces and people: most are near-duplicates, and some would make a strange title picture."""
PARTS = ("train", "test", "history", "rivals", "val", "val_history")
TESTS = dict(zip(("T1", "T2", "T3", "T4"), SEEN_AND_SPLIT.values(), strict=True))
"""Test to (style seen, split of the meaning)."""
RIVALS = 3  # of each factor, fewer where there are no more levels


@dataclass(frozen=True)
class Poster:
    """The names of seven levels, one of each factor. Has what `pictures.Picture` has."""

    font: str
    palette: str
    layout: str
    ground: str
    treatment: str
    word: str
    subject: str  # code point

    @property
    def style(self) -> str:
        return "poster/" + "/".join(getattr(self, factor) for factor in STYLE_FACTORS)

    @property
    def meaning(self) -> str:
        return f"{self.word}/{self.subject}"

    @property
    def drawing(self) -> str:
        """A meaning is drawn with the same lines in every style."""
        return self.meaning


@dataclass(frozen=True)
class PosterSplits:
    """For each factor the split ("train", "val", "test") and the cluster of near-duplicates of every level."""

    split: dict[str, dict[str, str]]
    cluster: dict[str, dict[str, str]]

    @classmethod
    def load(cls) -> "PosterSplits":
        """Those of the benchmark."""
        return cls.of(json.loads(read_bounded(FILE))["levels"])

    @classmethod
    def of(cls, table: dict[str, dict[str, tuple[str, str]]]) -> "PosterSplits":
        """Factor to the split and cluster of every level; the subjects are those of the emoji."""
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
    splits, table = Splits.load(), json.loads(read_bounded(EMOJI_SPLITS))["meanings"]
    codes = [
        code
        for code in sorted(splits.shared)
        if table[code]["group"] in SUBJECT_GROUPS and not splits.is_held_out(SUBJECTS, code)
    ]
    return {code: splits.meaning_split[code] for code in codes}, {code: splits.cluster[code] for code in codes}


def one_apart(splits: PosterSplits, target: Poster, factor: str) -> list[Poster]:
    """RIVALS posters with another level of one factor, of the same split and no near-duplicate."""
    level = getattr(target, factor)
    split = "" if factor in FREE else splits.split[factor][level]
    names = FREE[factor] if factor in FREE else splits.distinct(factor, split)
    others = [replace(target, **{factor: name}) for name in names]
    others = [other for other in others if not splits.same(factor, other, target)]
    return sorted(others, key=lambda other: order(f"{target.style} {target.meaning} {getattr(other, factor)}"))[:RIVALS]


def poster_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray, list[Poster]]:
    """Pixels on disk, the rows that count and their records: a part for pictures.Pictures."""
    record = json.loads(read_bounded(folder / f"{part}.json"))
    posters = [Poster(*levels) for levels in record["posters"]]
    return np.load(folder / f"{part}.npy", mmap_mode="r"), np.arange(len(posters)), posters
