"""The colours of a picture: its ground, its surfaces, and lines too thin to be flat anywhere. Definitions are ours.

Whoever asks for colours asks here: what is measured and what is locked is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from PIL import Image

from .data.palette import oklab_of_pixels, pixels_of_oklab
from .pixels import to_numbers

FLAT = 0.04  # OKLab distance below which neighbours have one colour; what lies between two colours is edge
APART = 0.1  # below which two colours are one
BINS = 64  # along each side of OKLab, which is at most 2 / APART of them wide
SHARE = 0.01  # of the flat pixels that a colour has at least
LINE = 0.002  # of a picture's pixels that a colour has at least which is nowhere flat, such as that of thin lines
FARTHEST = 0.1  # of these, the share that shows the colour unmixed
FEW = 8  # colours of a picture up to which such are looked for, in so many rows and columns of it
SEARCHED = 256
SEEN = 128  # pixels of the side of pictures that are measured
BESIDE = 0.15  # that a mixture costs for each hundredth of a side to what it is mixed of
NEAR = 4.0  # of such hundredths, up to which a colour has a part in a mixture


@dataclass(frozen=True)
class Palette:
    """The colours of a history."""

    colours: np.ndarray
    """[k, 3] in OKLab: the ground, then those of most pictures first."""
    count: int
    """How many a picture usually has beside the ground."""
    flat: bool
    """Whether the ground is one flat colour, the same in all pictures."""


@dataclass(frozen=True)
class Look:
    """What files take from the pictures of a history: its colours, and the units of its grid."""

    palette: Palette
    grid: int


def colours_of(lab: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Of a picture uint8 [H, W, 3], and the same in OKLab: colours [n, 3] in OKLab, the ground first, then what else is
    flat, by area, and then what no mixture of two of those explains, as are lines too thin to be flat anywhere.

    Of a larger picture than SEEN they are those that show when it is as small: not the fringe of a line.
    """
    colours = thin_colours(lab, picture, flat_colours(lab))
    if min(picture.shape[:2]) <= SEEN:
        return colours
    small = np.asarray(Image.fromarray(picture).resize((SEEN, SEEN), Image.Resampling.BOX))
    shown = colours_of(oklab_of_pixels(small), small)
    seen = distances(colours, shown).min(axis=1) < APART
    seen[0] = True
    return colours[seen]


def thin_colours(lab: np.ndarray, picture: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The colours [n, 3] of a picture [H, W, 3], and those that no mixture of two of them explains."""
    stride = max(1, len(picture) // SEARCHED)
    lab, rgb = (each[::stride, ::stride].reshape(-1, 3) for each in (lab, to_numbers(picture)))
    while len(colours) <= FEW:
        off = unmixed(rgb, as_rgb(colours))[3]
        clear = (off > APART) & (distances(lab, colours).min(axis=1) > APART)
        if clear.sum() < LINE * len(off):
            break
        farthest = clear & (off >= np.quantile(off[clear], 1 - FARTHEST))
        colours = np.concatenate((colours, np.median(lab[farthest], axis=0)[None]))
    return colours


def ground_of(lab: np.ndarray) -> np.ndarray:
    """The colour [3] of the border of a picture [S, S, 3]."""
    border = np.concatenate((lab[0], lab[-1], lab[:, 0], lab[:, -1]))
    return np.median(border, axis=0)


def flat_colours(lab: np.ndarray) -> np.ndarray:
    """Colours [n, 3] of a picture [S, S, 3]: the ground, then what else is flat, by area; edges are no colours.

    Where nothing else is flat, as of hair lines, what is farthest from the ground is the other colour.
    """
    ground, flat = ground_of(lab), lab[steepest(lab) < FLAT]
    found, left = [ground], flat[np.linalg.norm(flat - ground, axis=-1) > APART]
    while len(left) > SHARE * len(flat):
        near = np.linalg.norm(left - most_common((left / APART).round()) * APART, axis=-1) < APART
        colour = left[near].mean(axis=0)
        kept = np.linalg.norm(left - colour, axis=-1) > APART
        if (~kept).sum() < SHARE * len(flat):
            break
        found.append(colour)
        left = left[kept]
    if len(found) == 1:
        away = np.linalg.norm(lab - ground, axis=-1)
        if (clear := away > APART).any():
            found.append(lab[clear & (away >= np.percentile(away[clear], 90))].mean(axis=0))
    return np.array(found)


def steepest(lab: np.ndarray) -> np.ndarray:
    """The largest step from each pixel of a picture [S, S, 3] to one of its four neighbours, the far edge's too."""
    steps = [np.linalg.norm(lab - np.roll(lab, 1, axis), axis=-1) for axis in (0, 1)]
    return np.max([np.maximum(step, np.roll(step, -1, axis)) for axis, step in enumerate(steps)], axis=0)


def most_common(rows: np.ndarray) -> np.ndarray:
    """Of whole numbers [n, 3] between -BINS / 2 and BINS / 2 the row that is there most often, of several the least."""
    places = BINS ** np.arange(2, -1, -1)
    keys, counts = np.unique((rows + BINS // 2).astype(int) @ places, return_counts=True)
    return keys[counts.argmax()] // places % BINS - BINS // 2


def unmixed(
    pixels: np.ndarray, colours: Sequence[np.ndarray], steps: list[np.ndarray] | None = None
) -> tuple[np.ndarray, ...]:
    """Of pixels [P, C] the two of the colours, [C] or [P, C] each, in their order, whose mixture is nearest, the share
    of the second and how far it is: all [P]. `steps` [P] say how far each colour lies away; the nearer the better.

    Between two that are alike it is midway that one becomes the other.
    """
    steps = [np.zeros(len(pixels), pixels.dtype)] * len(colours) if steps is None else steps
    alone = np.stack([length(pixels - of) + BESIDE * away for of, away in zip(colours, steps, strict=True)])
    first, best = alone.argmin(axis=0), alone.min(axis=0)
    second, share, off = first.copy(), np.zeros(len(pixels), pixels.dtype), best.copy()
    for a, b in combinations(range(len(colours)), 2):
        here = np.flatnonzero((steps[a] < NEAR) & (steps[b] < NEAR))
        begin, end = (colours[n][here] if colours[n].ndim == 2 else colours[n] for n in (a, b))
        way, from_a = end - begin, pixels[here] - begin
        span, of_a, of_b = np.square(way).sum(axis=-1), steps[a][here], steps[b][here]
        part = ((from_a * way).sum(axis=-1) / np.maximum(span, 1e-9)).clip(0, 1)
        part = np.where(span < FLAT**2, of_a / np.maximum(of_a + of_b, 1e-9), part)
        distance = length(from_a - part[:, None] * way)
        cost = distance + BESIDE * np.maximum((part < 1) * of_a, (part > 0) * of_b)
        better = cost < best[here]
        at = here[better]
        first[at], second[at], share[at] = a, b, part[better]
        best[at], off[at] = cost[better], distance[better]
    return first, second, share, off


def as_rgb(colours: np.ndarray) -> np.ndarray:
    """OKLab [k, 3] -> sRGB from 0 to 1, as a file keeps them."""
    return to_numbers(pixels_of_oklab(colours))


def length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(vectors).sum(axis=-1))


def distances(pixels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """[P, C] and [k, C] -> [P, k]"""
    squares = np.square(pixels).sum(axis=-1)[:, None] - 2 * pixels @ colours.T.astype(pixels.dtype)
    return np.sqrt((squares + np.square(colours).sum(axis=-1)).clip(0))
