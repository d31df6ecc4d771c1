"""The sentence that says whether a dial does what it says."""

import pytest

from drc.bench.report.summary import Number
from scripts.measure_dials import told, told_of_truth

STEPS = (0.0, 0.5, 1.0, 2.0, 4.0)


def number(answer: str, metric: str, mean: float) -> Number:
    return Number("P3", "8", "eye", answer, "", "", metric, mean, mean, mean, cases=48)


def said(own: list[float], other: list[float]) -> str:
    """Of a style dial over its five steps."""
    means = {"style_top1": own, "semantic_top1": other}
    found = {
        ("P3", "eye", f"style {step:g}", metric): number(f"style {step:g}", metric, mean)
        for metric, its_means in means.items()
        for step, mean in zip(STEPS, its_means, strict=True)
    }
    return told(found, "P3", "eye", "style_strength", STEPS)


@pytest.mark.parametrize(
    ("own", "other", "verdict", "ratio"),
    [
        ([0.1, 0.3, 0.3, 0.4, 0.5], [0.8, 0.8, 0.9, 0.9, 0.8], "never falls", "moves by 0.25 of that gain"),
        ([0.1, 0.4, 0.35, 0.25, 0.5], [0.8, 0.8, 0.8, 0.7, 0.6], "falls by up to 10", "moves by 0.50 of that gain"),
        ([0.5, 0.5, 0.5, 0.5, 0.5], [0.8] * 5, "never falls", "moves by 0, for no gain"),
        ([0.5, 0.5, 0.5, 0.5, 0.25], [0.8] * 5, "falls by up to 25", "moves by 0, for no gain"),
    ],
)
def test_a_dial_is_told_by_its_falls_and_by_what_it_moves_elsewhere(own, other, verdict, ratio):
    text = said(own, other)
    assert text.startswith("P3, eye, style_strength: ")
    assert f" {' '.join(f'{100 * mean:.0f}' for mean in own)} ({verdict}), " in text
    assert f"({ratio}, at most 0.33 is wanted)" in text


def test_what_a_judge_misses_in_true_pictures_is_told_beside_it():
    answers = {("random in style", "style_top1"): 0.87, ("copy the reference", "semantic_top1"): 0.7}
    text = told_of_truth({("P3", "eye", *key): number(*key, mean) for key, mean in answers.items()}, "P3", "eye")
    assert "a true picture of another thing is right in style in 87, the reference in meaning in 70" in text
