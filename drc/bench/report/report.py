"""What a run found: as JSON and CSV for machines, as one page for people, as arrays for a graph."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from ...files import read_bounded, write_bytes
from .html import encoded
from .page import page
from .plots import PLOTS
from .summary import MODELS, Number, indexed, numbers_of
from .table import as_csv

NEEDED = ("domain", "pictures", "settings", MODELS, "files", "judges", "tests")
RESULTS, TABLE, PAGE, PICTURES = "results.json", "results.csv", "index.html", "pictures"


class Report:
    """`results` as in `summary`; `sheets` are contact sheets uint8 [H, W, 3] by name."""

    def __init__(self, results: dict, sheets: dict[str, np.ndarray]):
        self.results, self.sheets = results, sheets

    @cached_property
    def numbers(self) -> list[Number]:
        return numbers_of(self.results)

    @cached_property
    def plots(self) -> dict[str, np.ndarray]:
        """Pictures uint8 [H, W, 3] by name; the tables of every judge are among them."""
        numbers, results = indexed(self.numbers), self.results
        return {
            f"{name}, {judge}": draw(results, numbers, judge)
            for name, draw in PLOTS.items()
            for judge in results["judges"]
        }

    def write(self, out: Path) -> None:
        """results.json, results.csv, index.html, and every picture of the page as a PNG; those of an earlier report in
        the same folder are removed."""
        write_bytes(json.dumps(self.results).encode(), out / RESULTS)
        write_bytes(as_csv(Number, self.numbers), out / TABLE)
        pictures = {
            out / PICTURES / f"{name.replace(', ', '-').replace(' ', '-')}.png": picture
            for name, picture in (self.plots | self.sheets).items()
        }
        for file, picture in pictures.items():
            write_bytes(encoded(picture, "PNG"), file)
        for stale in set((out / PICTURES).glob("*.png")) - set(pictures):
            stale.unlink()
        write_bytes(page(self.results, self.numbers, self.plots, self.sheets).encode(), out / PAGE)


def read_results(folder: Path) -> dict:
    """What a run wrote; ValueError, in one sentence, for a folder without it."""
    path = folder / RESULTS
    try:
        results = json.loads(read_bounded(path))
        missing = [name for name in NEEDED if name not in results]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        return results
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} holds no results ({error}); give a folder that 'python -m drc.bench run' wrote with --out"
        ) from error
