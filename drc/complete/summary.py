"""What a set says of itself in its folder: every picture against the history, what the model holds of it, sheets."""

import json
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..data.picture_file import read
from ..pixels import from_pixels, resized, to_pixels
from ..plots.canvas import label
from ..plots.sheet import numbered_sheet
from ..progress import Tell
from ..visible import visible
from .history import History
from .marks import SIDE
from .names import Item
from .output import Finish, SetFolder
from .report import Report, measure, report
from .report_sheet import MOST_SHOWN, report_sheet
from .run import UNTOLD, Completion

CELL, ON_A_SHEET = 96, 100  # of a contact sheet: pixels, and pictures
VAGUE = 0.02  # nats a code, up to which meaning made no difference to a picture; words with a drawing make 0.2


class Summary:
    """Of a set as its files are; those in which marks cannot be read are not held against the history."""

    def __init__(self, completion: Completion, finish: Finish, out: SetFolder, history: History):
        self.completion, self.finish, self.out, self.history = completion, finish, out, history

    def write(self, items: Sequence[Item], notes: Sequence[str], tell: Tell) -> None:
        """The reports, and contact sheets of what the files show."""
        rows, measured = [], []
        for done, item in enumerate(items, 1):
            rows.append(self.row_of(item))
            measured.append(measure(self.shown(item)) if self.finish.size >= SIDE else None)
            tell("report", done, len(items))
        found = report(measured, self.history.measured(), [item.told for item in items])
        for one in found.rows:
            scores = {name: finite(score) for name, score in one.scores.items()}
            rows[one.number] |= {"misfit": finite(one.misfit), "z-scores": scores, "departs": one.words}
        redraw = [rows[one.number]["name"] for one in found.misfits]
        about = {"settings": self.completion.settings.values(), "notes": [*notes, *found.notes], "redraw": redraw}
        about |= {"vague": vague(rows)}
        text = json.dumps(about | {"pictures": rows}, indent=2, ensure_ascii=False)
        self.out.write_text(self.out.path / "report.json", text)
        lines = "\n".join(in_words(found, rows, items, notes))
        self.out.write_text(self.out.path / "report.txt", visible(f"{lines}\n"))
        shown = {one.number: self.shown(items[one.number]) for one in worst(found)}
        history = list(self.history.pictures(SIDE))
        self.out.write(self.out.path / "report.png", report_sheet(found, shown, history))
        self.write_sheets(items)

    def shown(self, item: Item) -> np.ndarray:
        """What its file shows, uint8 [SIDE, SIDE, 3]."""
        side = min(self.finish.size, SIDE)
        return enlarged(read(self.out.picture(item.name), side, ground=self.finish.ground))

    def row_of(self, item: Item) -> dict:
        """Scores are None where the model tells none, and where what was drawn could not be kept."""
        asked = self.completion.ask(item)
        drawn = self.completion.drawn_before(asked)
        style, meaning = (finite(score, 4) for score in (drawn.scores.tolist() if drawn else UNTOLD))
        return {"name": item.name, "words": item.text, "seed": asked.seed, "style": style, "meaning": meaning}

    def write_sheets(self, items: Sequence[Item]) -> None:
        for number, some in enumerate(in_parts(items, ON_A_SHEET), 1):
            name = "sheet.png" if len(items) <= ON_A_SHEET else f"sheet-{number}.png"
            # In one piece: small ones between large ones that come and go would keep the memory of those.
            pictures = np.empty((len(some), CELL, CELL, 3), np.uint8)
            for place, item in enumerate(some):
                pictures[place] = read(self.out.picture(item.name), CELL, ground=self.finish.ground)
            labels = [label(item.told, place) for place, item in enumerate(some, 1 + (number - 1) * ON_A_SHEET)]
            self.out.write(self.out.path / name, numbered_sheet(pictures, labels, CELL))


def in_words(found: Report, rows: Sequence[dict], items: Sequence[Item], notes: Sequence[str]) -> Iterator[str]:
    yield from (*notes, "", found.text(), "", "How much likelier style and meaning make each picture, in nats a code:")
    width = max(len(item.told) for item in items)
    for row, item in zip(rows, items, strict=True):
        style, meaning = ("   -  " if row[score] is None else f"{row[score]:6.3f}" for score in ("style", "meaning"))
        yield f"{item.told:{width}}  style {style}  meaning {meaning}"
    if names := vague(rows):
        yield from (
            "",
            f"Hardly show what they are called: {', '.join(names)}. A word near it that has a drawing, or a",
        )
        yield "picture of it in --references, says what is meant."


def vague(rows: Sequence[dict]) -> list[str]:
    """Names of the pictures that would be as likely without their meaning, as of words that the model never saw."""
    return [row["name"] for row in rows if row["meaning"] is not None and row["meaning"] <= VAGUE]


def worst(found: Report) -> Sequence:
    return found.rows[:MOST_SHOWN]


def enlarged(picture: np.ndarray) -> np.ndarray:
    """uint8 [s, s, 3] -> [SIDE, SIDE, 3]"""
    return to_pixels(resized(from_pixels([picture]), SIDE))[0]


def finite(number: float, digits: int = 3) -> float | None:
    """As JSON can hold it."""
    return round(float(number), digits) if math.isfinite(number) else None


def in_parts(items: Sequence, count: int) -> list[Sequence]:
    return [items[first : first + count] for first in range(0, len(items), count)]
