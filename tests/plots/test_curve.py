"""The loss curve shows every number of the log and nothing else, and numbers that are none do it no harm."""

import math

import numpy as np
import pytest
from PIL import ImageColor

from drc.plots.canvas import GROUND, MUTED
from drc.plots.curve import CHARTS, boxes, loss_curve, numerals, points, running_mean, span, ticks

KEYS = {series.key: series.colour for chart in CHARTS for series in chart.series}
PAIRS = ("aa", "sa", "am", "sm")


def stage1(steps=400, seed=0):
    random = np.random.default_rng(seed)
    records = []
    for step in range(1, steps + 1):
        record = {"step": step, "loss": 3 + 3 * math.exp(-step / 80) + random.normal(0, 0.2), "gradient": 1.0}
        record |= {f"loss_{pair}": record["loss"] + place for place, pair in enumerate(PAIRS)}
        record |= {f"p_{pair}": 0.1 + 0.1 * place for place, pair in enumerate(PAIRS)}
        records.append(record)
        if step % 20 == 0:
            records.append({"step": step, "validation_loss": 3.3, "style_score": step / 400, "semantic_score": -0.02})
    return records


def stage2(steps=20):
    records = [{"step": step, "loss": 3.4 - step / 50} for step in range(1, steps + 1)]
    return records + [{"step": steps, "validation_loss": 3.2, "style_score": 0.4, "semantic_score": 0.1}]


def places(picture, colour):
    """Rows and columns of the pixels of exactly this colour."""
    return np.argwhere((picture == ImageColor.getrgb(colour)).all(axis=-1))


def colours(picture):
    return {colour for colour in KEYS.values() if len(places(picture, colour))}


def test_every_number_of_stage_1_has_its_line():
    picture = loss_curve(stage1())
    assert picture.shape == (768, 1024, 3) and picture.dtype == np.uint8
    halves = {
        "loss": (0, 0),
        "loss of each combination": (0, 1),
        "how often each is drawn": (1, 0),
        "what counts": (1, 1),
    }
    for chart in CHARTS:
        below, right = halves[chart.title]
        part = picture[384 * below : 384 * (below + 1), 512 * right : 512 * (right + 1)]
        assert colours(part) == {series.colour for series in chart.series}
        for series in chart.series:
            found = places(part[60:], series.colour)  # below the legend
            assert len(found) > 20 and np.ptp(found[:, 1]) > 380, series.key


def test_series_of_one_chart_have_colours_of_their_own():
    for chart in CHARTS:
        assert len({series.colour for series in chart.series}) == len(chart.series)


@pytest.mark.parametrize("key", KEYS)
def test_a_series_alone_is_the_only_one(key):
    picture = loss_curve([{"step": step, key: step / 10} for step in (1, 2, 3)])
    assert colours(picture) == {KEYS[key]}


def test_charts_without_data_leave_their_room_to_the_others():
    picture = loss_curve(stage2())
    assert colours(picture) == {KEYS[key] for key in ("loss", "validation_loss", "style_score", "semantic_score")}
    training, style = places(picture, KEYS["loss"]), places(picture, KEYS["style_score"])
    assert training[:, 0].max() < 384 <= style[:, 0].min()
    assert np.ptp(training[:, 1]) > 900


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_boxes_fill_the_picture(count):
    cells = boxes(count, 1000, 600)
    assert len(cells) == count
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in cells) == 1000 * 600


def test_lines_on_each_other_take_turns():
    records = [{"step": step, **{f"p_{pair}": 0.25 for pair in PAIRS}} for step in range(1, 101)]
    drawn = loss_curve(records)[60:]
    for pair in PAIRS:
        columns = np.unique(places(drawn, KEYS[f"p_{pair}"])[:, 1])
        assert 150 < len(columns) < 300 and np.ptp(columns) > 800


def test_higher_is_higher_and_later_is_further_right():
    picture = loss_curve([{"step": step, "validation_loss": 1.0 + 3 * (step == 30)} for step in (10, 20, 30)])
    y, x = places(picture[60:], KEYS["validation_loss"]).T
    assert x[y.argmin()] > x[y.argmax()] and x.min() > 1024 / 4  # the axis begins at step 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None, "3", np.float32("nan")])
def test_what_is_no_number_is_left_out(bad):
    records = stage1(40)
    last = {"step": 41, **dict.fromkeys(KEYS, bad)}
    assert np.array_equal(loss_curve([*records, last]), loss_curve(records))
    assert np.array_equal(loss_curve([{"step": bad, "loss": 2.0}, {"loss": 2.0}, *records]), loss_curve(records))


def test_without_a_number_it_says_so():
    picture = loss_curve([])
    assert colours(picture) == set() and len(places(picture, MUTED)) > 50
    assert np.array_equal(loss_curve([{"step": 1, "loss": math.nan}, {"step": 2, "seconds": 3.0}]), picture)


def test_one_row_is_a_dot():
    picture = loss_curve([{"step": 1, "loss": 6.2}])
    dot = places(picture[60:], KEYS["loss"])
    assert len(dot) > 20 and np.ptp(dot, axis=0).max() <= 8
    assert loss_curve(stage1(1)).shape == (768, 1024, 3)


def test_same_rows_give_the_same_bytes_in_any_order():
    assert np.array_equal(loss_curve(stage1()), loss_curve(stage1()))
    assert np.array_equal(loss_curve(stage2()), loss_curve(stage2()[::-1]))
    assert not np.array_equal(loss_curve(stage1()), loss_curve(stage1(seed=1)))


@pytest.mark.parametrize("size", [(480, 360), (321, 241), (64, 48), (2048, 500)])
def test_size(size):
    for records in (stage1(60), stage2(), []):
        picture = loss_curve(records, *size)
        assert picture.shape == (size[1], size[0], 3) and len(places(picture, GROUND)) > 0


def test_numbers_beyond_all_measure():
    for loss in (0.0, 1e-9, 1e7, 1e30, -1e30):
        records = [{"step": 10**9, "loss": loss}, {"step": 2 * 10**9, "loss": 2 * loss}]
        assert colours(loss_curve(records)) == {KEYS["loss"]}


def test_a_rare_spike_does_not_squeeze_the_rest():
    values = np.linspace(3, 2, 400)
    values[200] = 1000
    low, high = span(values, ())
    assert 1.9 < low < 2 and 3 < high < 5
    assert span(np.array([5.0]), ()) == pytest.approx((4.46, 5.54))
    assert span(np.array([0.2, 0.4]), (0, 1)) == (0, 1)


def test_running_mean():
    steps = np.arange(100)
    level = np.stack((steps, np.full(100, 3.0)), axis=1)
    assert running_mean(level) == pytest.approx(level)
    noisy = level + np.stack((np.zeros(100), np.random.default_rng(0).normal(0, 1, 100)), axis=1)
    assert running_mean(noisy)[:, 1].std() < 0.5 * noisy[:, 1].std()
    few = level[:8]
    assert running_mean(few) is few


@pytest.mark.parametrize(
    ("low", "high", "about", "whole", "labels"),
    [
        (0, 1, 5, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (2.9, 3.43, 6, False, ["2.9", "3.0", "3.1", "3.2", "3.3", "3.4"]),
        (-0.03, 0.12, 4, False, ["0.00", "0.05", "0.10"]),
        (0, 30000, 4, True, ["0", "10,000", "20,000", "30,000"]),
        (0, 1, 4, True, ["0", "1"]),
        (0, 3e9, 3, False, ["0", "1e+09", "2e+09", "3e+09"]),
    ],
)
def test_ticks_are_round(low, high, about, whole, labels):
    assert numerals(ticks(low, high, about, whole)) == labels


def test_points_are_sorted_and_finite():
    records = [{"step": 2, "loss": 1}, {"step": 1, "loss": 2.5}, {"step": 3}, {"step": 4, "loss": math.nan}]
    assert points(records, "loss").tolist() == [[1, 2.5], [2, 1]]
