"""Did a model draw the right picture? The true target must be nearer to what it drew than its rivals are.

Meaning: among all meanings in the target's style. Style: among all styles of the target's drawing or meaning. Joint:
in the whole gallery. Copying the reference fails at style, copying the history fails at meaning.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..data.pictures import Picture
from .cases import Case
from .judges import Features

RESAMPLES = 1000


def scores(
    drawn: Features,
    everything: Features,
    cases: Sequence[Case],
    gallery: Sequence[int],
    records: Sequence[Picture],
) -> dict[str, np.ndarray]:
    """Metric -> one truth value per case.

    drawn: features of what was drawn for each case. everything: features by row of `records`; `gallery` are the rows
    that may be rivals. `copies_reference` and `copies_history`: the output is nearer to that than to the target.
    """
    styles = np.array([record.style for record in records])
    meanings = np.array([record.meaning for record in records])
    targets, gallery = np.array([case.target for case in cases]), np.array(gallery)
    same_style = styles[gallery] == styles[targets][:, None]
    same_meaning = meanings[gallery] == meanings[targets][:, None]
    rivals = {
        "semantic": same_style & ~same_meaning,
        "style": same_meaning & ~same_style,
        "joint": ~(same_meaning & same_style),
    }
    result = {}
    for name, kind in (("semantic", "meaning"), ("style", "style"), ("joint", "joint")):
        its_drawn, its_features = getattr(drawn, kind), getattr(everything, kind)
        nearer = its_drawn @ its_features[gallery].T >= likeness(its_drawn, its_features, targets)
        ahead = (nearer.numpy() & rivals[name]).sum(axis=1)
        result[f"{name}_top1"] = ahead < 1
        if name == "semantic":
            result["semantic_top5"] = ahead < 5
    truth = likeness(drawn.joint, everything.joint, targets)
    for name in ("reference", "history"):
        given = np.array([getattr(case, name) for case in cases])
        result[f"copies_{name}"] = (likeness(drawn.joint, everything.joint, given) > truth).any(dim=1).numpy()
    return result


def likeness(drawn: Tensor, features: Tensor, rows: np.ndarray) -> Tensor:
    """Each output against one row of its own, or against n: rows [cases] or [cases, n] -> [cases, 1 or n]."""
    return torch.einsum("cf,cnf->cn", drawn, features[rows.reshape(len(drawn), -1)])


def interval(values: np.ndarray, groups: Sequence[str], seed: int = 0) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval; whole groups (meanings) are resampled, not cases."""
    names, group = np.unique(groups, return_inverse=True)
    total, count = np.bincount(group, values), np.bincount(group)
    draws = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    means = total[draws].sum(axis=1) / count[draws].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(np.mean(values)), float(low), float(high)


def nearest_in_history(everything: Features, cases: Sequence[Case]) -> list[int]:
    """For each case the history picture whose meaning is nearest to the reference's: what retrieval would answer."""
    meaning = everything.meaning
    return [case.history[int((meaning[list(case.history)] @ meaning[case.reference]).argmax())] for case in cases]
