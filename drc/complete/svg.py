"""SVG of pictures in few flat colours, as `palette.lock` makes them, through the optional package `vtracer`.

Each colour is one path. Where two colours meet, the one below reaches a little under the one above, so that no gap
shows between them; what covers most lies lowest.
"""

import io
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image
from scipy import ndimage

from ..data.palette import to_hex
from ..interrupt import heard
from ..pixels import to_numbers
from ..progress import OnPart
from .palette import meeting, specks

MISSING = "SVG needs the Python package vtracer, which is not there; run pip install vtracer with the Python of ComfyUI"
GRID = 24
"""Units of the viewBox where nothing else is said."""
SMALL_PICTURE = 64  # pictures of a history that are at most so large are their own grid
TRACED = 768  # pixels of a side that are traced
SOFT = 2.0  # of these, over which steps of pixels are smoothed
OVERLAP = 5  # of these, that a colour reaches under its neighbour
STRAIGHT = 0.5  # of these, that a line may be off
SPECKLE = 12  # the side of a square of them, of which less is left out
FINEST = 2048  # of a picture's side, what numbers tell
MOST_COLOURS = 32
MOST_SHAPES, MOST_KILOBYTES = 200, 24
"""Outlines of a picture and size of its file, beyond which it is no drawing of a few flat colours."""
SHARE = 0.0005  # of a picture that a colour covers at least


def require() -> None:
    """ValueError where the package is missing, which says how to get it."""
    tracer()


def tracer():
    try:
        import vtracer
    except ImportError:
        raise ValueError(MISSING) from None
    return vtracer


def grid_of(sides: list[int]) -> int:
    """The units of a history's grid, of the longer sides of its pictures: icons of a few pixels are drawn on these,
    of larger ones it cannot be told."""
    return sides[0] if len(set(sides)) == 1 and sides[0] <= SMALL_PICTURE else GRID


def trace(
    picture: np.ndarray,
    grid: int = GRID,
    what: str = "the picture",
    ground: np.ndarray | None = None,
    on_part: OnPart | None = None,
) -> str:
    """A square picture uint8 [S, S, 4] as the text of an SVG file, with a viewBox of `grid` units, and with a `ground`
    uint8 [3] below where that is wanted. `on_part` is called again and again and may raise to stop.

    ValueError where the package is missing, and for `what` is no drawing in a few flat colours.
    """
    return heard(partial(traced, picture, grid, what, ground, tracer()), on_part)


def traced(picture: np.ndarray, grid: int, what: str, ground: np.ndarray | None, vtracer) -> str:
    values, labels = flat_colours(picture, what)
    scale, digits = grid / TRACED, max(0, int(np.ceil(np.log10(FINEST / grid))))
    paths, shapes = [], 0
    if ground is not None:
        paths.append(f'<path fill="{to_hex(to_numbers(ground))}" d="M0 0h{grid}v{grid}h-{grid}z"/>')
    for colour, mask in layers(picture, values, labels):
        outlines = [relative(straightened(outline), scale, digits) for outline in outlines_of(mask, vtracer)]
        shapes += len(outlines)
        if outlines:
            paths.append(f'<path fill="{to_hex(colour[:3])}" d="{"".join(outlines)}"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {grid} {grid}" width="{grid}" height="{grid}">'
    text = "\n".join([head, *paths, "</svg>\n"])
    if shapes > MOST_SHAPES or len(text) > 1024 * MOST_KILOBYTES:
        found = f"{shapes} shapes in {len(text) / 1024:.0f} kB"
        raise too_many(what, found, f"{MOST_SHAPES} shapes in {MOST_KILOBYTES} kB")
    return text


def too_many(what: str, found: str, most: str) -> ValueError:
    return ValueError(
        f"{what} would become {found}, expected a drawing of at most {most}; save it as PNG, or lock it to the colours "
        "of a history first"
    )


def flat_colours(picture: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """The colours [k, 4] of a picture's surfaces, 0 to 1, with what is transparent first and no colour of that, and
    which of them each pixel has [S, S], -1 at edges."""
    packed = picture.astype(np.int64) @ (1 << 8 * np.arange(4))
    packed[picture[..., 3] == 0] = 0
    edge = ndimage.maximum_filter(packed, 3) != ndimage.minimum_filter(packed, 3)
    found, counts = np.unique(packed[~edge], return_counts=True)
    found = found[(counts >= SHARE * packed.size) | (found == 0)]
    if len(found) > MOST_COLOURS or np.isin(packed, found).mean() < 0.5:
        raise too_many(what, "shapes of too many colours", f"{MOST_COLOURS} colours")
    found = np.concatenate(([0], found[found != 0]))
    values = to_numbers(found[:, None] >> 8 * np.arange(4) & 255)
    numbers = np.searchsorted(found, packed) % len(found)
    return values, np.where(found[numbers] == packed, numbers, -1)


def layers(picture: np.ndarray, values: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each colour where it is seen and where it reaches under those above, bool [TRACED, TRACED], the lowest
    first."""
    pixels = to_numbers(picture)
    pixels[..., :3] *= pixels[..., 3:]
    first, second, share = meeting(pixels, labels, len(values))
    votes = []
    for number in range(len(values)):
        seen = (first == number) * (1 - share) + (second == number) * share
        large = ndimage.zoom(seen, [TRACED / side for side in seen.shape], order=1, grid_mode=True, mode="nearest")
        votes.append(ndimage.gaussian_filter(large, SOFT))
    nearest = without_specks(np.argmax(votes, axis=0))
    order = sorted(range(1, len(values)), key=lambda n: -(nearest == n).sum())
    around = np.ones((3, 3), bool)
    for place, number in enumerate(order):
        own, above = nearest == number, np.isin(nearest, order[place + 1 :])
        if own.any():
            under = ndimage.binary_dilation(own, around, OVERLAP, mask=own | above) if above.any() else own
            yield values[number], under


def without_specks(labels: np.ndarray) -> np.ndarray:
    """Labels [H, W] in which what is too small has the one beside it."""
    small = specks(labels, SPECKLE**2)
    if not small.any():
        return labels
    rows, columns = ndimage.distance_transform_cdt(small, "chessboard", return_distances=False, return_indices=True)
    return labels[rows, columns]


def outlines_of(mask: np.ndarray, vtracer) -> list[list]:
    """The closed outlines of a mask, each a list of a letter and its points, in pixels."""
    file = io.BytesIO()
    Image.fromarray(np.where(mask, 0, 255).astype(np.uint8)).convert("RGB").save(file, "PNG", compress_level=1)
    text = vtracer.convert_raw_image_to_svg(
        file.getvalue(),
        img_format="png",
        colormode="binary",
        mode="spline",
        filter_speckle=SPECKLE,
        corner_threshold=60,
        length_threshold=10.0,
        splice_threshold=45,
        path_precision=3,
    )
    return [
        outline
        for path in re.finditer(r'<path d="([^"]*)"[^>]*translate\(([^)]*)\)', text)
        for outline in moved(*path.groups())
    ]


def moved(path: str, by: str) -> list[list[tuple[str, np.ndarray]]]:
    """What vtracer writes, commands in absolute numbers, as outlines moved to their place."""
    offset = np.array([float(word) for word in by.split(",")])
    outlines = []
    for letter, numbers in re.findall(r"([MLCZ])([^MLCZ]*)", path):
        points = np.array([float(word) for word in re.findall(r"-?[\d.]+", numbers)]).reshape(-1, 2) + offset
        if letter == "M":
            outlines.append([])
        outlines[-1].append((letter, points))
    return outlines


def straightened(outline: list[tuple[str, np.ndarray]]) -> list[tuple[str, np.ndarray]]:
    """An outline in which what runs along one straight line is one line."""
    (letter, begin), *rest = outline
    found, here, run = [(letter, begin)], begin[-1], []
    for command in rest:
        if command[0] != "Z" and is_straight(here, run + [command[1]]):
            run.append(command[1])
            continue
        found += ended(run)
        here, run = (run[-1][-1] if run else here), []
        if command[0] != "Z" and is_straight(here, [command[1]]):
            run = [command[1]]
        else:
            found.append(command)
            here = command[1][-1] if len(command[1]) else here
    return found + ended(run)


def ended(run: list[np.ndarray]) -> list[tuple[str, np.ndarray]]:
    return [("L", run[-1][-1:])] if run else []


def is_straight(here: np.ndarray, run: list[np.ndarray]) -> bool:
    """Whether all points [n, 2] of a run lie on the way from here to its last one, one behind the other."""
    points = np.concatenate(run) - here
    way = points[-1]
    span = np.hypot(*way)
    if span < 1e-6:
        return False
    aside, along = np.abs(points @ (way[1], -way[0])) / span, points @ way / span
    return bool(aside.max() < STRAIGHT and np.diff(along, prepend=0).min() > -STRAIGHT)


def relative(outline: list[tuple[str, np.ndarray]], scale: float, digits: int) -> str:
    """An outline as the text of a path, in units, each command from where the last one ended."""
    here, words = np.zeros(2), []
    for letter, points in outline:
        if letter == "Z":
            words.append("z")
            continue
        points = (points * scale).round(digits)
        steps = points - (0 if letter == "M" else here)
        words.append((letter if letter == "M" else letter.lower()) + brief(steps, digits))
        here = points[-1]
    return "".join(words)


def brief(steps: np.ndarray, digits: int) -> str:
    """Numbers with no more signs than they need: behind one that has a dot another dot begins the next."""
    text = ""
    for number in steps.flatten():
        word = f"{number:.{digits}f}"
        word = word.rstrip("0").rstrip(".") if "." in word else word
        word = re.sub(r"^(-?)0\.", r"\1.", "0" if word == "-0" else word)
        parted = word[0] == "-" or word[0] == "." and "." in text.rsplit(" ", 1)[-1].rsplit("-", 1)[-1]
        text += word if not text or parted else f" {word}"
    return text
