"""A set report as a picture: the history, and below it a row for each picture, the worst first."""

import math
from collections.abc import Sequence

import numpy as np

from ..plots.canvas import COLOURS, DIM, GRID, LIGHT, MUTED, RED, SHARP, Canvas, write_head
from ..plots.sheet import fitted
from .report import LINE, TRAITS, Report, Row, signed

WIDTH, EDGE, CELL, GAP = 1024, 16, 56, 8  # pixels
HEAD, LEGEND = 68, 30
MOST_SHOWN = 40  # rows; the text has them all
SHADES = {"fits": COLOURS[2], "does not fit": RED}


def report_sheet(found: Report, drawn: Sequence[np.ndarray], history: Sequence[np.ndarray]) -> np.ndarray:
    """Of a report, its pictures and those of the history, uint8 [H, W, 3] each; uint8 [rows, 1024, 3]."""
    rows = found.rows[:MOST_SHOWN]
    left_out = len(found.rows) - len(rows)
    top = HEAD + CELL + LEGEND
    canvas = Canvas(WIDTH, top + len(rows) * (CELL + GAP) + EDGE + 20 * (left_out > 0))
    write_head(canvas, found.title, "the history; below it what is to be redrawn first, with z-scores of its traits")
    for place, picture in enumerate(history[: (WIDTH - 2 * EDGE) // (CELL + GAP)]):
        paste(canvas, EDGE + place * (CELL + GAP), HEAD, picture)
    places = {trait: 330 + 68 * place for place, trait in enumerate(TRAITS)}
    for trait, x in places.items():
        canvas.text(x, top - 9, trait, MUTED, 13, "ms")
    for number, row in enumerate(rows):
        draw_row(canvas, top + number * (CELL + GAP), row, drawn[row.number], places)
    if left_out:
        canvas.text(EDGE, top + len(rows) * (CELL + GAP) + 16, f"and {left_out} more, see the text", MUTED)
    return canvas.array()


def draw_row(canvas: Canvas, top: float, row: Row, picture: np.ndarray, places: dict[str, float]) -> None:
    """The picture, its name and verdict, its z-scores, and in words what stands out."""
    middle = top + CELL / 2
    canvas.line(((EDGE, top - GAP / 2), (WIDTH - EDGE, top - GAP / 2)), GRID)
    verdict = "fits" if row.fits else "does not fit"
    canvas.box(EDGE - 8, top, EDGE - 4, top + CELL, SHADES[verdict])
    paste(canvas, EDGE, top, picture)
    canvas.text(EDGE + CELL + 12, middle - 4, row.name, LIGHT, room=180)
    told = verdict if math.isinf(row.misfit) else f"{verdict} ({row.misfit:+.1f})"
    canvas.text(EDGE + CELL + 12, middle + 16, told, SHADES[verdict], 13)
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
