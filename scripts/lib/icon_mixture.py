"""What the embedded model learns from: the icon matrix and the emoji benchmark over one table of codes."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from drc.data.built import EmojiBenchmark, IconMatrix
from drc.data.icons import FILES, Icons
from drc.data.wordings import meaning_ids, words_read
from drc.files import file_hash
from drc.model import DRC
from drc.train.data.batches import Index
from drc.train.data.built import benchmark_shares, built_data
from drc.train.data.codes import PictureSource
from drc.train.data.icons import ALIGNED, IconIndex, icon_parts
from drc.train.data.training_data import Share, TrainingData

ELSEWHERE = 0.25  # share of the references that another part of the mixture draws, where one does


class Joined:
    """Pictures of several sources in a row."""

    def __init__(self, sources: list[PictureSource]):
        self.sources = sources
        self.starts = np.cumsum([0, *map(len, sources)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def keys(self) -> np.ndarray:
        return np.concatenate([source.keys() for source in self.sources])

    def read(self, rows: np.ndarray) -> np.ndarray:
        source = np.searchsorted(self.starts, rows, side="right") - 1
        pairs = zip(source, np.asarray(rows) - self.starts[source], strict=True)
        return np.concatenate([self.sources[number].read(np.array([row])) for number, row in pairs])


def mixture(
    data: Path, icon_share: float, own_share: float, aligned: float, seed: int
) -> Callable[[DRC], TrainingData]:
    """For `drc.train.run.train`: of the targets `icon_share` are icons, the rest is the emoji benchmark, `own_share`
    of it drawings as they are; of the references of icons `aligned` are by the family of the target.

    Validation asks hands and meanings that training leaves out, "hand", and what the emoji benchmark asks. With an
    `icon_share` of 1 the benchmark need not be built; half of the references are then by the family of the target.
    """

    def made(base: DRC) -> TrainingData:
        matrix = IconMatrix.open(data)
        if icon_share == 1 and aligned != ALIGNED:
            raise ValueError(
                f"--aligned is {aligned:g}, which only a mixture with emoji can have; leave it at {ALIGNED}"
            )
        if icon_share == 1:
            return built_data(matrix, 1.0, base.words, base.lmm.text_slots, seed)
        benchmark = EmojiBenchmark.open(data)
        icon_pictures, index, hold = icon_parts(matrix.icons, aligned, seed)
        emoji_pictures, shares = benchmark_shares(benchmark, own_share)
        texts, first = benchmark.texts(), len(icon_pictures)
        train, names = shares.pop("train"), shared_names(texts, matrix.icons)
        codes = emoji_pictures.meanings()
        emoji = [names.get(code, code) for code in codes]
        mixed = MixedIndex(
            [
                Part(index, 0, icon_share, 1.0, icon_pictures.meanings()),
                Part(train.index, first, 1 - icon_share, own_share, [emoji[row] for row in train.rows]),
            ]
        )
        rows = np.concatenate((np.arange(first), first + train.rows))
        validation = {"hand": Share(np.arange(first), hold, 1.0)}
        validation |= {name: Share(first + its.rows, its.index, its.own_share) for name, its in shares.items()}
        texts |= matrix.texts()
        number = {meaning: row for row, meaning in enumerate(texts)}
        fingerprint = f"{file_hash(data / 'icons' / FILES[0])} {benchmark.fingerprint} {icon_share} {own_share}"
        fingerprint = hashlib.sha256(f"{fingerprint} {aligned} {seed}".encode()).hexdigest()
        return TrainingData(
            Joined([icon_pictures, emoji_pictures]),
            Share(rows, mixed, 1.0),
            validation,
            meaning_ids(texts, base.words, base.lmm.text_slots, seed),
            torch.tensor([number[meaning] for meaning in icon_pictures.meanings() + codes]),
            fingerprint,
            fingerprint,
            words=words_read(base.words, matrix.training_texts() | benchmark.training_texts(), base.lmm.text_slots),
        )

    return made


def shared_names(texts: dict[str, list[str]], icons: Icons) -> dict[str, str]:
    """Code point -> name of the icons' meaning that its label spells, in whatever order of words; of training alone."""
    meanings = {" ".join(sorted(name.split())): name for name, split in icons.meaning_split.items() if split == "train"}
    labels = {code: " ".join(sorted(label.lower().split())) for code, (label, *_) in texts.items()}
    return {code: meanings[label] for code, label in labels.items() if label in meanings}


@dataclass(frozen=True)
class Part:
    """An index among others: its rows begin at `first` of all, and `share` of the targets are its own.

    `own_share` is that of its pictures as they are, where it has repainted ones, too; `meanings` are those of its rows.
    """

    index: IconIndex | Index
    first: int
    share: float
    own_share: float
    meanings: list[str]


class MixedIndex:
    """Several indices as one. Now and then the reference is another part's drawing of the meaning of the same name."""

    def __init__(self, parts: list[Part]):
        self.parts, self.shares = parts, np.array([part.share for part in parts])
        self.firsts = np.array([part.first for part in parts])
        self.own, self.repainted = np.arange(sum(len(part.meanings) for part in parts)), np.empty(0, np.int64)
        of: dict[str, list[list[int]]] = defaultdict(lambda: [[] for _ in parts])
        for number, part in enumerate(parts):
            for row in part.index.own.tolist():
                of[part.meanings[row]][number].append(part.first + row)
        self.of_meaning = {meaning: list(map(np.array, rows)) for meaning, rows in of.items()}
        self.as_drawn = {row for rows in of.values() for its in rows for row in its}

    def part_of(self, row: int) -> tuple[int, Part]:
        number = int(np.searchsorted(self.firsts, row, side="right")) - 1
        return number, self.parts[number]

    def targets(self, random: np.random.Generator, count: int, own_share: float) -> np.ndarray:
        numbers = random.choice(len(self.parts), count, p=self.shares / self.shares.sum())
        rows = np.empty(count, np.int64)
        for number, part in enumerate(self.parts):
            its = numbers == number
            rows[its] = part.first + part.index.targets(random, int(its.sum()), part.own_share)
        return rows

    def others_of_style(self, random: np.random.Generator, row: int, count: int) -> np.ndarray:
        _, part = self.part_of(row)
        return part.first + part.index.others_of_style(random, row - part.first, count)

    def other_of_meaning(self, random: np.random.Generator, row: int) -> int:
        number, part = self.part_of(row)
        named = self.of_meaning.get(part.meanings[row - part.first], [])
        elsewhere = [rows for other, rows in enumerate(named) if other != number and len(rows)]
        if elsewhere and row in self.as_drawn and random.random() < ELSEWHERE:
            return random.choice(elsewhere[random.integers(len(elsewhere))])
        return part.first + part.index.other_of_meaning(random, row - part.first)
