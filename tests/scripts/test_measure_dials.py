"""The sentence that says whether a dial does what it says."""

import pytest

from drc.bench.summary import Number
from scripts.measure_dials import DIALS, told


def said(own: list[float], other: list[float]) -> str:
    """Of a style dial over its five steps."""
    means = {"style_top1": own, "semantic_top1": other}
    curves = {
        ("P3", "eye", "style_strength", step, metric): Number(
            "P3", "8", "eye", f"style_strength {step:g}", "", "", metric, mean, mean, mean, cases=48
        )
        for metric, its_means in means.items()
        for step, mean in zip(DIALS["style_strength"], its_means, strict=True)
    }
    return told(curves, "P3", "eye", "style_strength")


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
