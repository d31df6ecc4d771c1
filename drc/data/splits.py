"""What training may see of the emoji benchmark: meanings, styles and cells, fixed by hashes and kept in
`emoji_splits.json`, which the source repository makes.

Four tests come of it. `cells`: seen style, seen meaning, but this family never drew this meaning in training.
`meanings`: seen style, unseen meaning. `styles`: unseen style, seen meaning. `both`: unseen style, unseen meaning.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ..files import read_bounded
from .emoji import Emoji
from .styles import STYLES

FILE = Path(__file__).with_name("emoji_splits.json")
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
    def load(cls) -> "Splits":
        """Those of the benchmark."""
        table = json.loads(read_bounded(FILE))["meanings"]
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
        return [row for (style, code), row in emoji.rows.items() if self.is_target(style, code, test)]

    def is_target(self, style: str, code: str, test: str) -> bool:
        """Whether a picture is the true one of a case of one of TESTS."""
        seen, split = TESTS[test]
        return (
            STYLES[style].seen == seen
            and code in self.shared
            and self.meaning_split[code] == split
            and (test != "cells" or self.is_held_out(style, code))
        )


def order(text: str) -> str:
    """A sort key that depends on nothing but the text."""
    return hashlib.sha256(text.encode()).hexdigest()
