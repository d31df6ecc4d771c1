"""What the embedded model learns from: the icon matrix and the emoji benchmark over one table of codes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from drc.data.benchmark import open_benchmark
from drc.data.emoji import Emoji
from drc.data.icons import FILES, IconCell, Icons
from drc.data.wordings import meaning_ids, meaning_texts
from drc.files import file_hash
from drc.model import DRC
from drc.train.codes import PictureSource
from drc.train.data import Share, TrainingData, benchmark_shares
from scripts.lib.icon_training import IconIndex, IconPictures, MixedIndex, Part

KEPT = {"train", "val"}  # splits of hands and meanings that are drawn at all


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

    Validation asks hands and meanings that training leaves out, "hand", and what the emoji benchmark asks.
    """

    def made(base: DRC) -> TrainingData:
        icons, benchmark = Icons(data / "icons"), open_benchmark(data)
        icon_pictures, index, hold = icon_parts(icons, aligned, seed)
        emoji_pictures, shares = benchmark_shares(benchmark, own_share)
        texts, first = meaning_texts(Emoji(data).meanings), len(icon_pictures)
        train, names = shares.pop("train"), shared_names(texts, icons)
        codes = [record.meaning for record in emoji_pictures.records]
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
        texts |= {name: [name] for name in icons.meaning_split}
        number = {meaning: row for row, meaning in enumerate(texts)}
        fingerprint = (
            f"{file_hash(data / 'icons' / FILES[0])} {open_benchmark(data).fingerprint} {icon_share} {own_share}"
        )
        fingerprint = hashlib.sha256(f"{fingerprint} {aligned} {seed}".encode()).hexdigest()
        return TrainingData(
            Joined([icon_pictures, emoji_pictures]),
            Share(rows, mixed, 1.0),
            validation,
            meaning_ids(texts, base.words, base.lmm.text_slots, seed),
            torch.tensor([number[meaning] for meaning in icon_pictures.meanings() + codes]),
            fingerprint,
            fingerprint,
        )

    return made


def icon_parts(icons: Icons, aligned: float, seed: int) -> tuple[IconPictures, IconIndex, IconIndex]:
    """Pictures of hands and meanings to train on and to choose by, and what is asked of either."""

    def is_kept(cell: IconCell) -> bool:
        splits = {icons.styles[cell.style].split, icons.meaning_split[cell.meaning]}
        return icons.may_train(cell) or (cell.line == 1 and "val" in splits and splits <= KEPT)

    pictures = IconPictures(icons, is_kept, seed)
    cells = [icons.cells[row] for row in pictures.cell]
    hand = np.array([icons.styles[cell.style].split for cell in cells])
    meaning = np.array([icons.meaning_split[cell.meaning] for cell in cells])
    known = (hand == "train") & (meaning == "train")
    new = (hand == "val") & (meaning == "val")
    index = IconIndex(pictures, known, known, aligned)
    return pictures, index, IconIndex(pictures, new, (hand == "train") & (meaning == "val"), aligned=0.0)


def shared_names(texts: dict[str, list[str]], icons: Icons) -> dict[str, str]:
    """Code point -> name of the icons' meaning that its label spells, in whatever order of words; of training alone."""
    meanings = {" ".join(sorted(name.split())): name for name, split in icons.meaning_split.items() if split == "train"}
    labels = {code: " ".join(sorted(label.lower().split())) for code, (label, *_) in texts.items()}
    return {code: meanings[label] for code, label in labels.items() if label in meanings}
