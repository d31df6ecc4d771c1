"""Two results side by side: the differences of two models on the same cases, with paired intervals."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...files import write_bytes
from ...plots.canvas import COLOURS, DIM, GRID, MUTED, Canvas, legend, write_head
from ..scores.interval import widest_interval
from ..scores.metrics import metric_of, metrics_in
from .html import Html, document, element, figure, table
from .report import PAGE, TABLE
from .summary import HEADLINES, MODELS, groupings, percent, scores_of
from .table import as_csv

HOW = """Both drew the same cases. The difference is that of the second from the first, with its paired 95 % bootstrap
interval over meanings; it is set in white where the interval leaves out 0."""
ALL = "all tests"


@dataclass(frozen=True)
class Difference:
    """Means of two models over the cases that both drew, and by how much the second is above the first."""

    test: str
    history: str
    judge: str
    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    cases: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def cells(self) -> list[str]:
        gain = percent(self.difference, self.low, self.high, sign="+")
        return [f"{100 * self.first:.0f}", f"{100 * self.second:.0f}", gain, str(self.cases)]


def differences(first: dict, second: dict, models: tuple[str, str]) -> list[Difference]:
    """Of all tests, judges and histories that two results have in common, see `summary`, and of these tests together.

    Raises ValueError, in one sentence, where they cannot be compared.
    """
    both = first, second
    for what in ("domain", "pictures"):
        if first[what] != second[what]:
            one, other = (results[what][:16] for results in both)
            raise ValueError(f"the results are of different {what}, {one} and {other}; run both on the same build")
    for results, model in zip(both, models, strict=True):
        if model not in results[MODELS]:
            there = ", ".join(results[MODELS])
            raise ValueError(f"there is no {model} in the results, expected out of {there}; choose with --models")
    for judge in first["judges"].keys() & second["judges"].keys():
        if first["judges"][judge] != second["judges"][judge]:
            raise ValueError(f"the results were judged by two versions of {judge}; run both with the same one")
    found, together = [], defaultdict(list)
    for test in (test for test in first["tests"] if test in second["tests"]):
        for asked, pairs in pairs_of([results["tests"][test] for results in both], models):
            found.append(of_pairs(test, *asked, [pairs]))
            together[asked].append(pairs)
    if not found:
        raise ValueError("the results have no test, judge and history in common; run both with the same ones")
    if len({one.test for one in found}) > 1:
        found += [of_pairs(ALL, *asked, pairs) for asked, pairs in together.items()]
    return found


@dataclass(frozen=True)
class Pairs:
    """Scores of two models on the same cases, what they are shares of, and by what cases are resampled."""

    first: np.ndarray
    second: np.ndarray
    bases: np.ndarray
    groups: list[np.ndarray]


def pairs_of(tests: Sequence[dict], models: tuple[str, str]) -> Iterator[tuple[tuple[str, str, str], Pairs]]:
    """By history, judge and metric. The shorter list of cases is the beginning of the longer one."""
    first, second = tests
    for judge, histories in first["judges"].items():
        for history, answers in histories.items():
            if models[1] not in second["judges"].get(judge, {}).get(history, {}) or models[0] not in answers:
                continue
            for metric in metrics_in({"": answers[models[0]]}):
                pairs = [
                    scores_of(test, judge, history, model, metric) for test, model in zip(tests, models, strict=True)
                ]
                count = min(len(values) for values, _ in pairs)
                (one, bases), (other, _) = ([part[:count] for part in pair] for pair in pairs)
                if not bases.any():  # every copy is the truth
                    continue
                yield (history, judge, metric), Pairs(one, other, bases, groupings(first, np.arange(count)))


def of_pairs(test: str, history: str, judge: str, metric: str, pairs: Sequence[Pairs]) -> Difference:
    one, other, bases = (np.concatenate([getattr(its, name) for its in pairs]) for name in ("first", "second", "bases"))
    groups = [np.concatenate(parts) for parts in zip(*(its.groups for its in pairs), strict=True)]
    gain = widest_interval(other - one, groups, bases, shares=False)
    means = [widest_interval(values, groups, bases)[0] for values in (one, other)]
    return Difference(test, history, judge, metric, *means, *gain, int((~np.isnan(other - one)).sum()))


def markdown(found: Sequence[Difference], names: tuple[str, str]) -> str:
    """A table for each judge; a star stands where the interval leaves out 0."""
    lines = []
    for judge in dict.fromkeys(one.judge for one in found):
        lines += [f"| {judge} | {names[0]} | {names[1]} | difference | cases |", "|---" * 5 + "|"]
        for one in found:
            if one.judge == judge:
                star = " *" if one.sure else ""
                lines.append(f"| {title(one)} | {' | '.join(one.cells())}{star} |")
        lines.append("")
    return "\n".join(lines)


def title(one: Difference) -> str:
    return f"{one.test}, history {one.history}: {metric_of(one.metric).head}"


def plot(found: Sequence[Difference], judge: str, names: tuple[str, str]) -> np.ndarray:
    """The headlines of each test and history as lines from -100 to 100 percent: right of the middle is the second."""
    places = list(dict.fromkeys((one.test, one.history) for one in found if one.judge == judge))
    colours = dict(zip(HEADLINES, COLOURS, strict=False))
    left, wide, line, head = 150, 560, 34, 88
    canvas = Canvas(left + wide + 32, head + line * len(places) + 44)
    write_head(
        canvas, f"{names[1]} against {names[0]}, by {judge}", "difference in percent, with paired 95 % intervals"
    )
    bottom = head + line * len(places)
    for share in (-1, -0.5, 0, 0.5, 1):
        x = left + (share + 1) / 2 * wide
        canvas.line(((x, head), (x, bottom)), GRID if share else DIM)
        canvas.text(x, head - 6, f"{100 * share:+.0f}", MUTED, 12, "ms")
    for row, (test, history) in enumerate(places):
        y = head + row * line + line / 2
        canvas.text(left - 10, y, f"{test}, history {history}", anchor="rm", room=left - 16)
        for one in found:
            if (one.test, one.history, one.judge) == (test, history, judge) and one.metric in HEADLINES:
                at = y + 9 * (HEADLINES.index(one.metric) - 1)
                low, mean, high = (left + (x + 1) / 2 * wide for x in (one.low, one.difference, one.high))
                canvas.line(((low, at), (high, at)), colours[one.metric])
                canvas.dot(mean, at, colours[one.metric], 3.5)
    legend(canvas, 16, bottom + 30, left + wide, {metric_of(name).head: colours[name] for name in HEADLINES})
    return canvas.array()


def write_comparison(found: Sequence[Difference], names: tuple[str, str], out: Path) -> None:
    """results.csv and index.html."""
    parts = [element("p", Html(HOW))]
    for judge in dict.fromkeys(one.judge for one in found):
        some = [one for one in found if one.judge == judge]
        rows = [[title(one), *one.cells()] for one in some]
        classes = ["ceiling" if one.sure else "" for one in some]
        parts.append(figure(judge, plot(found, judge, names), "PNG"))
        parts.append(table([judge, *names, "difference", "cases"], rows, classes))
    write_bytes(as_csv(Difference, found), out / TABLE)
    write_bytes(document(f"{names[1]} against {names[0]}", parts).encode(), out / PAGE)
