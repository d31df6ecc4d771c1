"""Marks of a designer's hand: a row of numbers from the pixels alone, of what a trained eye compares without counting.

Each tells little; `hands` knows how far they lie apart within a set and between sets. Definitions are ours. Numbers
that spread over powers are logarithms, with a small number added so that there is one of nothing.
"""

import numpy as np
from scipy import ndimage

from ..colours import colours_of
from ..data.palette import oklab_of_pixels
from ..traits import coverage, cropped, local_widths, strongest

SIDE = 128  # pixels of the pictures that are measured
DISCS = (2, 3.5, 6, 10)  # radii in pixels
GAP = 4  # radius in pixels of the disc that does not fit into a gap
GRIDS = (16, 20, 24, 32)  # lines of the grids that icons are drawn on
DIRECTIONS = (0, 2.5, 8, 20, 35, 43, 45)  # degrees from upright or level
SOFT, ROUND, NEAR = 0.7, 3.0, 2.5  # pixels of blurs: of a direction, of a corner, of a neighbourhood
EDGE = 0.05  # slope from which on there is an edge

GROUPS = {
    "colours": ("colours", "ground", "lightness", "contrast", "chroma", "strongest", "red", "yellow"),
    "amount of ink": ("ink", "outline"),
    "size and place": ("length", "padding", "height"),
    "how filled it is": ("silhouette", "filled"),
    "thickness of its parts": (*(f"disc {radius:g}" for radius in DISCS), "widest"),
    "ends, corners and gaps": ("tips", "nooks", "smooth", "gaps"),
    "direction of its edges": ("straight", *(f"from {angle:g}" for angle in DIRECTIONS[:-1])),
    "grid of its edges": (*(f"grid {lines}" for lines in GRIDS), *(f"on grid {lines}" for lines in GRIDS)),
}
"""In the order of the row: what belongs together, as a painter would call it."""
MARKS = tuple(name for group in GROUPS.values() for name in group)


def marks(image: np.ndarray) -> np.ndarray:
    """Of a picture uint8 [128, 128, 3], float64 [MARKS]; all nan where nothing is drawn."""
    lab = oklab_of_pixels(image)
    colours = colours_of(lab, image)
    cover = coverage(lab, colours)
    ink = cover > 0.5
    if not ink.any():
        return np.full(len(MARKS), np.nan)
    strong = strongest(lab, colours)
    slopes = np.gradient(ndimage.gaussian_filter(cover, SOFT, truncate=3))
    found = (
        *of_colours(lab, colours, ink, strong),
        *of_ink(cover, slopes),
        *of_place(ink),
        *of_shape(cropped(ink.astype(float)) > 0.5),
        float(np.log(np.percentile(local_widths(strong), 95))),
        *of_corners(cover, np.hypot(*slopes)),
        gaps(cropped(ink.astype(float)) > 0.5),
        *of_directions(*slopes),
        *of_grids(*slopes),
    )
    return np.array(found)


def of_colours(lab: np.ndarray, colours: np.ndarray, ink: np.ndarray, strong: np.ndarray) -> tuple[float, ...]:
    drawn = lab[ink]
    most = np.median(lab[strong], axis=0)
    chroma = np.hypot(drawn[:, 1], drawn[:, 2]).mean()
    return np.log(len(colours)), colours[0, 0], drawn[:, 0].mean(), drawn[:, 0].std(), chroma, *most


def of_ink(cover: np.ndarray, slopes: list[np.ndarray]) -> tuple[float, float]:
    """How much is drawn and how long its edge is; together the mean width, finer than pixels."""
    return np.log(cover.mean() + 0.02), np.log(np.hypot(*slopes).sum() / SIDE + 0.5)


def of_place(ink: np.ndarray) -> tuple[float, float, float]:
    """Longest side, padding, and how much nearer to the bottom than to the top, in shares of the side."""
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    above, below, left, right = rows[0], SIDE - 1 - rows[-1], columns[0], SIDE - 1 - columns[-1]
    longest = SIDE - min(above + below, left + right)
    return longest / SIDE, min(above, below, left, right) / SIDE, (above - below) / SIDE


def of_shape(ink: np.ndarray) -> tuple[float, ...]:
    """The silhouette, how much of it is filled, and how much discs reach, which is how thick its parts are."""
    area, solid = ink.sum(), ndimage.binary_fill_holes(ink).sum()
    depth = ndimage.distance_transform_edt(np.pad(ink, 1))
    reached = [(opened(depth, radius)[1:-1, 1:-1] & ink).sum() / area for radius in DISCS]
    thick = [np.log((share + 0.03) / (1.03 - share)) for share in reached]
    return np.log(solid / SIDE**2 + 0.05), np.log(area / solid + 0.05), *thick


def opened(depth: np.ndarray, radius: float) -> np.ndarray:
    """What a disc reaches that is rolled within a shape of this depth from its edge."""
    core = depth >= radius
    return ndimage.distance_transform_edt(~core) < radius if core.any() else core


def gaps(ink: np.ndarray) -> float:
    """How much there is into which a disc does not fit: gaps and inner corners."""
    room = int(GAP) + 2
    wide = np.pad(ink, room)
    closed = ~opened(ndimage.distance_transform_edt(~np.pad(wide, GAP)), GAP)[GAP:-GAP, GAP:-GAP]
    return float(np.log((closed & ~wide).sum() / ink.sum() + 0.02))


def of_corners(cover: np.ndarray, slope: np.ndarray) -> tuple[float, float, float]:
    """Shares of the edge at which there is little around, as at a tip, much, as in a nook, half, as along a line."""
    around = ndimage.gaussian_filter(cover, ROUND, truncate=3)[slope > 3 * EDGE]
    if not len(around):
        return 0, 0, 0
    return (around < 0.28).mean(), (around > 0.72).mean(), ((around > 0.45) & (around < 0.55)).mean()


def of_directions(down: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    """How alike the directions of edges are nearby, and how much of the edge has which direction."""
    slope = np.hypot(down, right)
    edge = slope > EDGE
    if not edge.any():
        return (0,) * len(DIRECTIONS)
    parts = right * right, right * down, down * down
    xx, xy, yy = (ndimage.gaussian_filter(part, NEAR, truncate=2.5)[edge] for part in parts)
    alike = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy)
    angle = np.degrees(np.arctan2(down[edge], right[edge])) % 90
    lengths, _ = np.histogram(np.minimum(angle, 90 - angle), DIRECTIONS, weights=slope[edge])
    return np.average(alike, weights=slope[edge]), *lengths / slope[edge].sum()


def of_grids(down: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    """Of each grid: how regularly upright and level edges keep its step, and whether they are on its lines (1) or
    between them (-1)."""
    upright = np.where(np.abs(down) < 0.15 * np.abs(right), np.abs(right), 0).sum(axis=0)
    level = np.where(np.abs(right) < 0.15 * np.abs(down), np.abs(down), 0).sum(axis=1)
    turns = np.exp(2j * np.pi * np.outer((np.arange(SIDE) + 0.5) / SIDE, GRIDS))
    found = [edges @ turns / (edges.sum() + 1) for edges in (upright, level)]
    return *np.mean(np.abs(found), axis=0), *np.mean(np.real(found), axis=0)
