"""What a training learns from: pictures, which of them go together, and the words for them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from ..data.benchmark import Benchmark
from ..data.emoji import Emoji
from ..data.folder import ImageFolder
from ..data.pictures import Pictures, emoji_part, restyled_part
from ..data.splits import Splits
from ..data.styles import STYLES
from ..data.wordings import caption_ids, meaning_ids, meaning_texts, unread
from .batches import Batches, Index
from .codes import PictureSource
from .config import Pairing
from .pairs import FolderPictures, indices

VALIDATION_CASES = 40


@dataclass(frozen=True)
class Share:
    """A part of the pictures that batches are drawn from: its rows among all, and what goes together among them."""

    rows: np.ndarray
    index: Index
    own_share: float


@dataclass(frozen=True)
class TrainingData:
    """Pictures by row, the share to train on, the shares to validate on by name, and the words of each row.

    `fingerprint` tells one data set from another when a training is resumed, `former_fingerprint` did so in older runs;
    `notes` are for the user.
    """

    pictures: PictureSource
    train: Share
    validation: dict[str, Share]
    text: Tensor  # [M', V, T]
    text_row: Tensor  # [M]
    fingerprint: str
    former_fingerprint: str
    notes: tuple[str, ...] = ()

    def batches(self, codes: Tensor, size: int, seed: int, **disturbances: float) -> tuple[Batches, dict[str, Batches]]:
        """Batches to train on and, for each validation share, of its cases; `disturbances` are keywords of Batches
        for those to train on."""

        def of(share: Share, count: int, **keywords: float) -> Batches:
            rows = torch.from_numpy(share.rows)
            shared = share.index, self.text, self.text_row[rows]
            return Batches(codes[rows], *shared, count, share.own_share, seed, **keywords)

        validation = {name: of(share, VALIDATION_CASES) for name, share in self.validation.items()}
        return of(self.train, size, **disturbances), validation


def folder_data(
    folder: ImageFolder,
    pairing: Pairing,
    size: int,
    words: Tokenizer,
    slots: int,
    on_pair: Callable[[int, int], None] | None = None,
) -> TrainingData:
    """A user's folder. `size` is the picture size and `slots` the text length that the model reads.

    `on_pair(done, total)` is told how many pictures are compared; it may raise to stop. Raises TrainingError when the
    folder does not hold what training needs.
    """
    pictures = FolderPictures(folder, pairing, size)
    training, validation, note = indices(pictures, on_pair)
    rows, captions = np.arange(len(pictures)), [entry.caption for entry in folder.entries]
    return TrainingData(
        pictures,
        Share(rows, training, pairing.own_share),
        {"validation": Share(rows, validation, pairing.own_share)},
        torch.stack([caption_ids(words, caption, slots) for caption in captions])[:, None],
        torch.from_numpy(rows // pictures.views),
        hashlib.sha256(f"{folder.fingerprint} {pairing.fingerprint}".encode()).hexdigest(),
        hashlib.sha256(f"{folder.former_fingerprint} {pairing.fingerprint}".encode()).hexdigest(),
        (*filter(None, [note]), *unread(words, captions, slots, "this model")),
    )


class BenchmarkPictures(Pictures):
    """The pictures of a benchmark with the keys of their contents."""

    def keys(self) -> np.ndarray:
        """uint8 [M, 32], see `drc.train.codes`."""
        digests = [
            hashlib.sha256(np.ascontiguousarray(pixels[row])).digest() for pixels, rows in self.sources for row in rows
        ]
        return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def benchmark_shares(benchmark: Benchmark, own_share: float) -> tuple[BenchmarkPictures, dict[str, Share]]:
    """Its pictures and their shares: "train" of its splits, and two that training never sees, held-out programs
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


def benchmark_data(benchmark: Benchmark, own_share: float, words: Tokenizer, slots: int, seed: int) -> TrainingData:
    """The emoji benchmark, see `benchmark_shares`; its texts are labels and keywords."""
    pictures, shares = benchmark_shares(benchmark, own_share)
    texts = meaning_texts(Emoji(benchmark.folder).meanings)
    row_of = {code: row for row, code in enumerate(texts)}
    fingerprint = hashlib.sha256(f"{benchmark.fingerprint} {own_share} {seed}".encode()).hexdigest()
    return TrainingData(
        pictures,
        shares.pop("train"),
        shares,
        meaning_ids(texts, words, slots, seed),
        torch.tensor([row_of[record.meaning] for record in pictures.records]),
        fingerprint,
        fingerprint,
    )
