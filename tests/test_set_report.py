"""The set report on drawn boxes, of which is known what is wrong with them, and on real icons of three sets."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drc.colours import APART
from drc.complete.hands import WEIGHTS, load_hands
from drc.complete.marks import GRIDS, MARKS, SIDE, marks
from drc.complete.palette import lock, palette_of
from drc.complete.report import LINE, TRAITS, measure, report
from drc.complete.report_sheet import MOST_SHOWN, report_sheet
from drc.complete.sizes import on_ground, shrunk
from drc.data.colouring import Colouring
from drc.data.palette import pixels_of_oklab
from drc.style_card import MOST_PICTURES

FOREIGN = {"colours that the set does not have", "drawn in lines, the set is filled"}
EXAMPLES = Path(__file__).resolve().parents[1] / "nodes" / "examples"


def drawn(number=0, width=6, ink="black", second=None, edge=12, ground="white"):
    """An icon of one set: a rounded box and another in it, of another size for each number."""
    picture = Image.new("RGB", (4 * SIDE, 4 * SIDE), ground)
    pen, high = ImageDraw.Draw(picture), 20 + 5 * (number % 7)
    boxes = ((edge, edge + 4, SIDE - edge, SIDE - edge - 4), (38, 40, 90, 44 + high))
    for box, colour in zip(boxes, (ink, second or ink), strict=True):
        pen.rounded_rectangle([4 * place for place in box], 24, outline=colour, width=4 * width)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


BLANK = measure(np.full((SIDE, SIDE, 3), 255, np.uint8))


@pytest.fixture(scope="module")
def history():
    return [measure(drawn(number)) for number in range(8)]


@pytest.fixture(scope="module")
def examples():
    """Measured pictures of three sets that come with the pack, squared already."""
    sets = [sorted((EXAMPLES / name).glob("icon-*.png")) for name in ("icons-1", "icons-2", "icons-3")]
    return [
        [
            measure(np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)))
            for path in paths
        ]
        for paths in sets
    ]


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"width": 2}, r"stroke (6|7)\d % thinner than the set"),
        ({"width": 11}, r"stroke (8|9|10)\d % thicker than the set"),
        ({"second": "red"}, "1 more colour than the set"),
        ({"ink": "red"}, "colours that the set does not have"),
        ({"edge": 20, "width": 10}, r"sits 6 % farther from the edge"),
    ],
)
def test_what_is_wrong_is_told_first_and_does_not_fit(history, wrong, told):
    found = report([measure(drawn(3)), measure(drawn(3, **wrong))], history, ["right", "wrong"])
    assert [row.name for row in found.rows] == ["wrong", "right"]
    assert found.redraw == ["wrong"] and found.title == "1 of 2 do not fit the set of 8"
    words = found.rows[0].words
    assert any(re.fullmatch(told, one) for one in words), words
    assert found.rows[1].words == ()


def test_the_order_of_the_history_and_what_else_is_asked_change_nothing(history, examples):
    new = [measure(drawn(3, width=4)), *examples[0]]
    every, one = report(new, history), report(new[:1], history[::-1])
    row = next(row for row in every.rows if row.number == 0)
    assert row.misfit == pytest.approx(one.rows[0].misfit, abs=1e-6) and row.words == one.rows[0].words


def test_pictures_in_which_nothing_is_drawn(history):
    found = report([measure(drawn(1)), BLANK], [*history, BLANK], ["box", "nothing"])
    assert found.redraw == ["nothing"] and found.rows[0].words == ("nothing is drawn",)
    assert all(np.isnan(list(found.rows[0].scores.values())))
    assert found.history == 8 and "1 of the 9 pictures of the history have nothing drawn" in found.text()
    with pytest.raises(ValueError, match=r"history has nothing drawn in any of its pictures \(2\); give pictures"):
        report([BLANK], [BLANK] * 2)


def test_a_trait_that_cannot_be_read_is_told(history):
    disc = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(disc).ellipse((20, 20, 108, 108), fill="black")
    found = report([measure(np.array(disc))], history, ["disc"])
    assert "not read: corner" in found.text() and "filled, the set is drawn in lines" in found.rows[0].words


def test_a_history_of_one_judges_by_other_sets(history):
    found = report([measure(drawn(2)), measure(drawn(2, width=12))], history[:1])
    assert found.redraw == ["2"] and "with one picture in the history" in found.text()


@pytest.mark.parametrize("names, told", [(["a"], "has 1 lines, but images has 2"), (["a"] * 3, "has 3 lines")])
def test_names_of_another_number(history, names, told):
    with pytest.raises(ValueError, match=told):
        report(history[:2], history, names)


def test_a_history_has_1_to_200_pictures(history):
    for count in (0, MOST_PICTURES + 1):
        with pytest.raises(ValueError, match=rf"history has {count} pictures, expected 1 to 200"):
            report(history[:1], (history * 26)[:count])


def test_real_icons_fit_their_own_set_and_no_other(examples):
    for place, own in enumerate(examples):
        left_out = [report([one], own[:number] + own[number + 1 :]).redraw for number, one in enumerate(own)]
        others = [one for other in examples[:place] + examples[place + 1 :] for one in other]
        found = report(others, own)
        assert sum(map(bool, left_out)) <= 1 and len(found.redraw) >= 0.9 * len(others)


def test_a_set_in_its_own_colours_has_no_foreign_one_and_its_outline_is_its_stroke(examples):
    """Outlined and filled: what the lock gives is measured by the colours that it gave."""
    paths = sorted((EXAMPLES / "icons-1").glob("icon-*.png"))
    palette = palette_of(pictures := [np.array(Image.open(path).convert("RGB")) for path in paths])
    ground = pixels_of_oklab(palette.colours[0])
    locked = [measure(on_ground(shrunk(one, SIDE), ground)) for one in lock(np.stack(pictures), palette)]
    for one in locked:
        away = np.linalg.norm(one.traits.colours[:, None] - palette.colours, axis=-1)
        assert away.min(axis=1).max() < APART and one.traits.lines
    found = report(locked, examples[0])
    assert found.redraw == [] and not {word for row in found.rows for word in row.words} & FOREIGN
    assert all(abs(row.scores["stroke"]) < LINE and abs(row.scores["palette"]) < LINE for row in found.rows)


def test_a_line_of_uneven_width_is_not_called_filled(history):
    picture = Image.fromarray(drawn(3, width=8))
    ImageDraw.Draw(picture).rectangle((12, 16, 34, 112), fill="black")
    ((row),) = report([measure(np.array(picture))], history, ["a"]).rows
    assert not measure(np.array(picture)).traits.lines
    assert any(re.fullmatch(r"stroke \d\d % thicker than the set and uneven", word) for word in row.words), row.words


def test_another_hand_in_the_same_colours_is_found(examples):
    """Rare colours that a set and a stranger share say nothing of the hand: a palette lock gives them to all."""
    files = sorted((EXAMPLES / "icons-2").glob("icon-*.png"))
    black = [np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for path in files]
    painted = [measure(Colouring("#f2f0e6", "#c8452f").paint(one)) for one in black]  # in those of icons-3
    marked, strange = (np.stack([one.marks for one in some]) for some in (painted, examples[2]))
    misfits, own = load_hands().misfits(strange, marked), load_hands().misfits(marked, marked)
    assert (misfits > 0).sum() >= 3 and np.median(misfits) > -3 and own.max() < np.median(misfits)


def test_nothing_hangs_on_many_pictures_and_a_long_report_is_cut(history):
    found = report(history * 50, history)
    squares = [drawn(number % 8) for number in range(400)]
    sheet = report_sheet(found, squares, squares[:200])
    assert len(found.rows) == 400 and sheet.shape[1] == 1024 and sheet.shape[0] < 80 * MOST_SHOWN


def test_small_pictures_are_not_told_to_fit(history):
    found = report([None, None], history, ["sun", "moon"])
    assert [(row.name, row.verdict, row.words) for row in found.rows] == [(n, "not told", ()) for n in ("sun", "moon")]
    assert found.title == "The pictures are too small to tell which fit the set of 8: 128 pixels or more tell"
    assert found.redraw == [] and "sun: not told\nmoon: not told" in found.text()
    assert report_sheet(found, [drawn()] * 2, [drawn()] * 8).shape[1] == 1024
    mixed = report([None, history[0]], history)
    assert mixed.title == "0 of 2 do not fit the set of 8" and [row.number for row in mixed.rows] == [1, 0]


def test_how_much_of_a_history_is_not_shown_is_told(history, monkeypatch):
    heads = []
    monkeypatch.setattr("drc.complete.report_sheet.write_head", lambda canvas, title, note: heads.append(note))
    for count in (15, 40):
        report_sheet(report(history[:1], history), [drawn()], [drawn()] * count)
    assert heads == [
        "the history; below it the new pictures, the worst first",
        "the history and 25 more of it; below it the new pictures, the worst first",
    ]


def test_a_name_that_cannot_be_drawn_is_a_number(history):
    found = report(history[:2], history, ["caf\u00e9", "\u732b"])
    assert {row.name: row.label for row in found.rows} == {"caf\u00e9": "caf\u00e9", "\u732b": "no. 2"}
    assert "\u732b (no. 2): fits" in found.text() and "caf\u00e9: fits" in found.text()
    squares = [drawn(number) for number in range(2)]
    again = report(history[:2], history, ["cafe", "no. 2"])
    assert np.array_equal(report_sheet(found, squares, squares), report_sheet(again, squares, squares))


def test_marks_have_their_names_and_none_where_nothing_is_drawn():
    assert marks(drawn()).shape == (len(MARKS),) and np.isfinite(marks(drawn())).all()
    assert np.isnan(BLANK.marks).all() and BLANK.blank
    assert np.isfinite(marks(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8))).all()


@pytest.mark.parametrize("lines", GRIDS)
def test_edges_on_a_grid_are_seen_to_be(lines):
    def on_grid(offset):
        step, picture = 8 * SIDE / lines, Image.new("RGB", (8 * SIDE, 8 * SIDE), "white")
        box = [round(step * (place + offset)) for place in (3, 4, 11, 13)]
        ImageDraw.Draw(picture).rectangle((*box[:2], box[2] - 1, box[3] - 1), fill="black")
        small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))
        return dict(zip(MARKS, marks(small), strict=True))[f"on grid {lines}"]

    assert on_grid(0) > 0.3 and on_grid(0.5) < -0.3 and abs(on_grid(0.25)) < 0.1


def test_thin_parts_are_reached_by_small_discs_alone():
    thin, thick = (dict(zip(MARKS, marks(drawn(width=width)), strict=True)) for width in (5, 16))
    assert thin["disc 3.5"] < 0 < thin["disc 2"] and thick["disc 6"] > 0


def test_what_is_known_of_hands_is_checked(tmp_path):
    path = tmp_path / "hands.safetensors"
    path.write_bytes(WEIGHTS.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"^hands.safetensors is not a readable safetensors file .*install this pack"):
        load_hands(path)
    hands = load_hands()
    assert np.linalg.eigvalsh(hands.within).min() > 0 and set(TRAITS) >= {"stroke"}
    for one in (hands.within, hands.between, hands.coded):
        assert np.allclose(one, one.T, atol=1e-5)
