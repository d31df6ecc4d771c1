"""What training may see of the emoji benchmark: meanings, styles and cells, fixed by hashes and kept in the manifest.

Four tests come of it. `cells`: seen style, seen meaning, but this family never drew this meaning in training.
`meanings`: seen style, unseen meaning. `styles`: unseen style, seen meaning. `both`: unseen style, unseen meaning.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .emoji import MANIFEST, Emoji
from .styles import SEEN_FAMILIES, STYLES

SHARES = {"test": 0.2, "val": 0.1}  # of the shared meanings of a CLDR group; the rest is train
NEAR_DUPLICATE = 0.5  # cosine, mean over styles, above which two meanings are one cluster
TESTS = {"cells": (True, "train"), "meanings": (True, "test"), "styles": (False, "train"), "both": (False, "test")}


@dataclass(frozen=True)
class Splits:
    """Every clean meaning, by code.

    Attributes:
        meaning_split: "train", "val" or "test". Meanings left out as pixel-identical to others are not in it.
        cluster: the smallest code of its near-duplicates; a cluster is never split.
        held_out_family: for a shared training meaning the family whose drawings of it are kept out of training.
        shared: the meanings that every complete style draws; tests are made of them, the others only add to training.
    """

    meaning_split: dict[str, str]
    cluster: dict[str, str]
    held_out_family: dict[str, str]
    shared: frozenset[str]

    @classmethod
    def load(cls, manifest: Path = MANIFEST) -> "Splits":
        table = json.loads(manifest.read_text())["meanings"]
        return cls(
            {code: row["split"] for code, row in table.items()},
            {code: row["cluster"] for code, row in table.items()},
            {code: row["held_out"] for code, row in table.items() if row["held_out"]},
            frozenset(code for code, row in table.items() if row["shared"]),
        )

    def is_held_out(self, style: str, code: str) -> bool:
        return self.held_out_family.get(code) == STYLES[style].family

    def training_rows(self, emoji: Emoji) -> list[int]:
        """Rows of a build that training may see: seen styles, training meanings, no held-out cell."""
        return [
            row
            for (style, code), row in emoji.rows.items()
            if STYLES[style].seen and self.meaning_split.get(code) == "train" and not self.is_held_out(style, code)
        ]

    def test_rows(self, emoji: Emoji, test: str) -> list[int]:
        """Rows of a build that are the true targets of one of TESTS."""
        seen, split = TESTS[test]
        return [
            row
            for (style, code), row in emoji.rows.items()
            if STYLES[style].seen == seen
            and code in self.shared
            and self.meaning_split[code] == split
            and (test != "cells" or self.is_held_out(style, code))
        ]


def order(text: str) -> str:
    """A sort key that depends on nothing but the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def pixel_identical(emoji: Emoji) -> set[str]:
    """Codes that some style draws with exactly the pixels of another code."""
    same = defaultdict(set)
    for cell in emoji.cells:
        same[cell.style, cell.sha256].add(cell.code)
    return set().union(*(codes for codes in same.values() if len(codes) > 1))


def similarity(emoji: Emoji, features: np.ndarray, codes: list[str]) -> np.ndarray:
    """How alike two meanings are drawn: cosine of centred features, mean over the complete styles that draw both.

    Args:
        features: [cells, channels], row by row those of `emoji`.

    Returns:
        [codes, codes]; zero where fewer than three styles draw both.
    """
    total, count = np.zeros((2, len(codes), len(codes)))
    for style in (style.name for style in STYLES.values() if style.complete):
        here = [position for position, code in enumerate(codes) if (style, code) in emoji.rows]
        vectors = features[[emoji.rows[style, codes[position]] for position in here]].astype(np.float64)
        vectors -= vectors.mean(0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        total[np.ix_(here, here)] += vectors @ vectors.T
        count[np.ix_(here, here)] += 1
    return np.where(count >= 3, total / np.maximum(count, 1), 0)


def clusters(alike: np.ndarray, codes: list[str], threshold: float = NEAR_DUPLICATE) -> dict[str, str]:
    """Code to the smallest code that a chain of near-duplicates leads to."""
    parent = {code: code for code in codes}

    def root(code: str) -> str:
        while parent[code] != code:
            code = parent[code]
        return code

    for first, second in np.argwhere(np.triu(alike > threshold, 1)):
        low, high = sorted((root(codes[first]), root(codes[second])))
        parent[high] = low
    return {code: root(code) for code in codes}


def split_meanings(cluster: dict[str, str], group: dict[str, str], shared: Iterable[str]) -> dict[str, str]:
    """Share out whole clusters, group by group, in the order of their hashes.

    A cluster too large for the test share of its group goes to training and does not count, so that the rest is still
    shared 70/10/20. So does a cluster without a shared meaning.
    """
    members = defaultdict(list)
    for code in shared:
        members[cluster[code]].append(code)
    by_group = defaultdict(list)
    for name, codes in members.items():
        ((most, _),) = Counter(sorted(group[code] for code in codes)).most_common(1)
        by_group[most].append(name)
    split = {}
    for names in by_group.values():
        limit = SHARES["test"] * sum(len(members[name]) for name in names)
        names = sorted((name for name in names if len(members[name]) <= limit), key=order)
        count = sum(len(members[name]) for name in names)
        room = {part: round(share * count) for part, share in SHARES.items()}
        for name in names:
            part = next((part for part in SHARES if len(members[name]) <= room[part]), "train")
            split[name] = part
            if part in room:
                room[part] -= len(members[name])
    return {code: split.get(name, "train") for code, name in cluster.items()}


def held_out_family(code: str) -> str:
    """The seen family that training never sees draw this meaning."""
    return SEEN_FAMILIES[int(order(f"held out {code}"), 16) % len(SEEN_FAMILIES)]


def compute(emoji: Emoji, features: np.ndarray) -> Splits:
    """The splits of a build with every style; what the manifest holds. `features` as for `similarity`."""
    identical = pixel_identical(emoji)
    codes = sorted(code for code in emoji.meanings if code not in identical)
    complete = [style.name for style in STYLES.values() if style.complete]
    shared = frozenset(code for code in codes if all((style, code) in emoji.rows for style in complete))
    cluster = clusters(similarity(emoji, features, codes), codes)
    split = split_meanings(cluster, {code: emoji.meanings[code].group for code in codes}, sorted(shared))
    held_out = {code: held_out_family(code) for code in sorted(shared) if split[code] == "train"}
    return Splits(split, cluster, held_out, shared)
