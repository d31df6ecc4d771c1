"""All pictures of one build under one numbering, with what is known of each: its style, drawing, meaning and words."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import read_bounded
from .emoji import Emoji
from .splits import Splits

PROGRAM = "program/"  # begins the name of a style that a program painted
AUGMENTED = "augmented/"  # begins that of a picture disturbed for training, which is nobody's style


@dataclass(frozen=True)
class Picture:
    style: str  # "program/17" or the name of an emoji set
    drawing: str  # "emoji set/code point": whose lines these are
    meaning: str  # code point


class Pictures:
    """Pictures behind one index; the pixels stay on disk.

    `records[i]` tells about picture i, `read(rows)` returns uint8 [len(rows), size, size, 3].
    """

    def __init__(self, parts: list[tuple[np.ndarray, np.ndarray, list[Picture]]]):
        self.sources = [(pixels, rows) for pixels, rows, _ in parts]
        self.records = [record for _, _, records in parts for record in records]
        self.starts = np.cumsum([0] + [len(rows) for _, rows, _ in parts])

    def parts(self) -> list[tuple[np.ndarray, np.ndarray, list[Picture]]]:
        """What it was made of: pixels, the rows that count among them, and their records."""
        ends = zip(self.sources, self.starts, self.starts[1:], strict=False)
        return [(pixels, rows, self.records[start:end]) for (pixels, rows), start, end in ends]

    def __len__(self) -> int:
        return len(self.records)

    def read(self, rows: np.ndarray) -> np.ndarray:
        source = np.searchsorted(self.starts, rows, side="right") - 1
        return np.stack(
            [self.sources[s][0][self.sources[s][1][row - self.starts[s]]] for s, row in zip(source, rows, strict=True)]
        )


def training_pictures(data: Path) -> Pictures:
    """What training may see: seen sets and meanings of the emoji, then training drawings under training programs."""
    emoji = Emoji(data)
    return Pictures([emoji_part(emoji, Splits.load().training_rows(emoji)), restyled_part(data / "restyled" / "train")])


def emoji_part(emoji: Emoji, rows: list[int]) -> tuple[np.ndarray, np.ndarray, list[Picture]]:
    cells = [emoji.cells[row] for row in rows]
    return emoji.images, np.array(rows), [Picture(c.style, f"{c.style}/{c.code}", c.code) for c in cells]


def restyled_part(folder: Path) -> tuple[np.ndarray, np.ndarray, list[Picture]]:
    plan = json.loads(read_bounded(folder / "restyled.json"))
    records = []
    for program, drawing in plan["rows"]:
        name = plan["drawings"][drawing]
        records.append(Picture(f"program/{plan['programs'][program]['seed']}", name, name.split("/")[1]))
    pixels = np.load(folder / "restyled.npy", mmap_mode="r")
    return pixels, np.arange(len(records)), records
