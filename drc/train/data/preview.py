"""What a training will see, to look at before paying for it."""

import numpy as np

from ...data.augment import Augmentations, augment
from ...data.folder import ImageFolder, read
from ...plots.sheet import contact_sheet
from ...progress import OnPart, OnShare
from ..config import Pairing
from .batches import Index, draw_rows, own_share_of
from .codes import PictureSource
from .pairs import FolderPictures, indices

VERSIONS = 5  # of a picture in the sheet of augmentations


def folder_triplets(
    folder: ImageFolder,
    pairing: Pairing,
    size: int,
    count: int,
    on_picture: OnShare | None = None,
    on_part: OnPart | None = None,
) -> np.ndarray:
    """The sheet of `count` triplets of a folder; TrainingError where it does not serve for training."""
    pictures = FolderPictures(folder, pairing, size, on_part)
    training, _, _ = indices(pictures, on_picture)
    return triplets(pictures, training, pairing.own_share, count, pairing.pair_seed, on_picture)


def triplets(
    pictures: PictureSource,
    index: Index,
    own_share: float,
    count: int,
    seed: int,
    on_picture: OnShare | None = None,
) -> np.ndarray:
    """A sheet, uint8 [H, W, 3]: anchor, a picture of the same style, a picture of the same meaning in each row."""
    random = np.random.default_rng((seed, 3))
    cases = draw_rows(index, random, count, 1, 0.0, own_share_of(index, own_share))
    trios = np.stack((cases.target, cases.history[:, 0], cases.reference), axis=1)
    seen = []
    for row in trios.flat:
        seen += list(pictures.read(np.array([row])))
        if on_picture is not None:
            on_picture(len(seen), trios.size)
    shown = [picture[:, ::-1] if side else picture for picture, side in zip(seen, cases.side.repeat(3), strict=True)]
    rows = [shown[first : first + 3] for first in range(0, len(shown), 3)]
    return contact_sheet(rows, ["anchor", "same style", "same meaning"])


def augmented(
    folder: ImageFolder,
    augmentations: Augmentations,
    size: int,
    count: int,
    seed: int,
    on_picture: OnShare | None = None,
    on_part: OnPart | None = None,
) -> np.ndarray:
    """A sheet, uint8 [H, W, 3]: pictures of a folder and how a reference may look, one row each."""
    chosen = np.random.default_rng(seed).permutation(len(folder.entries))[:count]
    rows = []
    for number in sorted(chosen.tolist()):
        picture = read(folder.entries[number].path, size, on_part)
        rows.append([picture, *(augment(picture, augmentations, seed + version) for version in range(VERSIONS))])
        if on_picture is not None:
            on_picture(len(rows), len(chosen))
    return contact_sheet(rows, ["picture", *["as a reference"] * VERSIONS])
