"""A set report as a picture: the history, and below it a row for each picture, the worst first."""

import math
from collections.abc import Sequence

import numpy as np

from ..plots.canvas import COLOURS, DIM, GRID, LIGHT, MUTED, RED, SHARP, Canvas, write_head
from ..plots.sheet import fitted
from .report import FITS, LINE, MISFITS, NOT_TOLD, TRAITS, Report, Row, signed

WIDTH, EDGE, CELL, GAP = 1024, 16, 56, 8  # pixels
HEAD, LEGEND, LINE_HEIGHT = 68, 30, 19
MOST_SHOWN = 40  # rows; the text has them all
SHADES = {FITS: COLOURS[2], MISFITS: RED, NOT_TOLD: MUTED}
KEY = (
    f"numbers: how many spreads of the set a trait is above or below it, red from {LINE:g} on; in brackets the verdict "
    "on all: up to 0 it fits",
    "stroke: width of lines. weight: how much is covered. padding: room to the edge. corner: how round. palette: how "
    "far from the set's colours.",
    "colours: how many. not read: such as a stroke where nothing is a line. no. 3: the third of the list, whose name "
    "has letters that cannot be drawn here.",
    "grid of its edges: straight edges of a set lie on the same few lines, those of a drawing waver.",
)


def report_sheet(found: Report, drawn: Sequence[np.ndarray], history: Sequence[np.ndarray]) -> np.ndarray:
    """Of a report, its pictures and those of the history, uint8 [H, W, 3] each; uint8 [rows, 1024, 3]."""
    rows = found.rows[:MOST_SHOWN]
    left_out = len(found.rows) - len(rows)
    top = HEAD + CELL + LEGEND
    end = [f"and {left_out} more, see the text"] if left_out else []
    end += KEY
    below = top + len(rows) * (CELL + GAP)
    canvas = Canvas(WIDTH, below + len(end) * LINE_HEIGHT + EDGE)
    most = (WIDTH - 2 * EDGE) // (CELL + GAP)
    more = f" and {len(history) - most} more of it" if len(history) > most else ""
    write_head(canvas, found.title, f"the history{more}; below it the new pictures, the worst first")
    for place, picture in enumerate(history[:most]):
        paste(canvas, EDGE + place * (CELL + GAP), HEAD, picture)
    places = {trait: 330 + 68 * place for place, trait in enumerate(TRAITS)}
    for trait, x in places.items():
        canvas.text(x, top - 9, trait, MUTED, 13, "ms")
    for number, row in enumerate(rows):
        draw_row(canvas, top + number * (CELL + GAP), row, drawn[row.number], places)
    for number, line in enumerate(end, 1):
        canvas.text(EDGE, below + number * LINE_HEIGHT, line, MUTED, 13)
    return canvas.array()


def draw_row(canvas: Canvas, top: float, row: Row, picture: np.ndarray, places: dict[str, float]) -> None:
    """The picture, its name and verdict, its z-scores, and in words what stands out."""
    middle = top + CELL / 2
    canvas.line(((EDGE, top - GAP / 2), (WIDTH - EDGE, top - GAP / 2)), GRID)
    canvas.box(EDGE - 8, top, EDGE - 4, top + CELL, SHADES[row.verdict])
    paste(canvas, EDGE, top, picture)
    canvas.text(EDGE + CELL + 12, middle - 4, row.label, LIGHT, room=180)
    canvas.text(EDGE + CELL + 12, middle + 16, row.told, SHADES[row.verdict], 13)
    for trait, x in places.items():
        score = row.scores[trait]
        colour = DIM if math.isnan(score) else RED if abs(score) >= LINE else LIGHT
        canvas.text(x, middle, "not read" if math.isnan(score) else signed(score), colour, 13, "mm")
    left = max(places.values()) + 44
    for number, words in enumerate(row.words[:3]):
        line = middle + 18 * (number - (min(3, len(row.words)) - 1) / 2)
        canvas.text(left, line, words, MUTED, 13, "lm", WIDTH - EDGE - left)


def paste(canvas: Canvas, left: float, top: float, picture: np.ndarray) -> None:
    small = fitted(picture, CELL * SHARP)
    inset = [(CELL * SHARP - side) // 2 for side in small.size]
    canvas.picture.paste(small, (round(left * SHARP) + inset[0], round(top * SHARP) + inset[1]))
