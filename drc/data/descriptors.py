"""Descriptors of style and of meaning for pictures without labels, and neighbours that share the one but not the other.

Plain statistics of colours and edges: ours (METHOD.md, 4), in place of large networks. They see palettes and lines, not
artists and things.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from ..progress import OnShare
from .palette import to_oklab

_SHADES = 16  # per channel; colours are counted in cells of 16 x 16 x 16
_LIGHTNESSES = np.linspace(0, 1, 7)
_TINTS = np.linspace(-0.24, 0.24, 7)
_STEEPNESSES = (1, 4, 8, 16, 32, 64)  # grey levels per pixel
_FILLER = frozenset(("a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"))


def style_descriptor(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Pictures uint8 [S, S, 3] -> float32 [n, d], rows of length 1: which colours, how sharp, in which directions.

    Where things stand plays no part. The product of two rows, 0..1, says how alike two pictures are in style.
    """
    bins = _colour_bins()
    rows = []
    for picture in pictures:
        colours = np.asarray(_sized(picture, 128)) // (256 // _SHADES)
        cells = np.ravel_multi_index(tuple(np.moveaxis(colours, -1, 0)), (_SHADES,) * 3)
        parts = [_unit(np.sqrt(np.bincount(cells.ravel(), minlength=len(bins)) @ bins))]
        for size in (128, 64):
            steepness, directed = _edges(_sized(picture, size).convert("L"), directions=8)
            counts = np.bincount(np.digitize(steepness, _STEEPNESSES).ravel(), minlength=len(_STEEPNESSES) + 1)
            parts += [0.5 * _unit(np.sqrt(counts)), 0.3 * _unit(np.sqrt(directed.sum((1, 2))))]
        rows.append(np.concatenate(parts))
    return _rows(rows)


def meaning_descriptor(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Pictures uint8 [S, S, 3] -> float32 [n, d], rows of length 1: where something stands out, and its edges.

    Colours play no part, nor does whether something is dark on light or light on dark; left and right do.
    """
    rows = []
    for picture in pictures:
        image = _sized(picture, 64)
        colours = np.asarray(image, np.float32)
        border = np.concatenate((colours[0], colours[-1], colours[:, 0], colours[:, -1]))
        apart = _coarse(np.abs(colours - np.median(border, axis=0)).max(-1))
        directed = np.stack([_coarse(part) for part in _edges(image.convert("L"), directions=4)[1]])
        rows.append(np.concatenate((_unit((apart - apart.mean()).ravel()), _unit(np.sqrt(directed).ravel()))))
    return _rows(rows)


def style_neighbours(
    style: np.ndarray,
    meaning: np.ndarray,
    count: int,
    captions: Sequence[str] | None = None,
    on_picture: OnShare | None = None,
) -> list[np.ndarray]:
    """For each of n pictures the indices of the `count` nearest in style that show something else, nearest first.

    style and meaning are descriptors [n, d]. Something else is what is less alike in meaning than the median of all
    others; where both pictures have a caption, the words that they share decide instead of the descriptor. Near the
    edge of a small set there may be fewer than `count`, never none. `on_picture(done, n)` may raise to stop. Raises
    ValueError for fewer than three pictures.
    """
    total = len(style)
    if total < 3:
        raise ValueError(
            f"{total} pictures are too few to look for neighbours in style, expected at least 3; add pictures"
        )
    words, nearest = _SharedWords(captions or [""] * total), []
    for row in range(total):
        nearest.append(_nearest(style, meaning, words, row, count))
        if on_picture is not None:
            on_picture(row + 1, total)
    return nearest


def _nearest(style: np.ndarray, meaning: np.ndarray, words: "_SharedWords", row: int, count: int) -> np.ndarray:
    others = np.delete(np.arange(len(style)), row)
    told, shared = (values[others] for values in words.with_all(row))
    unlike = np.where(told, _low(shared, told), _low((meaning @ meaning[row])[others], ~told))
    candidates = others[unlike]
    return candidates[np.argsort(-(style @ style[row])[candidates], kind="stable")[:count]]


def _low(alike: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which values lie below the median of some; the least ones do, even when they are half of all."""
    if not among.any():
        return among
    return (alike < np.median(alike[among])) | (alike == alike[among].min())


def _words(caption: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", caption.lower())) - _FILLER


class _SharedWords:
    """How many of their words captions share; looked up by word, as comparing all pairs of sets takes minutes."""

    def __init__(self, captions: Sequence[str]):
        self.words = [_words(caption) for caption in captions]
        self.counts = np.array([len(its) for its in self.words])
        rows = defaultdict(list)
        for row, its in enumerate(self.words):
            for word in its:
                rows[word].append(row)
        self.rows = {word: np.array(its) for word, its in rows.items()}

    def with_all(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Of one caption and each [n]: whether both have words, and which share of all their words both have."""
        both = np.zeros(len(self.words), np.int64)
        for word in self.words[row]:
            both[self.rows[word]] += 1
        either = self.counts + self.counts[row] - both
        return (self.counts > 0) & (self.counts[row] > 0), both / np.maximum(either, 1)


def _colour_bins() -> np.ndarray:
    """[cells of sRGB, bins of OKLab]: each colour's share in the bins around it, so that near colours are alike."""
    steps = (np.arange(_SHADES) + 0.5) / _SHADES
    lab = np.array([to_oklab((red, green, blue)) for red in steps for green in steps for blue in steps])
    axes = [
        np.clip(1 - np.abs(values.clip(centres[0], centres[-1])[:, None] - centres) / (centres[1] - centres[0]), 0, 1)
        for values, centres in zip(lab.T, (_LIGHTNESSES, _TINTS, _TINTS), strict=True)
    ]
    bins = np.einsum("ni,nj,nk->nijk", *axes).reshape(len(lab), -1)
    return bins[:, bins.any(0)]


def _sized(picture: np.ndarray, size: int) -> Image.Image:
    return Image.fromarray(picture).resize((size, size), Image.Resampling.BOX)


def _edges(grey: Image.Image, directions: int) -> tuple[np.ndarray, np.ndarray]:
    """Steepness [S, S] in grey levels per pixel, and the same parted among directions [directions, S, S]."""
    down, across = np.gradient(np.asarray(grey, np.float32))
    steepness = np.hypot(across, down)
    turn = np.arctan2(down, across) / np.pi * directions  # an edge and its reverse are one direction
    near = [1 - np.abs((turn - index + directions / 2) % directions - directions / 2) for index in range(directions)]
    return steepness, steepness * np.clip(near, 0, None)


def _coarse(values: np.ndarray) -> np.ndarray:
    """[64, 64] -> [8, 8], slightly blurred, so that a small shift changes little."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((8, 8), Image.Resampling.BILINEAR))


def _unit(row: np.ndarray) -> np.ndarray:
    return row / max(float(np.linalg.norm(row)), 1e-6)


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    return np.array([_unit(row) for row in rows], np.float32)
