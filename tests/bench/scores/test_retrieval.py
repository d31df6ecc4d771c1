"""Known answers for made-up features, and intervals that can be worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from drc.bench.baselines import Asked, nearest_in_style
from drc.bench.cases.domain import Case, Domain
from drc.bench.judges.judge import Features, Seen
from drc.bench.scores.interval import interval
from drc.bench.scores.retrieval import Scorer
from drc.data.pictures import Picture, Pictures

STYLES, MEANINGS = 4, 8
GRID = [Picture(f"style {s}", f"drawing {m}", f"meaning {m}") for s in range(STYLES) for m in range(MEANINGS)]


def row(style: int, meaning: int) -> int:
    return style * MEANINGS + meaning


def grid_features() -> Features:
    styles, meanings = torch.tensor([[s, m] for s in range(STYLES) for m in range(MEANINGS)]).T
    return Features(F.one_hot(styles, STYLES).float(), F.one_hot(meanings, MEANINGS).float())


CASES = [
    Case(row(style, meaning), row(style + 1, meaning), (row(style, meaning + 1), row(style, meaning + 2)))
    for style in (0, 2)
    for meaning in (1, 3)
]
HISTORIES = [case.history for case in CASES]


DOMAIN = Domain(Pictures([(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(len(GRID), int), GRID)]), "grid")


def scorer(seen: Features, gallery: Sequence[int] = range(len(GRID))) -> Scorer:
    return Scorer(DOMAIN, CASES, gallery, Seen(np.arange(len(GRID)), seen))


def means(drawn: Features) -> dict[str, float]:
    found = scorer(grid_features()).scores(drawn, HISTORIES)
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_scores_of_known_answers():
    everything = grid_features()
    nothing = {"copies_reference": 0, "copies_history": 0}
    right = {"semantic_top1": 1, "semantic_top5": 1, "style_top1": 1, "joint_top1": 1}
    assert means(everything[[case.target for case in CASES]]) == right | nothing
    copied = means(everything[[case.reference for case in CASES]])
    assert copied == right | {"style_top1": 0, "joint_top1": 0, "copies_reference": 1, "copies_history": 0}
    old = means(everything[[case.history[0] for case in CASES]])
    wrong = {"semantic_top1": 0, "semantic_top5": 0, "joint_top1": 0}
    assert old == right | wrong | {"copies_reference": 0, "copies_history": 1}


def test_no_answer_is_a_wrong_answer():
    blank = Features(torch.zeros(len(CASES), STYLES), torch.zeros(len(CASES), MEANINGS))
    assert means(blank) == dict.fromkeys(means(blank), 0)


def test_top5_counts_the_rivals_ahead():
    everything = grid_features()
    drawn = everything[[case.target for case in CASES]]
    drawn.meaning[0] = torch.tensor([0.4, 0.1, 0.3, 0.2, 0.5, 0.6, 0.0, 0.0])  # the target, meaning 1, comes sixth
    drawn.meaning[1] = torch.tensor([0.5, 0.1, 0.0, 0.4, 0.2, 0.0, 0.0, 0.0])  # the target, meaning 3, comes second
    found = scorer(everything).scores(drawn, HISTORIES)
    assert found["semantic_top1"].tolist() == [False, False, True, True]
    assert found["semantic_top5"].tolist() == [False, True, True, True]


def test_among_five_rivals_or_fewer_the_first_five_say_nothing():
    few = [row for row, picture in enumerate(GRID) if picture.meaning < "meaning 6"]
    found = scorer(grid_features(), few).scores(grid_features()[[case.target for case in CASES]], HISTORIES)
    assert "semantic_top5" not in found


def test_the_first_cases_are_scored_alone():
    everything = grid_features()
    rows = [CASES[0].target, CASES[1].reference]
    found = scorer(everything).scores(everything[rows], HISTORIES[:2])
    assert found["style_top1"].tolist() == [True, False]


def test_interval_resamples_groups():
    assert interval(np.ones(6), list("aabbcc"), shares=False) == (1, 1, 1)
    assert interval(np.ones(6), list("aabbcc")) == (1, pytest.approx(0.2924, abs=1e-4), 1)
    assert interval(np.zeros(8), list("abcdefgh")) == (0, 0, pytest.approx(0.3694, abs=1e-4))
    assert interval(np.array([1, 0, 1, 0]), list("aabb")) == (0.5, 0.5, 0.5)
    mean, low, high = interval(np.array([1, 1, 0, 0]), list("aabb"))
    assert (mean, low, high) == (0.5, 0, 1)


def test_interval_of_a_share_weighs_by_what_it_is_a_share_of():
    values, bases = np.array([1.0, 1.0]), np.array([1.0, 4.0])
    mean, low, high = interval(values, list("ab"), bases)
    assert mean == pytest.approx(2 / 5) and (low, high) == (0.25, 1)
    assert interval(bases / 2, list("ab"), bases) == (0.5, 0.5, 0.5)


def test_interval_leaves_out_what_is_no_number():
    assert interval(np.array([1, np.nan, 0, np.nan]), list("aabb"), np.array([1, 9, 1, 9])) == interval(
        np.array([1, 0]), list("ab")
    )


def test_retrieval_takes_the_history_picture_nearest_in_meaning():
    everything = grid_features()
    everything.meaning[row(0, 3)] = torch.tensor([0, 0.5, 0, 0.5, 0, 0, 0, 0])
    asked = Asked(DOMAIN, "T1", [CASES[0]], Seen(np.arange(len(GRID)), everything))
    assert nearest_in_style(asked) == [row(0, 3)]
