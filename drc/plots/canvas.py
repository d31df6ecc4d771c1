"""What every picture of numbers is drawn with: colours, letters, and a canvas in final pixels, light on the dark ground
of the host."""

import unicodedata
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GROUND, GRID, DIM, MUTED, LIGHT = "#202226", "#363a41", "#7d838c", "#a3a8b0", "#e6e7ea"
COLOURS = ("#56b4f0", "#ffa53a", "#35c2a5", "#f0719f", "#d98cf0", "#9fdd5f", "#f2e05a", "#8f9bff")
"""Of what is compared, in this order."""
RED = "#ff7a6b"  # of what is wrong

SHARP = 2  # drawn this much larger and shrunk, so that lines are smooth
TITLE, SMALL = 19, 15  # sizes of letters in pixels


class Estimate(Protocol):
    """A mean with its interval."""

    mean: float
    low: float
    high: float


class Canvas:
    """A picture in final pixels, drawn larger and shrunk, so that lines are smooth."""

    def __init__(self, width: float, height: float):
        self.picture = Image.new("RGB", (round(width * SHARP), round(height * SHARP)), GROUND)
        self.pen = ImageDraw.Draw(self.picture)

    def array(self) -> np.ndarray:
        return np.array(self.picture.reduce(SHARP))

    def text(self, x: float, y: float, words: str, colour=LIGHT, size=SMALL, anchor="ls", room: float = 1e4) -> float:
        """Writes a line of at most `room` pixels and returns its width."""
        font = ImageFont.load_default(size * SHARP)
        words = shortened(words, font, room * SHARP)
        self.pen.text((x * SHARP, y * SHARP), words, colour, font, anchor=anchor)
        return font.getlength(words) / SHARP

    def line(self, places: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        self.pen.line([(x * SHARP, y * SHARP) for x, y in places], colour, max(1, round(width * SHARP)), joint="curve")

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        self.pen.rectangle((left * SHARP, top * SHARP, right * SHARP, bottom * SHARP), colour)

    def dot(self, x: float, y: float, colour: str, radius: float = 4.5) -> None:
        self.pen.ellipse([(at + off) * SHARP for off in (-radius, radius) for at in (x, y)], colour)


class Panel:
    """A square of a canvas whose axes run from 0 to 1, told in percent."""

    def __init__(self, canvas: Canvas, left: float, top: float, width: float, height: float):
        self.canvas, self.left, self.top, self.width, self.height = canvas, left, top, width, height

    def place(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.width, self.top + (1 - y) * self.height

    def grid(self, upright: bool = False) -> None:
        """Lines at every quarter, with numbers on the left and, if `upright`, below."""
        for share in (0, 0.25, 0.5, 0.75, 1):
            x, y = self.place(share, share)
            self.canvas.line((self.place(0, share), self.place(1, share)), GRID)
            self.canvas.text(self.left - 6, y, f"{100 * share:.0f}", MUTED, 12, "rm")
            if upright:
                self.canvas.line((self.place(share, 0), self.place(share, 1)), GRID)
                self.canvas.text(x, self.top + self.height + 5, f"{100 * share:.0f}", MUTED, 12, "mt")

    def mark(self, x: float, number: Estimate, colour: str, dim: bool = False) -> None:
        """A dot with its interval."""
        self.canvas.line((self.place(x, number.low), self.place(x, number.high)), colour, 0.5 if dim else 1)
        self.canvas.dot(*self.place(x, number.mean), colour, 3 if dim else 4.5)


def legend(canvas: Canvas, left: float, line: float, right: float, names: dict[str, str]) -> None:
    """Coloured names, as many lines as they need."""
    x = left
    for name, colour in names.items():
        width = ImageFont.load_default(SMALL * SHARP).getlength(plain(name)) / SHARP
        if x > left and x + 16 + width > right:
            x, line = left, line + SMALL + 8
        canvas.dot(x + 5, line - 5, colour)
        x += 32 + canvas.text(x + 15, line, name, room=right - x - 15)


def write_head(canvas: Canvas, title: str, note: str) -> None:
    canvas.text(16, 30, title, size=TITLE)
    canvas.text(16, 52, note, MUTED)


def shortened(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text on one line, cut with "..." where it is wider than `width` pixels."""
    text = plain(text)
    if font.getlength(text) <= width:
        return text
    text = text[: max(0, int(width))]  # no letter is narrower than a pixel
    while text and font.getlength(text.rstrip() + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..." if text else ""


def plain(text: str) -> str:
    """One line of ASCII, all that Pillow's own font can draw: accents fall off, other letters become "?"."""
    return " ".join(without_accents(text).encode("ascii", "replace").decode().split())


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def label(name: str, number: int) -> str:
    """The name where its letters can be drawn; else its number in the list, from 1."""
    return name if without_accents(name).isascii() else f"no. {number}"
