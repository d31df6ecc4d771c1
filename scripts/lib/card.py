"""What commands write into a model card."""

from pathlib import Path

from drc.bench.report.summary import disagreements, indexed, main_history, numbers_of, settings_of
from drc.bench.scores.metrics import metric_of, metrics_in
from drc.train.checkpoints import RunFolder

GAPS = ("wrong_reference", "wrong_history")


def markdown(results: dict) -> str:
    """The settings, then one section per test: a table per judge, percent with 95 % intervals, and the gaps."""
    settings = settings_of(results)
    history, numbers = main_history(results), indexed(numbers_of(results))
    lines = [f"Settings: {settings}.", ""]
    for name, test in results["tests"].items():
        lines += [f"### {name}: {test['what']} ({len(test['cases'])} cases)", ""]
        for judge, histories in test["judges"].items():
            metrics = metrics_in(histories[history])
            lines += table([judge, *(metric_of(metric).head for metric in metrics)])
            for answer in histories[history]:
                found = [numbers.get((name, history, judge, answer, "", "", metric), "-") for metric in metrics]
                lines.append(f"| {answer} | {' | '.join(map(str, found))} |")
            lines.append("")
        lines += [" ".join(disagreements(results, name)), ""]
        if test["gaps"]:
            heads = [f"{context}, {what.replace('_', ' ')}" for context in ("blind", "ar") for what in ("right", *GAPS)]
            lines += table(["loss in nats per code", *heads])
            lines += [f"| {model} | {gap_cells(gaps)} |" for model, gaps in test["gaps"].items()] + [""]
    return "\n".join(lines)


def table(heads: list[str]) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def gap_cells(numbers: dict[str, float]) -> str:
    cells = []
    for context in ("blind", "ar"):
        cells.append(f"{numbers[f'{context}_right']:.2f}")
        cells += [f"{numbers[f'{context}_{what}']:+.2f}" for what in GAPS]
    return " | ".join(cells)


def training_table(runs: dict[str, Path], files: dict[str, str]) -> str:
    """Steps and time of every folder that holds a training, then files and their SHA-256."""
    lines = table(["part", "steps", "minutes"])
    for name, path in runs.items():
        run = RunFolder(path) if path.is_dir() else None
        if run and run.steps():
            seconds = max(record["seconds"] for record in run.read_log())
            lines.append(f"| {name} | {run.steps()[-1]:,} | {seconds / 60:.1f} |")
    lines += ["", *table(["file", "SHA-256"])]
    return "\n".join(lines + [f"| {name} | `{digest}` |" for name, digest in files.items()])


def replace_block(card: Path, block: str, text: str) -> None:
    """Puts `text` between the two markers of a block of a model card; ValueError when the card has none."""
    begin, end = f"<!-- {block}: begin -->", f"<!-- {block}: end -->"
    old = card.read_text()
    if begin not in old or end not in old:
        raise ValueError(f"{card} has no lines '{begin}' and '{end}'; add them where the {block} belongs")
    before, _, rest = old.partition(begin)
    card.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.partition(end)[2]}")
