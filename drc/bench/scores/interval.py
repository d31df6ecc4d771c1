"""Means with the intervals that hold the truth in 95 of 100 such samples, by the bootstrap."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000
MISSED = 0.025
"""The chance that the truth lies beyond one end of an interval."""


def interval(
    values: np.ndarray, groups: Sequence[str], bases: np.ndarray | None = None, seed: int = 0, shares: bool = True
) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval; whole groups (meanings) are resampled, not cases.

    With `bases` it is the sum of the values as a share of the sum of the bases. Given the differences of two models on
    the same cases, it is the paired interval of their difference. Values that are nan do not count. `shares` says that
    a 0 or 1 is wrong or right, and no such difference.

    Where every answer is right, or every one wrong, resampling never draws another and would be sure of it; the exact
    interval of so many groups (Clopper and Pearson, 1934) stands there instead.
    """
    kept = np.flatnonzero(~np.isnan(values))
    values, groups = np.asarray(values)[kept], np.asarray(groups)[kept]
    bases = np.ones(len(kept)) if bases is None else np.asarray(bases, float)[kept]
    names, group = np.unique(groups, return_inverse=True)
    total, base = np.bincount(group, values), np.bincount(group, bases)
    draws = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    means = total[draws].sum(axis=1) / base[draws].sum(axis=1)
    low, high = np.percentile(means, (100 * MISSED, 100 * (1 - MISSED)))
    if shares and (bases == 1).all() and (values == values[0]).all() and values[0] in (0, 1):
        unseen = 1 - MISSED ** (1 / len(names))  # so many can be otherwise and yet none of the groups shows it
        low, high = (1 - unseen, 1.0) if values[0] else (0.0, unseen)
    return float(np.sum(values) / bases.sum()), float(low), float(high)


def widest_interval(
    values: np.ndarray, groupings: Sequence[Sequence[str]], bases: np.ndarray | None = None, shares: bool = True
) -> tuple[float, float, float]:
    """As `interval`, with the lowest and the highest bound over several ways to group the same values: few hands can
    say less than many meanings, and the reverse."""
    found = [interval(values, groups, bases, shares=shares) for groups in groupings]
    return found[0][0], min(low for _, low, _ in found), max(high for *_, high in found)
