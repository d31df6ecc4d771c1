"""Hands that training never saw, completed: eight pictures of each in, as many concepts as are asked for out.

    python scripts/draw_icon_sets.py [--concepts 100] [--hands 27] [--coloured 0] [--out build/icon_sets]

In the manner of IconBench (IconDM, ACM MM 2024): every concept is drawn from the same eight pictures of a hand and one
drawing of it by a hand of training. Writes a contact sheet for every hand and a table of what designers measure
against the eight pictures: how often the line width is within a fifth, and how far weight, padding, corners and colours
are off; in brackets stands what the designer's own pictures of these concepts are off by. `--coloured N` lets the first
N hands draw in their coloured twins. --one-sheet puts all hands on one sheet, a row each. Goes on where it was stopped.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.bench.cases.domain import Case  # noqa: E402
from drc.bench.cases.icons import COLOURED, IconDomain, in_turns  # noqa: E402
from drc.bench.generated import Generated, Request  # noqa: E402
from drc.bench.models import DRCModel  # noqa: E402
from drc.bench.report.html import encoded  # noqa: E402
from drc.bench.scores.hand import HandScorer  # noqa: E402
from drc.bench.scores.metrics import metric_of  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from drc.instruction import Dials  # noqa: E402
from drc.lmm.generate import Sampling  # noqa: E402
from drc.plots.sheet import contact_sheet  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.card import table  # noqa: E402

HISTORY = 8
ACROSS = 10  # pictures in a row of a sheet
TEST = "sets"  # names the files of what was drawn


def hands_of(domain: IconDomain, count: int, coloured: int) -> list[str]:
    """Unseen hands, families in turns, the first `coloured` of them as their twins."""
    families = defaultdict(list)
    for name, style in sorted(domain.icons.styles.items()):
        if style.split == "test":
            families[style.family].append(name)
    names = in_turns(families.values())[:count]
    return [name + COLOURED if number < coloured else name for number, name in enumerate(names)]


def cases_of(domain: IconDomain, hand: str, concepts: int) -> list[Case]:
    """Concepts that training never saw come first; the history shows none of them."""
    rows = domain.by_style[hand]
    split = {row: domain.icons.meaning_split[domain.record(row).meaning] for row in rows}
    history = domain.first(f"{hand} set", [row for row in rows if split[row] == "train"], HISTORY)
    words = {word for row in history for word in domain.record(row).meaning.split()}
    asked = [row for row in rows if split[row] in ("train", "test")]
    asked = [row for row in asked if not words & set(domain.record(row).meaning.split())]
    asked = [row for row in asked if domain.references("I4", row)]
    asked = domain.first(f"{hand} concepts", asked, len(asked))
    asked = sorted(asked, key=lambda row: split[row] != "test")[:concepts]
    return [
        Case(row, domain.first(f"{hand} {row} reference", domain.references("I4", row), 1)[0], tuple(history))
        for row in asked
    ]


def sheet_of(domain: IconDomain, cases: list[Case], drawn: np.ndarray) -> np.ndarray:
    """The history, then rows of references above what was drawn from them."""
    read = domain.pictures.read
    rows = [list(read(np.array(cases[0].history)))]
    names = ["history"]
    for first in range(0, len(cases), ACROSS):
        some = cases[first : first + ACROSS]
        rows += [list(read(np.array([case.reference for case in some]))), list(drawn[first : first + ACROSS])]
        names += ["reference", "drawn"]
    return contact_sheet(rows, [""] * ACROSS, names, cell=96, gap=4)


def one_sheet(domain: IconDomain, found: dict[str, tuple[list[Case], np.ndarray]]) -> np.ndarray:
    """A row for each hand: three pictures of its history, then each reference beside what was drawn."""
    rows, most = [], max(len(cases) for cases, _ in found.values())
    for cases, drawn in found.values():
        row = list(domain.pictures.read(np.array(cases[0].history[:3])))
        for case, picture in zip(cases, drawn, strict=True):
            row += [domain.pictures.read(np.array([case.reference]))[0], picture]
        rows.append(row)
    heads = ["history", "", ""] + ["reference", "drawn"] * most
    return contact_sheet(rows, heads, list(found), cell=96, gap=4)


def measured(domain: IconDomain, found: dict[str, tuple[list[Case], np.ndarray]]) -> str:
    """A table of means by hand: of what was drawn, and of the designer's own pictures."""
    scorer, lines, heads = HandScorer(domain), [], []
    for hand, (cases, drawn) in found.items():
        histories = [case.history for case in cases]
        truth = domain.pictures.read(np.array([case.target for case in cases]))
        ours, theirs = scorer.scores(drawn, histories), scorer.scores(truth, histories)
        if not lines:
            heads = ["hand", "concepts", *(metric_of(name).head for name in ours)]
            lines = table(heads)
        cells = [f"{mean_of(ours[name])} ({mean_of(theirs[name])})" for name in ours]
        lines.append(f"| {hand} | {len(cases)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def mean_of(values: np.ndarray) -> str:
    return "-" if np.isnan(values).all() else f"{100 * np.nanmean(values):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "icon_sets")
    parser.add_argument("--hands", type=int, default=27)
    parser.add_argument("--concepts", type=int, default=100)
    parser.add_argument("--coloured", type=int, default=0)
    parser.add_argument("--style-strength", type=float, default=Dials.style_strength)
    parser.add_argument("--semantic-strength", type=float, default=Dials.semantic_strength)
    parser.add_argument("--temperature", type=float, default=Dials.temperature)
    parser.add_argument("--one-sheet", action="store_true")
    options = parser.parse_args()
    domain = IconDomain.open(options.data)
    strengths = options.style_strength, options.semantic_strength
    model = DRCModel(load(options.model), *strengths, Sampling(options.temperature))
    generated = Generated(options.out / "drawn", domain)
    hands = hands_of(domain, options.hands, options.coloured)
    requests = {
        hand: Request(hand, model, TEST, cases_of(domain, hand, options.concepts), str(HISTORY)) for hand in hands
    }
    batches = [(request, cases) for request in requests.values() for cases in request.batches()]
    with bar("batch") as progress:
        for done, (request, cases) in enumerate(batches):
            progress(done, len(batches))
            generated.draw(request, cases)
        progress(len(batches), len(batches))
    found = {hand: (list(request.cases), generated.read(request)) for hand, request in requests.items()}
    sheets = {"hands": one_sheet(domain, found)} if options.one_sheet else {}
    if not options.one_sheet:
        sheets = {hand.replace("/", " "): sheet_of(domain, *its) for hand, its in found.items()}
    for name, sheet in sheets.items():
        write_bytes(encoded(sheet, "PNG"), options.out / f"{name}.png")
    text = measured(domain, found)
    write_bytes(text.encode(), options.out / "table.md")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
