"""Did a model draw the right picture? The true target must be nearer to what it drew than its rivals are.

Meaning: among all meanings in the target's style. Style: among all styles of the target's drawing or meaning. Joint:
in the whole gallery. Copying the reference fails at style, copying the history fails at meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .domain import Case, Domain
from .judges import Features

RESAMPLES = 1000
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
}


def metric_of(name: str) -> Metric:
    return METRICS.get(name) or Metric(name.removeprefix(PART))


@dataclass(frozen=True)
class Seen:
    """Pictures of a domain as a judge saw them: features, or other vectors, row by row of `rows`, which are sorted."""

    rows: np.ndarray
    features: Features | Tensor

    def __getitem__(self, rows) -> Features | Tensor:
        return self.features[torch.as_tensor(np.searchsorted(self.rows, np.asarray(rows)))]


class Scorer:
    """Scores answers to cases of one test; `gallery` are the rows that may be rivals."""

    def __init__(self, domain: Domain, cases: Sequence[Case], gallery: Sequence[int], seen: Seen):
        self.cases, self.seen, self.gallery = cases, seen, np.array(gallery)
        self.targets = np.array([case.target for case in cases])
        styles, meanings = (
            np.array([getattr(record, kind) for record in domain.pictures.records]) for kind in ("style", "meaning")
        )
        same_style = styles[self.gallery] == styles[self.targets][:, None]  # cases, gallery
        same_meaning = meanings[self.gallery] == meanings[self.targets][:, None]
        self.rivals = {
            "semantic": same_style & ~same_meaning,
            "style": same_meaning & ~same_style,
            "joint": ~(same_meaning & same_style),
        }

    def scores(self, drawn: Features, histories: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
        """Metric -> one truth value for each of the first cases, for which drawn [n] and histories are given.

        `copies_reference` and `copies_history`: the output is nearer to that than to the target.
        """
        count, result = len(histories), {}
        targets, all_features = self.targets[:count], self.seen[self.gallery]
        for name, kind in (("semantic", "meaning"), ("style", "style"), ("joint", "joint")):
            likeness_to_all = (getattr(drawn, kind) @ getattr(all_features, kind).T).numpy()
            truth = likeness(getattr(drawn, kind), getattr(self.seen[targets], kind)[:, None]).numpy()
            ahead = ((likeness_to_all >= truth) & self.rivals[name][:count]).sum(axis=1)
            result[f"{name}_top1"] = ahead < 1
            if name == "semantic" and self.rivals[name].sum(axis=1).min() > 5:  # else nobody could fail
                result["semantic_top5"] = ahead < 5
        truth = likeness(drawn.joint, self.seen[targets].joint[:, None])
        references = [[case.reference] for case in self.cases[:count]]
        for name, given in (("reference", references), ("history", histories)):
            pairs = zip(drawn.joint, given, strict=True)  # some have fewer pictures
            nearest = torch.stack([likeness(one[None], self.seen[[rows]].joint).max() for one, rows in pairs])
            result[f"copies_{name}"] = (nearest > truth[:, 0]).numpy()
        return result


def likeness(drawn: Tensor, features: Tensor) -> Tensor:
    """Each output [cases, f] against n pictures of its own [cases, n, f] -> [cases, n]."""
    return torch.einsum("cf,cnf->cn", drawn, features)


def interval(
    values: np.ndarray, groups: Sequence[str], bases: np.ndarray | None = None, seed: int = 0
) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval; whole groups (meanings) are resampled, not cases.

    With `bases` it is the sum of the values as a share of the sum of the bases. Given the differences of two models on
    the same cases, it is the paired interval of their difference. Values that are nan do not count.
    """
    kept = np.flatnonzero(~np.isnan(values))
    values, groups = np.asarray(values)[kept], np.asarray(groups)[kept]
    bases = np.ones(len(kept)) if bases is None else np.asarray(bases, float)[kept]
    names, group = np.unique(groups, return_inverse=True)
    total, base = np.bincount(group, values), np.bincount(group, bases)
    draws = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    means = total[draws].sum(axis=1) / base[draws].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(np.sum(values) / bases.sum()), float(low), float(high)


def metrics_in(answers: Mapping[str, Mapping]) -> list[str]:
    """The metrics that were taken of any of these answers, in the order of a table."""
    taken = dict.fromkeys(name for scores in answers.values() for name in scores)
    return [*(name for name in METRICS if name in taken), *(name for name in taken if name not in METRICS)]
