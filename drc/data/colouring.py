"""Colours for one-colour drawings: black on white becomes an ink on a ground, exactly, through a table of 256 steps.

Layers that carry an opacity come out as greys; they get a second tone, so that a duotone stays one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..pixels import to_bytes
from .palette import distance, oklch, to_rgb

APART = 0.3  # distance of ink and ground in OKLab at least
TONE = 0.4  # the cover of a layer that takes the tone


@dataclass(frozen=True)
class Colouring:
    """Hex colours; `tone` is what a layer of a cover of TONE becomes; None: what lies between ground and ink."""

    ink: str
    ground: str
    tone: str | None = None

    def paint(self, images: np.ndarray) -> np.ndarray:
        """Black on white, uint8 [..., 3], -> uint8 [..., 3]."""
        stops = [self.ground, self.ink] if self.tone is None else [self.ground, self.tone, self.ink]
        at = [0, 1] if self.tone is None else [0, TONE, 1]
        cover = 1 - np.arange(256) / 255
        colours = np.array([to_rgb(stop) for stop in stops])
        table = np.stack([np.interp(cover, at, colours[:, channel]) for channel in range(3)], axis=1)
        return to_bytes(table)[images[..., 0]]


class Painted:
    """Black-on-white pictures [M, S, S, 3] in colours: `[row]` is painted when it is asked for, as `of[row]` says."""

    def __init__(self, images: np.ndarray, of: Mapping[int, Colouring]):
        self.images, self.of = images, of

    def __getitem__(self, row: int) -> np.ndarray:
        return self.of[row].paint(self.images[row])


def draw_colouring(random: np.random.Generator, tones: bool) -> Colouring:
    """An ink and a ground that stand well apart: on white, on a tint, or light on dark; with `tones` a second tone."""

    def colour(lightness: tuple[float, float], chroma: tuple[float, float]) -> str:
        return oklch(random.uniform(*lightness), random.uniform(*chroma), random.uniform(0, 360))

    while True:
        kind = random.random()
        if kind < 0.4:
            ground, ink = "#ffffff", colour((0.25, 0.7), (0.05, 0.25))
        elif kind < 0.7:
            ground, ink = colour((0.85, 0.97), (0.01, 0.1)), colour((0.15, 0.6), (0.02, 0.25))
        else:
            ground, ink = colour((0.15, 0.6), (0.02, 0.2)), colour((0.8, 0.99), (0.0, 0.15))
        if distance(ink, ground) > APART:
            return Colouring(ink, ground, colour((0.3, 0.9), (0.05, 0.25)) if tones else None)
