"""The fonts of the posters' titles: one weight each of 48 free fonts of the @fontsource packages (OFL-1.1, Apache-2.0).

scripts/lib/font_pins.py pins the packages. Titles are set as outlines, letter by letter, so that no shaping library and
no font of the system has a say in the pixels.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

from ..svg import render

FOLDER = "fonts"  # below the folder of the packages
# Script and blackletter capitals are drawn to begin a word, not to fill it.
MIXED_CASE = {
    "berkshire-swash", "caprasimo", "kaushan-script", "lobster", "pacifico", "shrikhand", "uncial-antiqua",
    "unifrakturcook", "yellowtail",
}  # fmt: skip
WEIGHTS = {
    "cabin-sketch": 700, "cinzel-decorative": 700, "comfortaa": 700, "doto": 900, "goldman": 700, "orbitron": 900,
    "passion-one": 700, "playfair-display": 900, "space-mono": 700, "unifrakturcook": 700,
}  # fmt: skip
FONTS = (
    "abril-fatface", "alfa-slab-one", "anton", "archivo-black", "audiowide", "bangers", "berkshire-swash",
    "black-ops-one", "bowlby-one-sc", "bungee", "bungee-shade", "cabin-sketch", "caprasimo", "chewy",
    "cinzel-decorative", "comfortaa", "creepster", "doto", "finger-paint", "germania-one", "goldman", "graduate",
    "jersey-10", "kaushan-script", "knewave", "krona-one", "lobster", "luckiest-guy", "medievalsharp", "monoton",
    "nosifer", "orbitron", "pacifico", "passion-one", "permanent-marker", "playfair-display", "press-start-2p",
    "rammetto-one", "righteous", "saira-stencil-one", "shrikhand", "space-mono", "special-elite", "spicy-rice",
    "titan-one", "uncial-antiqua", "unifrakturcook", "yellowtail",
)  # fmt: skip
LETTERS = "AEGMNORSTW"
"""What fonts are compared by: frequent letters that differ much between designs."""


@dataclass(frozen=True)
class Outline:
    """A word as an SVG path, y down, and the box of its ink: left, top, right, bottom."""

    path: str
    box: tuple[float, float, float, float]

    def fitted(self, x: float, y: float, width: float, height: float, turn: float, colour: str) -> str:
        """SVG of the word as large as the box around (x, y) allows, turned by degrees."""
        left, top, right, bottom = self.box
        scale = min(width / (right - left), height / (bottom - top))
        middle = f"{-(left + right) / 2} {-(top + bottom) / 2}"
        place = f"translate({x} {y}) rotate({turn}) scale({scale:.6f}) translate({middle})"
        return f'<path d="{self.path}" fill="{colour}" transform="{place}"/>'


@dataclass(frozen=True)
class Font:
    packages: Path
    name: str

    @cached_property
    def file(self) -> TTFont:
        weight = WEIGHTS.get(self.name, 400)
        return TTFont(self.packages / FOLDER / self.name / "files" / f"{self.name}-latin-{weight}-normal.woff")

    @cached_property
    def glyphs(self):
        return self.file.getGlyphSet()

    def outline(self, word: str) -> Outline:
        """A word in capitals, or with one capital where that is how the font is meant."""
        pen, bounds, x = SVGPathPen(self.glyphs, ntos=lambda value: f"{value:g}"), BoundsPen(self.glyphs), 0
        for letter in word.capitalize() if self.name in MIXED_CASE else word.upper():
            glyph = self.glyphs[self.file.getBestCmap()[ord(letter)]]
            for target in (pen, bounds):
                glyph.draw(TransformPen(target, (1, 0, 0, -1, x, 0)))
            x += glyph.width
        return Outline(pen.getCommands(), bounds.bounds)


def alike(packages: Path, names: list[str], size: int = 24) -> np.ndarray:
    """[names, names]: correlation of LETTERS, each set as the titles are and fitted into a square."""
    drawn = []
    for font in (Font(packages, name) for name in names):
        for letter in LETTERS:
            outline = font.outline(letter)
            body = outline.fitted(size / 2, size / 2, size, size, 0, "#000000")
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">{body}</svg>'
            drawn.append(render(svg, size)[..., 3])
    return np.corrcoef(np.array(drawn, float).reshape(len(names), -1))
