"""Results as a Markdown table, and contact sheets of what was drawn."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..train.checkpoints import RunFolder
from .cases import DESCRIPTIONS

COLUMNS = {
    "semantic_top1": "meaning",
    "semantic_top5": "meaning, first 5",
    "style_top1": "style",
    "joint_top1": "both",
    "copies_reference": "nearer to reference",
    "copies_history": "nearer to a history picture",
}
GAPS = ("wrong_reference", "wrong_history")


def markdown(results: dict) -> str:
    """The settings, then one section per test: a table per judge, percent with 95 % intervals, and the gaps."""
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in results["settings"].items())
    lines = [f"Settings: {settings}.", ""]
    for name, test in results["tests"].items():
        lines += [f"### {name}: {DESCRIPTIONS[name]} ({test['cases']} cases)", ""]
        for judge, rows in test["judges"].items():
            lines += [f"| {judge} | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
            for row, numbers in rows.items():
                lines.append(f"| {row} | " + " | ".join(percent(*numbers[key]) for key in COLUMNS) + " |")
            lines.append("")
        if test["gaps"]:
            heads = [f"{context}, {what.replace('_', ' ')}" for context in ("blind", "ar") for what in ("right", *GAPS)]
            lines += ["| loss in nats per code | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
            lines += [f"| {model} | {gap_cells(numbers)} |" for model, numbers in test["gaps"].items()] + [""]
    return "\n".join(lines)


def percent(value: float, low: float, high: float) -> str:
    return f"{100 * value:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def gap_cells(numbers: dict[str, float]) -> str:
    cells = []
    for context in ("blind", "ar"):
        cells.append(f"{numbers[f'{context}_right']:.2f}")
        cells += [f"{numbers[f'{context}_{what}']:+.2f}" for what in GAPS]
    return " | ".join(cells)


def training_table(runs: dict[str, Path], files: dict[str, str]) -> str:
    """Steps and time of every folder that holds a training, then files and their SHA-256."""
    lines = ["| part | steps | minutes |", "|---|---|---|"]
    for name, path in runs.items():
        run = RunFolder(path) if path.is_dir() else None
        if run and run.steps():
            seconds = max(row["seconds"] for row in run.read_log())
            lines.append(f"| {name} | {run.steps()[-1]:,} | {seconds / 60:.0f} |")
    lines += ["", "| file | SHA-256 |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | `{digest}` |" for name, digest in files.items()])


def replace_block(card: Path, block: str, text: str) -> None:
    """Puts `text` between the two markers of a block of a model card; ValueError when the card has none."""
    begin, end = f"<!-- {block}: begin -->", f"<!-- {block}: end -->"
    old = card.read_text()
    if begin not in old or end not in old:
        raise ValueError(f"{card} has no lines '{begin}' and '{end}'; add them where the {block} belongs")
    before, _, rest = old.partition(begin)
    card.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.partition(end)[2]}")


def contact_sheet(columns: dict[str, np.ndarray], path: Path, side: int = 64) -> None:
    """Title -> pictures uint8 [cases, n, S, S, 3]; one row per case, the n pictures of a column side by side."""
    gap, head = 10, 18
    cases = len(next(iter(columns.values())))
    width = gap + sum(pictures.shape[1] * side + gap for pictures in columns.values())
    sheet = Image.new("RGB", (width, head + cases * (side + 2)), "white")
    draw, left = ImageDraw.Draw(sheet), gap
    for title, pictures in columns.items():
        draw.text((left, 3), title, fill="black")
        for case, row in enumerate(pictures):
            for position, picture in enumerate(row):
                small = Image.fromarray(picture).resize((side, side), Image.Resampling.BOX)
                sheet.paste(small, (left + position * side, head + case * (side + 2)))
        left += pictures.shape[1] * side + gap
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG")
