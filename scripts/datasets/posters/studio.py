"""The studio that draws posters."""

from functools import cache
from pathlib import Path

import numpy as np

from drc.data.posters import SUBJECTS, Poster

from ..emoji.sources import drawings
from ..svg import parse, render
from .fonts import Font
from .layouts import LAYOUTS
from .page import ground, page
from .palettes import PALETTES
from .treatments import subject


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
