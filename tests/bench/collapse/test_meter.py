"""The collapse meter: scales with three points, verdicts in words, lines that keep their word on other cases."""

import numpy as np
import pytest
import torch

from drc.bench.collapse.likelihood import CollapseScores
from drc.bench.collapse.meter import (
    BALANCED,
    COPIES_HISTORY,
    COPIES_REFERENCE,
    NEITHER,
    TO_REFERENCE,
    TO_STYLE,
    Scale,
    Thresholds,
    fit,
    line,
    rate,
    read,
)


def test_a_scale_has_three_points():
    scale = Scale(-2.0, 0.0, 1.0)
    assert scale([-3, -2, -1, 0, 0.5, 1, 9]).tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1]


THRESHOLDS = Thresholds(Scale(-1, 0, 1), Scale(-1, 0, 1), Scale(0, 0.6, 1))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.5, 0.5, 0.2, 0.3), BALANCED),
        ((0.5, -0.5, 0.2, 0.3), TO_STYLE),
        ((-0.5, 0.5, 0.2, 0.3), TO_REFERENCE),
        ((-0.5, -0.5, 0.2, 0.3), NEITHER),
        ((-0.5, 0.5, 0.9, 0.3), COPIES_REFERENCE),
        ((0.5, 0.5, 0.7, 0.8), COPIES_HISTORY),
    ],
)
def test_verdicts(values, verdict):
    (reading,) = read(CollapseScores(*torch.tensor(values)[:, None]), THRESHOLDS)
    assert reading.verdict == verdict and reading.collapsed == (verdict != BALANCED)
    assert reading.style == pytest.approx(0.5 + values[0] / 2)
    assert reading.copying == pytest.approx(THRESHOLDS.copying(max(values[2:])).item())


def test_a_line_lies_in_the_middle_of_the_gap_that_false_alarms_allow():
    assert line([1, 2, 3, 4], [-1, -2], 0.0) == 0
    assert line([1, 2, 3, 4], [-1, 1.5], 0.0) == 0  # a miss, but no false alarm
    assert line([1, 2, 3, 4], [-1, 1.5], 0.25) == 1.75
    assert line([1, 2], [5, 6], 0.0) == 1  # nothing to tell apart


def normal(means, count=2000, seed=0):
    """Scores around four means with a deviation of 1, copies with one of 0.05."""
    random = np.random.default_rng(seed)
    values = [random.normal(mean, deviation, count) for mean, deviation in zip(means, (1, 1, 0.05, 0.05), strict=True)]
    return CollapseScores(*torch.from_numpy(np.stack(values)))


def test_fitted_thresholds_keep_their_word_on_other_cases():
    def seeds(first):
        kinds = {"true": (4, 3), "style lost": (-1, 3), "meaning lost": (4, -1), "copied": (-1, 3)}
        return {
            kind: normal((*means, 0.9 if kind == "copied" else 0.2, 0.1), seed=first + place)
            for place, (kind, means) in enumerate(kinds.items())
        }

    thresholds = fit(*seeds(0).values())
    rates = {kind: rate(read(found, thresholds)) for kind, found in seeds(10).items()}
    assert rates["true"] < 0.05
    assert min(rates["style lost"], rates["meaning lost"], rates["copied"]) > 0.95
    assert thresholds.style.lost == pytest.approx(-1, abs=0.1) and thresholds.style.kept == pytest.approx(4, abs=0.1)
    assert 0.3 < thresholds.copying.line < 0.8
