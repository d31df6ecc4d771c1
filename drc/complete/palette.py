"""Palette lock: pictures in exactly the colours of a history, their soft edges kept, and nothing where its ground is.

A model draws colours that are nearly those of the history, and a set that is shipped needs the same ones everywhere.
All definitions are ours.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from scipy import ndimage

from ..colours import APART, FLAT, Palette, as_rgb, colours_of, distances, length, unmixed
from ..data.palette import oklab_of_pixels
from ..interrupt import heard
from ..pixels import to_bytes, to_numbers
from ..progress import OnPart
from .settings import MOST_COLOURS

MOSTLY = 0.75  # of a border's pixels that have its colour where it is flat, and of the pictures where it is
CLEAR = 0.5  # a pixel's distance to its colour, as a share of that to the next, up to which there is no doubt of it
GLOSS = 0.25  # of a surface with edges all around, what is pale as the ground without an edge to it is no hole
GAIN = 0.001  # in OKLab, the mean over a picture, that another colour brings at least
DOUBT = 1 / 128  # of a side, over which what is doubtful is smoothed
FAR = 1e6  # pixels, of what there is none of
SPECK = 1 / 40  # of a picture's side; what covers less than a square of it is none of its shapes


def palette_of(history: Iterable[np.ndarray], on_part: OnPart | None = None) -> Palette:
    """Of pictures uint8 [H, W, 3], each of its own size; one after another is asked for and forgotten. `on_part` is
    called again and again and may raise to stop."""
    found, areas, flat = zip(*(heard(partial(measured, one), on_part) for one in history), strict=True)
    return joint_palette(found, areas, flat, on_part)


def joint_palette(
    found: Sequence[np.ndarray],
    areas: Sequence[np.ndarray],
    flat: Sequence[bool],
    on_part: OnPart | None = None,
) -> Palette:
    """Of what `measured` tells of each picture."""
    grounds = np.array([colours[0] for colours in found])
    ground = joined(grounds, np.ones(len(grounds)))[0]
    flat = np.array(flat) & (length(grounds - ground) < APART)
    colours, areas = np.concatenate(found), np.concatenate(areas)
    other = length(colours - ground) > APART
    others = heard(partial(joined, colours[other], areas[other]), on_part)
    count = max(1, int(np.median([len(colours) - 1 for colours in found])))
    return Palette(np.concatenate((ground[None], others))[: MOST_COLOURS + 1], count, bool(flat.mean() >= MOSTLY))


def measured(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Colours [n, 3] in OKLab of a picture [H, W, 3], the ground first, the share that each covers [n], and whether its
    border has one flat colour."""
    lab = oklab_of_pixels(picture)
    colours = colours_of(lab, picture)[: MOST_COLOURS + 1]
    away = distances(lab.reshape(-1, 3), colours)
    areas = ((away.argmin(axis=-1)[:, None] == np.arange(len(colours))) & (away < FLAT)).mean(axis=0)
    return colours, areas, has_flat_border(lab, colours[0])


def has_flat_border(lab: np.ndarray, ground: np.ndarray) -> bool:
    border = np.concatenate((lab[0], lab[-1], lab[:, 0], lab[:, -1]))
    return bool((length(border - ground) < FLAT).mean() >= MOSTLY)


def joined(colours: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Colours [m, 3] of all pictures -> [n, 3]: of those that are alike the one that covers most [m], and what most
    pictures have first."""
    joint = []
    while len(colours):
        near = np.linalg.norm(colours[:, None] - colours, axis=-1) < APART
        alike = near[near.sum(axis=1).argmax()]
        joint.append(colours[alike][areas[alike].argmax()])
        colours, areas = colours[~alike], areas[~alike]
    return np.array(joint).reshape(-1, 3)


def lock(pictures: np.ndarray, palette: Palette, count: int = 0, on_part: OnPart | None = None) -> np.ndarray:
    """Pictures uint8 [n, H, W, 3] in the colours of a palette -> uint8 [n, H, W, 4].

    Each takes the `count` colours beside the ground that are nearest to its own, 0: as many as usual. Pixels at edges
    are mixtures of the two colours that meet there. Where the ground of the history is flat it is transparent.
    `on_part` as in `palette_of`.
    """
    count = count or palette.count
    locked = [heard(partial(lock_one, picture, palette, count), on_part) for picture in pictures]
    return np.stack(locked) if locked else np.zeros((*pictures.shape[:-1], 4), np.uint8)


def lock_one(picture: np.ndarray, palette: Palette, count: int) -> np.ndarray:
    lab = oklab_of_pixels(picture).astype(np.float32)
    colours = chosen(lab, palette.colours, count)
    rgba = np.concatenate((as_rgb(colours), np.ones((len(colours), 1), np.float32)), axis=-1)
    first, second, share = meeting(to_numbers(picture), sure(lab, colours), len(colours))
    mixed = rgba[first] + share[..., None] * (rgba[second] - rgba[first])
    if palette.flat:  # the ground is never the second of two
        ground, other = first == 0, (second > 0) * share
        mixed[ground, :3], mixed[ground, 3] = rgba[second[ground], :3], other[ground]
    return to_bytes(mixed)


def chosen(lab: np.ndarray, colours: np.ndarray, count: int) -> np.ndarray:
    """The ground and at most `count` of the other colours [k, 3], those that bring a picture [H, W, 3] nearest."""
    some = lab[:: max(1, len(lab) // 128), :: max(1, len(lab) // 128)].reshape(-1, 3)
    away = distances(some, colours)
    kept = [0]
    while len(kept) <= min(count, len(colours) - 1):
        nearest = away[:, kept].min(axis=1)
        gains = (nearest[:, None] - away).clip(0).mean(axis=0)
        if gains.max() < GAIN:
            break
        kept.append(int(gains.argmax()))
    return colours[sorted(kept)]


def sure(lab: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Which colour each pixel of [H, W, 3] has, int [H, W]; -1 where it is on its way from one to another, and in what
    is too small to be a shape."""
    away = distances(lab.reshape(-1, 3), colours).reshape(*lab.shape[:2], -1)
    ramp = is_ramp(lab)
    labels = flooded(lab, away, ramp)
    labels[ramp] = -1
    labels[specks(labels, (SPECK * len(lab)) ** 2)] = -1
    borders = (ndimage.maximum_filter(labels, 3) != labels) & (ndimage.minimum_filter(labels, 3) >= 0)
    labels[borders] = -1
    return labels if (labels >= 0).any() else away.argmin(axis=-1)


def specks(labels: np.ndarray, least: float) -> np.ndarray:
    """Where what has one label [H, W] covers fewer pixels than `least`, bool."""
    found = np.zeros(labels.shape, bool)
    for number in range(labels.max() + 1):
        parts, count = ndimage.label(labels == number, np.ones((3, 3)))
        small = np.bincount(parts.ravel(), minlength=count + 1) < least
        small[0] = False
        found |= small[parts]
    return found


def flooded(lab: np.ndarray, away: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """The nearest colour of each pixel by its distances [H, W, k] to all; what lies half-way between two has that of
    the clear pixels from which there is no step to it, and else what its whole surface is nearest to."""
    labels, count = away.argmin(axis=-1), away.shape[-1]
    if count == 1:
        return labels
    nearest, other = np.moveaxis(np.partition(away, 1, axis=-1)[..., :2], -1, 0)
    steps = ndimage.morphological_gradient(lab[..., 0], 3)
    surfaces, last = ndimage.label(~ramp & (steps < APART))
    clear = ~ramp & (nearest < CLEAR * other)
    found = np.bincount((surfaces * count + labels)[clear], minlength=(last + 1) * count).reshape(last + 1, count)
    glossy = found[:, 0] < GLOSS * found.sum(axis=1)
    glossy[np.concatenate((surfaces[0], surfaces[-1], surfaces[:, 0], surfaces[:, -1], [0]))] = False
    clear &= ~(glossy[surfaces] & (labels == 0))
    heights = (255 * steps.clip(0, 1)).astype(np.uint8)
    spread = ndimage.watershed_ift(heights, np.where(clear, labels + 1, 0).astype(np.int16)) - 1
    sums = [np.bincount(surfaces.ravel(), one.ravel(), last + 1) for one in np.moveaxis(away, -1, 0)]
    doubtful = (surfaces > 0) & ~clear
    known = found.any(axis=1)[surfaces]
    labels = np.where(doubtful, np.where(known, spread, np.argmin(sums, axis=0)[surfaces]), labels)
    return smoothed(labels, ~doubtful)


def smoothed(labels: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """Labels [H, W] with those that are not clear given to what most around them have."""
    around = len(labels) * DOUBT
    votes = [ndimage.gaussian_filter((labels == n).astype(np.float32), around) for n in range(labels.max() + 1)]
    return np.where(clear, labels, np.argmax(votes, axis=0))


def is_ramp(lab: np.ndarray) -> np.ndarray:
    """Where a picture goes on changing as it did, from left to right or from top to bottom, bool [H, W]."""
    found = np.zeros(lab.shape[:2], bool)
    for axis in (0, 1):
        steps = np.diff(lab, axis=axis)
        ends, inner = ([slice(None)] * 2 for _ in range(2))
        ends[axis], inner[axis] = slice(-1), slice(1, -1)
        later = [slice(1, None) if at == axis else slice(None) for at in (0, 1)]
        before, after = steps[tuple(ends)], steps[tuple(later)]
        found[tuple(inner)] |= np.einsum("hwc,hwc->hw", before, after) > FLAT**2
    return found


def meeting(pixels: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which two of `count` colours are mixed in each pixel of [H, W, C], and the share of the second; labels [H, W] say
    where one is sure, -1 where none is. The first comes before the second in the order of colours.

    An edge is held against the pixels nearest to it that are sure, as a drawn colour may be off everywhere.
    """
    first, second, share = labels.copy(), labels.copy(), np.zeros(labels.shape, pixels.dtype)
    edge = labels < 0
    if edge.any():
        steps, colours = zip(*(beside(pixels, labels == number, edge) for number in range(count)), strict=True)
        reach = max(2, len(labels) // 100)
        first[edge], second[edge], share[edge], _ = unmixed(pixels[edge], colours, [each / reach for each in steps])
    return first, second, share


def beside(pixels: np.ndarray, there: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every pixel at an edge how many steps [P] it is to where a colour is there, and which [P, C] that is."""
    if not there.any():
        return np.full(edge.sum(), FAR, np.float32), pixels[edge]
    steps, (rows, columns) = ndimage.distance_transform_cdt(~there, "chessboard", return_indices=True)
    return steps[edge].astype(np.float32), pixels[rows[edge], columns[edge]]
