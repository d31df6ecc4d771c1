"""What a training learns from: pictures, which of them go together, and the words for them."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data.folder import ImageFolder
from ...data.wordings import caption_ids, unread, words_read
from ...lmm import Words
from ...progress import OnPart, OnShare
from ..config import Pairing
from .batches import Batches, Index
from .codes import PictureSource
from .pairs import FolderPictures, indices, targets_of

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
    `notes` are for the user; `words` are those that the texts of training, and of nothing held back, are made of.
    """

    pictures: PictureSource
    train: Share
    validation: dict[str, Share]
    text: Tensor  # [M', V, T]
    text_row: Tensor  # [M]
    fingerprint: str
    former_fingerprint: str
    notes: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()

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
    words: Words,
    slots: int,
    on_pair: OnShare | None = None,
    on_part: OnPart | None = None,
) -> TrainingData:
    """A user's folder. `size` is the picture size and `slots` the text length that the model reads.

    `on_pair(done, total)` is told how many pictures are compared, `on_part()` is called often while one is read; both
    may raise to stop. Raises TrainingError when the folder does not hold what training needs.
    """
    pictures = FolderPictures(folder, pairing, size, on_part)
    training, validation, note = indices(pictures, on_pair)
    rows, captions = np.arange(len(pictures)), [entry.caption for entry in folder.entries]
    shown = np.unique(targets_of(training) // pictures.views)
    return TrainingData(
        pictures,
        Share(rows, training, pairing.own_share),
        {"validation": Share(rows, validation, pairing.own_share)},
        torch.stack([caption_ids(words, caption, slots) for caption in captions])[:, None],
        torch.from_numpy(rows // pictures.views),
        hashlib.sha256(f"{folder.fingerprint} {pairing.fingerprint}".encode()).hexdigest(),
        hashlib.sha256(f"{folder.former_fingerprint} {pairing.fingerprint}".encode()).hexdigest(),
        (*filter(None, [note]), *unread(words, captions, slots, "this model")),
        words_read(words, [captions[number] for number in shown], slots),
    )
