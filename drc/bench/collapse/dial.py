"""The collapse meter as a picture: a dial for style, one for meaning and one for copying, and the verdict."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...plots.canvas import GRID, GROUND, LIGHT, MUTED, RED, SHARP, shortened
from ...plots.curve import SEMANTICS, STYLE
from .meter import LINE, Reading

DIALS = (("style kept", STYLE.colour), ("meaning kept", SEMANTICS.colour), ("copying", RED))
WIDTH, HEIGHT = 768, 320
TITLE, LARGE, SMALL = 26, 22, 15  # sizes of letters in pixels
OPEN, SWEEP = 150, 240  # degrees, clockwise from three o'clock: where a dial begins, and how far it goes


def dial_picture(readings: Sequence[Reading]) -> np.ndarray:
    """Readings of one picture or several, uint8 [320, 768, 3]: the pointers show means, dots show each picture.

    Over the bright part of a dial lies what is kept, or copied. ValueError without a reading.
    """
    if not readings:
        raise ValueError("the collapse meter was given no picture to read; connect at least one")
    picture = Image.new("RGB", (WIDTH * SHARP, HEIGHT * SHARP), GROUND)
    pen = ImageDraw.Draw(picture)
    write_verdict(pen, readings)
    numbers = np.array([(reading.style, reading.meaning, reading.copying) for reading in readings])
    for place, ((name, colour), values) in enumerate(zip(DIALS, numbers.T, strict=True)):
        middle = (place + 0.5) * WIDTH / len(DIALS) * SHARP, 0.59 * HEIGHT * SHARP
        draw_dial(pen, middle, name, colour, values)
    return np.array(picture.reduce(SHARP))


def write_verdict(pen, readings: Sequence[Reading]) -> None:
    """The most frequent verdict, and of how many pictures it is."""
    verdicts = [reading.verdict for reading in readings]
    most = max(verdicts, key=verdicts.count)
    font, small = (ImageFont.load_default(size * SHARP) for size in (TITLE, SMALL))
    left, line = 24 * SHARP, 44 * SHARP
    pen.text((left, line), most, LIGHT, font, anchor="ls")
    if len(readings) > 1:
        words = f"{verdicts.count(most)} of {len(readings)} pictures; pointers show means, dots each picture"
        room = WIDTH * SHARP - 2 * left - font.getlength(most)
        pen.text((WIDTH * SHARP - left, line), shortened(words, small, room), MUTED, small, anchor="rs")


def draw_dial(pen, middle: tuple[float, float], name: str, colour: str, values: np.ndarray) -> None:
    (x, y), radius, thick = middle, 0.29 * HEIGHT * SHARP, 12 * SHARP
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.arc(box, OPEN, OPEN + SWEEP * LINE, GRID, thick)
    pen.arc(box, OPEN + SWEEP * LINE, OPEN + SWEEP, colour, thick)
    for value in values if len(values) > 1 else ():
        dot(pen, on_circle(middle, radius - thick / 2, value), 3 * SHARP, LIGHT)
    mean = float(values.mean())
    tip, back = on_circle(middle, radius - 1.6 * thick, mean), on_circle(middle, -0.12 * radius, mean)
    pen.line((*back, *tip), LIGHT, 3 * SHARP)
    dot(pen, middle, 6 * SHARP, LIGHT)
    for end in (0, 1):
        place = on_circle(middle, radius + thick, end)
        pen.text(place, str(end), MUTED, ImageFont.load_default(SMALL * SHARP), anchor="mm")
    below = y + radius * 0.62
    pen.text((x, below), f"{mean:.2f}", LIGHT, ImageFont.load_default(LARGE * SHARP), anchor="mm")
    pen.text((x, below + 30 * SHARP), name, MUTED, ImageFont.load_default(SMALL * SHARP), anchor="mm")


def on_circle(middle: tuple[float, float], radius: float, value: float) -> tuple[float, float]:
    """Where 0..1 lies on a dial."""
    angle = math.radians(OPEN + SWEEP * value)
    return middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)


def dot(pen, middle: tuple[float, float], radius: float, colour: str) -> None:
    x, y = middle
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
