"""What is learned from data sets that scripts have built: which pictures, and which of them go together."""

import hashlib

import numpy as np
import torch

from ...data.built import Built, EmojiBenchmark, IconMatrix
from ...data.emoji import Emoji
from ...data.pictures import Pictures, emoji_part, restyled_part
from ...data.splits import Splits
from ...data.styles import STYLES
from ...data.wordings import meaning_ids, words_read
from ...lmm import Words
from .batches import Index
from .icons import ALIGNED, IconPictures, icon_parts
from .training_data import Share, TrainingData


def built_data(dataset: Built, own_share: float, words: Words, slots: int, seed: int) -> TrainingData:
    """A data set of `drc.data.built`, see `built_shares`; its texts are names and keywords of meanings."""
    pictures, shares = built_shares(dataset, own_share, seed)
    texts = dataset.texts()
    row_of = {meaning: row for row, meaning in enumerate(texts)}
    fingerprint = hashlib.sha256(f"{dataset.fingerprint} {own_share} {seed}".encode()).hexdigest()
    return TrainingData(
        pictures,
        shares.pop("train"),
        shares,
        meaning_ids(texts, words, slots, seed),
        torch.tensor([row_of[meaning] for meaning in pictures.meanings()]),
        fingerprint,
        fingerprint,
        words=words_read(words, dataset.training_texts(), slots),
    )


def built_shares(
    dataset: Built, own_share: float, seed: int
) -> tuple["BenchmarkPictures | IconPictures", dict[str, Share]]:
    """Its pictures and their shares: "train", and others by name, which training never sees."""
    if isinstance(dataset, IconMatrix):
        return icon_shares(dataset, own_share, seed)
    return benchmark_shares(dataset, own_share)


class BenchmarkPictures(Pictures):
    """The pictures of a benchmark with the keys of their contents."""

    def keys(self) -> np.ndarray:
        """uint8 [M, 32], see `drc.train.data.codes`."""
        digests = [
            hashlib.sha256(np.ascontiguousarray(pixels[row])).digest() for pixels, rows in self.sources for row in rows
        ]
        return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)

    def meanings(self) -> list[str]:
        return [record.meaning for record in self.records]


def benchmark_shares(benchmark: EmojiBenchmark, own_share: float) -> tuple[BenchmarkPictures, dict[str, Share]]:
    """Those of the emoji benchmark: "train" of its splits, and two that training never sees, held-out programs
    ("procedural") and real emoji sets drawing unseen meanings ("vendor")."""
    emoji, splits = Emoji(benchmark.folder), Splits.load()
    held_back = [
        row
        for (style, code), row in emoji.rows.items()
        if STYLES[style].seen and splits.meaning_split.get(code) == "val"
    ]
    restyled = benchmark.folder / "restyled"
    parts = {
        "train": (benchmark.pictures, own_share),
        "procedural": (Pictures([restyled_part(restyled / "val"), restyled_part(restyled / "val_history")]), 0.0),
        "vendor": (Pictures([emoji_part(emoji, held_back)]), 1.0),
    }
    family = {name: style.family for name, style in STYLES.items()}
    shares, first = {}, 0
    for name, (pictures, share) in parts.items():
        rows = np.arange(first, first + len(pictures))
        shares[name] = Share(rows, Index(pictures.records, splits.cluster, family), share)
        first += len(pictures)
    return BenchmarkPictures([part for pictures, _ in parts.values() for part in pictures.parts()]), shares


def icon_shares(matrix: IconMatrix, own_share: float, seed: int) -> tuple[IconPictures, dict[str, Share]]:
    """Those of the icon matrix: "train", and hands and meanings that training leaves out to choose by ("hand").

    `seed` draws the colours of one-colour hands. Nothing is repainted, so `own_share` changes nothing.
    """
    pictures, train, held_back = icon_parts(matrix.icons, ALIGNED, seed)
    rows = np.arange(len(pictures))
    return pictures, {"train": Share(rows, train, own_share), "hand": Share(rows, held_back, own_share)}
