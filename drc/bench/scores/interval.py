"""Means with the intervals that hold the truth in 95 of 100 such samples, by the bootstrap."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000


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


def widest_interval(
    values: np.ndarray, groupings: Sequence[Sequence[str]], bases: np.ndarray | None = None
) -> tuple[float, float, float]:
    """As `interval`, with the lowest and the highest bound over several ways to group the same values: few hands can
    say less than many meanings, and the reverse."""
    found = [interval(values, groups, bases) for groups in groupings]
    return found[0][0], min(low for _, low, _ in found), max(high for *_, high in found)
