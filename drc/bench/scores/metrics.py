"""The metrics of a report: their names in results, and the heads of their columns."""

from collections.abc import Mapping
from dataclasses import dataclass

PART = "part: "  # begins the metric of one part of a style or a meaning


@dataclass(frozen=True)
class Metric:
    """`head` is that of a column. Shares are told in percent; `less` is better where it says so."""

    head: str
    less: bool = False


METRICS = {
    "semantic_top1": Metric("meaning"),
    "semantic_top5": Metric("meaning, first 5"),
    "style_top1": Metric("style"),
    "joint_top1": Metric("both"),
    "distance": Metric("distance, of copy's", less=True),
    "copies_reference": Metric("nearer to reference", less=True),
    "copies_history": Metric("nearer to history", less=True),
    "stroke": Metric("line width within a fifth"),
    "weight": Metric("off in weight", less=True),
    "padding": Metric("off in padding", less=True),
    "corner": Metric("off in corner radius", less=True),
    "palette": Metric("off in palette", less=True),
    "colours": Metric("off in number of colours", less=True),
}


def metric_of(name: str) -> Metric:
    return METRICS.get(name) or Metric(name.removeprefix(PART))


def metrics_in(answers: Mapping[str, Mapping]) -> list[str]:
    """The metrics that were taken of any of these answers, in the order of a table."""
    taken = dict.fromkeys(name for scores in answers.values() for name in scores)
    return [*(name for name in METRICS if name in taken), *(name for name in taken if name not in METRICS)]
