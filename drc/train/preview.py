"""What a training will see, to look at before paying for it."""

import numpy as np

from ..data.augment import Augmentations, augment
from ..data.folder import ImageFolder, read
from ..data.sheet import contact_sheet
from .batches import Index, draw_cases, own_share_of
from .codes import PictureSource
from .pairs import FolderPictures, Pairing, indices

VERSIONS = 5  # of a picture in the sheet of augmentations


def folder_triplets(folder: ImageFolder, pairing: Pairing, size: int, count: int) -> np.ndarray:
    """The sheet of `count` triplets of a folder; TrainingError where it does not serve for training."""
    pictures = FolderPictures(folder, pairing, size)
    training, _, _ = indices(pictures)
    return triplets(pictures, training, pairing.own_share, count, pairing.seed)


def triplets(pictures: PictureSource, index: Index, own_share: float, count: int, seed: int) -> np.ndarray:
    """A sheet, uint8 [H, W, 3]: anchor, a picture of the same style, a picture of the same meaning in each row."""
    random = np.random.default_rng((seed, 3))
    cases = draw_cases(index, random, count, 1, 0.0, own_share_of(index, own_share))
    columns = cases.target, cases.history[:, 0], cases.reference
    rows = []
    for *trio, side in zip(*columns, cases.side, strict=True):
        seen = pictures.read(np.array(trio))
        rows.append(list(seen[:, :, ::-1] if side else seen))
    return contact_sheet(rows, ["anchor", "same style", "same meaning"])


def augmented(folder: ImageFolder, augmentations: Augmentations, size: int, count: int, seed: int) -> np.ndarray:
    """A sheet, uint8 [H, W, 3]: pictures of a folder and how a reference may look, one row each."""
    chosen = np.random.default_rng(seed).permutation(len(folder.entries))[:count]
    rows = []
    for number in sorted(chosen.tolist()):
        picture = read(folder.entries[number].path, size)
        rows.append([picture, *(augment(picture, augmentations, seed + version) for version in range(VERSIONS))])
    return contact_sheet(rows, ["picture", *["as a reference"] * VERSIONS])
