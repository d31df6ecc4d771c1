"""The results of a run as numbers with intervals, and where its judges disagree.

What a run found, as JSON can hold it: {"domain", "pictures", "settings", MODELS: name -> key, "files": name ->
SHA-256, "judges": name -> version, "tests": name -> {"what", "gallery", "cases", "meanings", "facets", "gaps",
"judges": judge -> history -> answer -> metric -> a number for each of the first cases, and, where they were taken,
"families": hands that intervals are over, too, and "protocol": answer -> Pigeon's metric -> its mean}}.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...visible import quoted
from ..baselines import BASELINES, COPY
from ..scores.interval import widest_interval
from ..scores.metrics import metric_of

MODELS = "artists"  # the key of what draws; results keep the name that the first ones had
FIRST = "first"  # facet of a number over the first cases alone, those that all histories were drawn for
HEADLINES = ("semantic_top1", "style_top1", "joint_top1")


@dataclass(frozen=True)
class Number:
    """Mean and 95 % interval of a metric over the cases of a test, or over those whose `facet` is `value`."""

    test: str
    history: str
    judge: str
    answer: str
    facet: str
    value: str
    metric: str
    mean: float
    low: float
    high: float
    cases: int

    def __str__(self) -> str:
        return percent(self.mean, self.low, self.high)


Numbers = dict[tuple, Number]


def indexed(numbers: Sequence[Number]) -> Numbers:
    """By (test, history, judge, answer, facet, value, metric)."""
    keys = ("test", "history", "judge", "answer", "facet", "value", "metric")
    return {tuple(getattr(number, key) for key in keys): number for number in numbers}


def percent(mean: float, low: float, high: float, sign: str = "") -> str:
    return f"{100 * mean:{sign}.0f} ({100 * low:{sign}.0f} to {100 * high:{sign}.0f})"


def main_history(results: dict) -> str:
    return results["settings"]["histories"][0]


def scores_of(test: dict, judge: str, history: str, answer: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """A number for each of the first cases and what it is a share of: 1, or the distance of the copied reference."""
    by_history = test["judges"][judge]
    values = np.array(by_history[history][answer][metric], float)
    bases = np.ones(len(values))
    if metric == "distance":
        copied = next(answers[COPY] for answers in by_history.values() if COPY in answers)
        bases = np.array(copied[metric][: len(values)])
    return values, bases


def groupings(test: dict, cases: np.ndarray) -> list[np.ndarray]:
    """By what some cases of a test are resampled: meanings, and families where it says so."""
    return [np.array(test[name])[cases] for name in ("meanings", "families") if name in test]


def settings_of(results: dict) -> str:
    """Every setting of a run, as one line."""
    settings = {name: value if isinstance(value, list) else [value] for name, value in results["settings"].items()}
    return ", ".join(f"{name.replace('_', ' ')} {' '.join(map(str, value))}" for name, value in settings.items())


def numbers_of(results: dict) -> list[Number]:
    """Everything in a report's tables and plots."""
    return [number for name, test in results["tests"].items() for number in of_test(results, name, test)]


def of_test(results: dict, name: str, test: dict) -> Iterator[Number]:
    """Of all cases, of the first that all histories have, and of each facet, these for models alone."""
    sweep = results["settings"]["sweep"]
    facets = {facet: np.array([one[facet] for one in test["facets"]]) for facet in test["facets"][0]}
    for judge, by_history in test["judges"].items():
        for history, answers in by_history.items():
            for answer, metrics in answers.items():
                for metric in metrics:
                    values, bases = scores_of(test, judge, history, answer, metric)
                    parts = {("", ""): np.arange(len(values))}
                    if history == main_history(results) and answer in results[MODELS] and metric in HEADLINES:
                        if len(values) > sweep:
                            parts[FIRST, str(sweep)] = np.arange(sweep)
                        for facet, found in facets.items():
                            parts |= {(facet, str(value)): np.flatnonzero(found == value) for value in np.unique(found)}
                    for (facet, value), here in parts.items():
                        here = here[~np.isnan(values[here])]
                        if not bases[here].any():  # no case, or every copy is the truth
                            continue
                        numbers = widest_interval(values[here], groupings(test, here), bases[here])
                        yield Number(name, history, judge, answer, facet, value, metric, *numbers, len(here))


def in_words(results: dict, numbers: list[Number]) -> str:
    """A line for every answer, test by test and judge by judge."""
    history, found, lines = main_history(results), indexed(numbers), []
    for name, test in results["tests"].items():
        for judge, by_history in test["judges"].items():
            lines += ["", f"{name}, {test['what']}, {len(test['cases'])} cases, by {judge}, percent right:"]
            for answer in by_history[history]:
                place = name, history, judge, answer, "", ""
                heads = [f"{metric_of(metric).head} {found[(*place, metric)]}" for metric in HEADLINES]
                lines.append(f"- {quoted(answer)}: {', '.join(heads)}")
    return "\n".join(lines[1:])


def disagreements(results: dict, name: str) -> list[str]:
    """Sentences on the judges of a test: how often they say the same, and which answers they order in opposite ways.

    Two judges disagree where each is sure, by its paired 95 % interval, of the opposite of what the other is sure of.
    """
    test, history = results["tests"][name], main_history(results)
    said = []
    for first, second in combinations(test["judges"], 2):
        for model in results[MODELS]:
            values = [scores_of(test, judge, history, model, "joint_top1")[0] for judge in (first, second)]
            same = f"{100 * np.mean(values[0] == values[1]):.0f} % of the pictures by {model}"
            said.append(f"Whether meaning and style are both right, {first} and {second} say the same of {same}.")
        answers = [name for name in test["judges"][first][history] if name in (*results[MODELS], *BASELINES)]
        apart = []
        for metric in HEADLINES:
            for one, other in combinations(answers, 2):
                found = [difference(test, judge, history, one, other, metric) for judge in (first, second)]
                if found[0][1] > 0 > found[1][2] or found[0][2] < 0 < found[1][1]:
                    gains = " and ".join(percent(*gain, sign="+") for gain in found)
                    apart.append(f"by {metric_of(metric).head}, {one} is {gains} above {other}")
        said.append(f"They disagree: {'; '.join(apart)}." if apart else "They order no two answers in opposite ways.")
    return said


def difference(test: dict, judge: str, history: str, one: str, other: str, metric: str) -> tuple[float, float, float]:
    """By how much one answer's metric is above another's, with its paired interval."""
    values, bases = scores_of(test, judge, history, one, metric)
    others, _ = scores_of(test, judge, history, other, metric)
    return widest_interval(values - others, groupings(test, np.arange(len(values))), bases, shares=False)
