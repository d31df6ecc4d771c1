"""A small world of emoji: styles are colours, meanings are places, so the true picture of every case is known."""

from pathlib import Path

import numpy as np
import pytest
import torch.nn.functional as F
from torch import Tensor

from drc.bench.cases.emoji import EmojiDomain
from drc.bench.judges.judge import Features, Judge
from drc.data.pictures import Picture
from drc.data.splits import Splits
from scripts.lib.tiny import write_tiny

SIDE = 32
CODES = [f"code {n:02}" for n in range(32)]
SETS = ("twemoji", "noto", "noto-mono", "fluent-flat", "symbola", "openmoji")
PROGRAMS = {"held out": (1, 2, 3), "training": (4, 5, 6)}
STYLES = [*SETS, *(f"program/{p}" for programs in PROGRAMS.values() for p in programs)]
TRAIN, TEST = CODES[:24], CODES[24:]
RESTYLED = {
    "test": ("held out", TEST),
    "seen": ("held out", CODES[:4]),
    "history": ("held out", TRAIN),
    "val": ("held out", TEST[:2]),
    "val_history": ("held out", TRAIN),
    "known": ("training", TEST),
    "train": ("training", TRAIN),
}


def painted(records: list[Picture]) -> np.ndarray:
    """A square whose colour is that of the style, at the place of the meaning, on white: uint8 [n, SIDE, SIDE, 3]."""
    pictures = np.full((len(records), SIDE, SIDE, 3), 255, np.uint8)
    for picture, record in zip(pictures, records, strict=True):
        hue = STYLES.index(record.style) / len(STYLES) + np.arange(3) / 3
        shade = 100 + 100 * np.cos(2 * np.pi * hue)
        place = int(record.meaning.split()[1])
        top, left = 4 * (place // 8), 3 * (place % 8)
        picture[top : top + 12, left : left + 10] = shade
    return pictures


def toy_parts(step: int = 1) -> dict[str, tuple[np.ndarray, np.ndarray, list[Picture]]]:
    """Two meanings a cluster; the last eight codes are test meanings. Programs draw what twemoji draws."""
    parts = {"emoji": [Picture(style, f"{style}/{code}", code) for style in SETS for code in CODES]}
    for name, (programs, codes) in RESTYLED.items():
        parts[name] = [Picture(f"program/{p}", f"twemoji/{code}", code) for p in PROGRAMS[programs] for code in codes]
    return {
        name: (painted(records[::step]), np.arange(len(records)), records[::step]) for name, records in parts.items()
    }


def toy_domain(step: int = 1, without: tuple[str, ...] = (), kind: type = EmojiDomain) -> EmojiDomain:
    parts = {name: part for name, part in toy_parts(step).items() if name not in without}
    split = {code: "train" if code in TRAIN else "test" for code in CODES}
    cluster = {code: CODES[place // 2] for place, code in enumerate(CODES)}
    splits = Splits(split, cluster, dict.fromkeys(TRAIN, "noto"), frozenset(CODES))
    families = {f"program/{p}": "flat" if p % 2 else "line" for programs in PROGRAMS.values() for p in programs}
    return kind(parts, splits, families, {code: f"group {code[-1]}" for code in CODES}, "toy")


@pytest.fixture(scope="session")
def domain() -> EmojiDomain:
    return toy_domain()


class Eye(Judge):
    """Sees the world as it is made: the colour of the square, and where it is. `looks` counts the pictures it saw."""

    name, version = "eye", "1"

    def __init__(self):
        self.looks = 0

    def __call__(self, images: Tensor) -> Features:
        self.looks += len(images)
        dark = 1 - images
        mass = dark.sum(dim=(2, 3)) + 1e-3
        places = F.avg_pool2d(dark.mean(dim=1, keepdim=True), 2).flatten(1) + 1e-6
        return Features(F.normalize(mass - mass.mean(1, keepdim=True) + 1e-4, dim=1), F.normalize(places, dim=1))

    def distance(self, images: Tensor, others: Tensor) -> Tensor:
        return (images - others).square().mean(dim=(1, 2, 3))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")
