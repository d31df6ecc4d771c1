"""A poster is seven choices: five make its style, two its meaning. Any style shows any meaning: targets are exact."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..sources import drawings
from ..svg import parse, render
from .fonts import Font
from .layouts import LAYOUTS
from .page import ground, page
from .palettes import PALETTES
from .treatments import subject

STYLE_FACTORS = ("font", "palette", "layout", "ground", "treatment")
MEANING_FACTORS = ("word", "subject")
FACTORS = STYLE_FACTORS + MEANING_FACTORS
SUBJECTS = "fluent-flat"
"""The emoji set that the subjects are from (MIT)."""


@dataclass(frozen=True)
class Poster:
    """The names of seven levels, one of each factor. Has what `drc.data.pictures.Picture` has."""

    font: str
    palette: str
    layout: str
    ground: str
    treatment: str
    word: str
    subject: str  # code point

    @property
    def style(self) -> str:
        return "poster/" + "/".join(getattr(self, factor) for factor in STYLE_FACTORS)

    @property
    def meaning(self) -> str:
        return f"{self.word}/{self.subject}"

    @property
    def drawing(self) -> str:
        """A meaning is drawn with the same lines in every style."""
        return self.meaning


class Studio:
    """Draws posters with the fonts and subjects of `packages`, the folder made by scripts/fetch_packages.py."""

    def __init__(self, packages: Path):
        self.font = cache(lambda name: Font(packages, name))
        self.title = cache(lambda font, word: self.font(font).outline(word))
        self.drawing = cache(lambda code: parse(self.subjects[code]))
        self.subjects = drawings(packages, SUBJECTS)

    def svg(self, poster: Poster) -> str:
        layout, palette = LAYOUTS[poster.layout], PALETTES[poster.palette]
        ink = palette.ink(*palette.grounds(layout.title_on))
        return page(
            ground(poster.ground, palette)
            + f'<path d="{layout.panel}" fill-rule="evenodd" fill="{palette.panel}"/>'
            + subject(self.drawing(poster.subject), poster.treatment, palette, layout.subject_on, layout.subject)
            + self.title(poster.font, poster.word).fitted(*layout.title, ink)
        )

    def draw(self, poster: Poster, size: int) -> np.ndarray:
        """uint8 [size, size, 3]. The same poster gives the same bytes."""
        return render(self.svg(poster), size)[..., :3]
