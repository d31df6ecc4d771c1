"""How far a picture is from its history's hand, on boxes whose lines, colours and places are known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drc.bench.scores.hand import HandScorer
from drc.bench.scores.interval import interval, widest_interval
from drc.data.pictures import Pictures

SIZE = 128


def outline(width, colour="black", first=20):
    picture = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(picture).rectangle((first, first, SIZE - 1 - first, SIZE - 1 - first), outline=colour, width=width)
    return np.asarray(picture)


@pytest.fixture
def scorer():
    class Domain:
        pictures = Pictures([(np.stack([outline(8), outline(8, first=30), outline(40)]), np.arange(3), [None] * 3)])

    return HandScorer(Domain())


def test_lines_are_within_a_fifth_or_not(scorer):
    drawn = np.stack([outline(8), outline(8, first=24), outline(12)])
    assert scorer.scores(drawn, [(0, 1)] * 3)["stroke"].tolist() == [1, 1, 0]


def test_a_history_of_filled_shapes_has_no_line_width(scorer):
    assert np.isnan(scorer.scores(outline(8)[None], [(2,)])["stroke"]).all()


def test_what_is_off_is_told_in_its_own_unit(scorer):
    found = scorer.scores(np.stack([outline(8, "red", first=30)]), [(0, 0)])
    assert found["padding"][0] == pytest.approx(10 / SIZE, abs=0.01)
    assert found["palette"][0] > 0.1 and found["colours"][0] == 0 and found["corner"][0] < 0.01


def test_few_hands_widen_an_interval_over_many_meanings():
    values = np.array([1, 1, 1, 0, 0, 0, 1, 1])
    meanings, families = [str(number) for number in range(8)], list("aaabbbcc")
    by_meaning, by_family = interval(values, meanings), interval(values, families)
    both = widest_interval(values, [meanings, families])
    assert both[0] == values.mean() and both[1] == min(by_meaning[1], by_family[1])
    assert both[2] == max(by_meaning[2], by_family[2]) and both[1:] != by_meaning[1:]
