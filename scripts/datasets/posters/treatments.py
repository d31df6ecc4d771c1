"""How the subject of a poster is painted: five of the families that also restyle the emoji, in a poster's colours."""

from dataclasses import replace

from lxml import etree

from ..restyled.effects import TREATMENTS as PAINTERS
from ..restyled.program import Program
from ..svg import Drawing
from .palettes import Palette

LINE_WIDTH = 3.2
EDGED = ("outline", "misprint")  # ink runs beside the tones


def subject(drawing: Drawing, treatment: str, palette: Palette, on: str, box: tuple[float, float, float]) -> str:
    """SVG of a drawing that fills `box`, (centre x, centre y, side), on the paper, the panel or both."""
    x, y, side = box
    grounds = palette.grounds(on)
    ink = palette.ink(*grounds)
    program = replace(
        Program.sample(0, treatment),
        palette=palette.tones(*grounds, ink) if treatment in EDGED else palette.tones(*grounds),
        ground=grounds[0],
        ink=ink,
        line_width=LINE_WIDTH,
        angle=40.0,
        variant=0,
        scale=side / 128,
    )
    left, top, width, height = drawing.box
    place = (
        f"translate({x} {y}) scale({1 / program.unit(drawing):.5f}) translate({-left - width / 2} {-top - height / 2})"
    )
    layers = PAINTERS[treatment](drawing, program)
    return f'<g transform="{place}">{"".join(etree.tostring(layer).decode() for layer in layers)}</g>'
