"""Write what a training over LaVIT or Janus-Pro takes in memory into docs and help pages.

    build/venv/bin/python -m scripts.write_memory

Docs have the tables that `scripts.lavit_memory` and `scripts.janus_memory` compute, which takes a minute or two. Help
pages have what somebody with a card asks, which settings it holds, and take it from these tables; a test asks for that.
"""

import argparse
import math
import re
from pathlib import Path

import torch

from drc.files import write_bytes
from scripts import janus_memory, lavit_memory
from scripts.lib.environment import ROOT

LAVIT, JANUS = ROOT / "docs" / "lavit.md", ROOT / "docs" / "janus.md"
HELP = [ROOT / "web" / "docs" / f"DRC_Train{name}.md" for name in ("Disentanglement", "Personalisation")]
CODES, HISTORY = 256, 6  # of a picture of LaVIT, the most there are; pictures of a history
CARDS = (8, 12, 16, 24, 32, 48, 80)  # GB
KEPT = 2  # GB of a card for PyTorch and the driver
MOST = lavit_memory.AT_ONCE[-1]  # pictures: as many as the batch of a node that is left as it is
SPARED = 8  # pictures at once, from which on nothing needs to be computed again

Ways = dict[str, tuple[float, float]]
"""`recompute` -> GB that a training takes with one picture at once, and with MOST."""


def with_rows(text: str, rows: list[str]) -> str:
    """A document with these rows in its table of `recompute`."""
    body = "".join(f"{row}\n" for row in rows)
    text, count = re.subn(r"(?m)(^\|.*`recompute`.*\n\|[-| ]+\n)(?:\|.*\n)+", lambda found: found[1] + body, text)
    assert count == 1, count
    return text


def rows_of_lavit() -> list[str]:
    rows = lavit_memory.training(lavit_memory.config_of(), CODES, HISTORY)
    return [f"| {' | '.join(cell.removesuffix(' GB') for cell in row)} |" for row in rows]


def rows_of_janus() -> list[str]:
    rows = []
    for size in janus_memory.SIZES:
        config = janus_memory.config_of(size)
        found = lavit_memory.training(config, config.lmm.grid**2, HISTORY, (torch.bfloat16,), ("LoRA",))
        rows += [f"| {' | '.join((size, row[2], *row[-3:]))} |" for row in found]
    return rows


def ways_in(document: Path, *settings: str) -> Ways:
    """What the rows of a document that begin with these settings say."""
    start = "".join(f"| {setting} " for setting in settings)
    found = re.findall(rf"(?m)^{re.escape(start)}\| (on|off) \|(.*) \|$", document.read_text("utf-8"))
    cells = {again: [cell.removesuffix(" GB") for cell in rest.split(" | ")] for again, rest in found}
    return {again: (float(each[-len(lavit_memory.AT_ONCE)]), float(each[-1])) for again, each in cells.items()}


def at_once(takes: tuple[float, float], card: int) -> int:
    """Pictures that a card holds at once, a power of two, at most MOST; 0 where it holds none."""
    one, most = takes
    room = card - KEPT - one
    return min(MOST, 2 ** int(math.log2(1 + room * (MOST - 1) / (most - one)))) if room >= 0 else 0


def cards(ways: Ways) -> list[str]:
    """For every card that holds more than the one before: the settings."""
    lines, last = [], ("on", 0)
    for card in CARDS:
        held = {again: at_once(takes, card) for again, takes in ways.items()}
        again = "off" if held["off"] >= SPARED else "on"
        if (again, held[again]) != last:
            lines.append(f"- {card} GB: `recompute` {again}, `micro_batch` {held[again]}.")
            last = again, held[again]
    return lines


def with_cards(text: str) -> str:
    """A help page with the lists of cards that the documents give: for LaVIT and for both sizes of Janus-Pro."""
    ways = [ways_in(LAVIT, "bfloat16", "LoRA"), ways_in(JANUS, "1B"), ways_in(JANUS, "7B")]
    lists = iter(["".join(f"{line}\n" for line in cards(one)) for one in ways])
    text, count = re.subn(r"(?m)(?:^- \d+ GB: `recompute` .*\n)+", lambda _: next(lists), text)
    assert count == len(ways), count
    return text


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for document, rows in ((LAVIT, rows_of_lavit()), (JANUS, rows_of_janus())):
        write(document, with_rows(document.read_text("utf-8"), rows))
    for page in HELP:
        write(page, with_cards(page.read_text("utf-8")))


def write(path: Path, text: str) -> None:
    write_bytes(text.encode(), path)
    print(path)


if __name__ == "__main__":
    main()
