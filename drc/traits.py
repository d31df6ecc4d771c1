"""What designers look at in a set of icons, as numbers: colours, visual weight, padding, width of lines, corners.

All from the pixels alone, so a true picture and a drawn one are measured alike. Definitions are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .colours import colours_of
from .data.palette import oklab_of_pixels

LINES = 2.0  # a drawing is lines where its widest parts are at most so many times as wide as its middling ones
FINER = 4  # times as many pixels, in which widths are measured: a thin line has one or two
WIDEST_LINE = 0.16  # of the picture's side
WIDEST_CORNER = 0.09  # of the picture's side; a disc of this radius is rolled along the inside of what is drawn
FEWEST_CORNERS = 2  # of which a radius is read
TIP = 2**0.5 - 1  # a sharp right angle reaches so many radii beyond the disc that touches both its sides
SOFT_EDGE = 0.6  # pixels that a soft edge rounds any corner by; measured on drawn boxes


@dataclass(frozen=True)
class Traits:
    """Lengths are shares of the picture's side. `colours` [n, 3] in OKLab, as `colours_of` finds them."""

    colours: np.ndarray
    weight: float
    """Visual weight: the share of the picture that is covered, edges by how much of them is."""
    padding: float
    """From what is drawn to the nearest side."""
    stroke: float
    """Width of lines; of filled shapes, their middling width. Only what stands out most counts: the lines of a duotone,
    not its tints."""
    lines: bool
    corner: float
    """Middling radius of the outer corners, read as right angles; nan where none can be read."""


def traits(image: np.ndarray) -> Traits:
    """Of a picture uint8 [S, S, 3]."""
    lab = oklab_of_pixels(image)
    colours = colours_of(lab, image)
    cover = coverage(lab, colours)
    ink = cover > 0.5
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    side = len(image)
    if len(rows) == 0:
        return Traits(colours, float(cover.mean()), 0.5, 0.0, False, float("nan"))
    padding = min(rows[0], columns[0], side - 1 - rows[-1], side - 1 - columns[-1]) / side
    widths = local_widths(finer(outstanding(lab, colours), FINER)) / (FINER * side)
    stroke = float(np.median(widths))
    lines = stroke <= WIDEST_LINE and bool(np.percentile(widths, 95) <= LINES * stroke)
    return Traits(colours, float(cover.mean()), float(padding), stroke, lines, corner_radius(cover))


def coverage(lab: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """How much of each pixel is drawn on [S, S], 0 to 1: how far it is from the ground on the way to the nearest of its
    other colours."""
    if len(colours) == 1:
        return np.zeros(lab.shape[:2])
    ground, inks = colours[0], colours[1:]
    nearest = np.linalg.norm(lab[..., None, :] - inks, axis=-1).argmin(axis=-1)
    away = np.linalg.norm(lab - ground, axis=-1)
    return np.clip(away / np.linalg.norm(inks - ground, axis=-1)[nearest], 0, 1)


def outstanding(lab: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """How much each pixel of a picture [S, S, 3] stands out from the ground, [S, S]; the most is 1."""
    away = np.linalg.norm(np.concatenate((lab.reshape(-1, 3), colours)) - colours[0], axis=-1)
    return (away[: -len(colours)] / away[-len(colours) :].max()).reshape(lab.shape[:2])


def strongest(lab: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Where a picture [S, S, 3] is drawn in what stands out most from the ground, bool [S, S]."""
    return outstanding(lab, colours) > 0.5


def finer(cover: np.ndarray, times: int) -> np.ndarray:
    """What of a cover [S, S] is more than half, in so many times as many pixels, bool, without what is empty around."""
    return ndimage.zoom(cropped(cover), times, order=1, grid_mode=True, mode="nearest") > 0.5


def local_widths(ink: np.ndarray) -> np.ndarray:
    """The width, in pixels, along the middle of everything drawn; ink is bool [S, S], not all False."""
    depth = ndimage.distance_transform_edt(np.pad(ink, 1))[1:-1, 1:-1]
    middle = (depth == ndimage.maximum_filter(depth, 3)) & ink
    return 2 * depth[middle] - 0.5  # from centre to centre of pixels: half a pixel too much of an odd width's


def corner_radius(cover: np.ndarray) -> float:
    """Of a cover [S, S]: what the disc cannot reach is a corner, and its tip tells how sharp it is."""
    solid = ndimage.binary_fill_holes(np.pad(finer(cover, 2), 1))
    side = 2 * len(cover)
    reach = WIDEST_CORNER * side
    core = ndimage.distance_transform_edt(solid) >= reach - 0.5
    if not core.any():
        return float("nan")
    away = ndimage.distance_transform_edt(~core)
    corners, count = ndimage.label(solid & (away > reach + 0.5))
    tips = ndimage.maximum(away, corners, range(1, count + 1)) - reach
    tips = tips[(tips > 2) & (tips < 1.25 * TIP * reach)]  # below are pixels of an edge, above are arms and lines
    if len(tips) < FEWEST_CORNERS:
        return float("nan")
    radius = reach - np.median(tips) / TIP - 2 * SOFT_EDGE
    return float(max(radius, 0) / side)


def cropped(cover: np.ndarray) -> np.ndarray:
    """The part of a cover [S, S] that has all that is drawn and a pixel around it; all of it where nothing is."""
    found = ndimage.find_objects(ndimage.binary_dilation(cover > 0.5), 1)
    return cover[found[0]] if found[0] else cover


def palette_distance(colours: np.ndarray, others: np.ndarray) -> float:
    """Mean OKLab distance of each colour of a picture to the nearest of the others."""
    return float(np.linalg.norm(colours[:, None] - others[None], axis=-1).min(axis=1).mean())


def departures(picture: Traits, history: Sequence[Traits]) -> dict[str, float]:
    """How far a picture is from the mean of a history, trait by trait; nan where either has none.

    `stroke` is a share of the history's mean over what is drawn in lines, and nan unless that is at least half of it.
    `palette` is `palette_distance` from all colours of the history; the rest are differences.
    """
    lines = [one.stroke for one in history if one.lines]
    stroke = float(np.mean(lines)) if 2 * len(lines) >= len(history) else float("nan")
    colours = np.concatenate([one.colours for one in history])
    corners = [one.corner for one in history if not np.isnan(one.corner)]
    return {
        "stroke": picture.stroke / stroke - 1,
        "weight": picture.weight - float(np.mean([one.weight for one in history])),
        "padding": picture.padding - float(np.mean([one.padding for one in history])),
        "corner": picture.corner - (float(np.mean(corners)) if corners else float("nan")),
        "palette": palette_distance(picture.colours, colours),
        "colours": len(picture.colours) - float(np.mean([len(one.colours) for one in history])),
    }
