"""Numbers, sentences, pictures and pages of made-up results, and comparisons of two."""

import copy
import csv
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import ImageColor

from drc.bench.baselines import COPY
from drc.bench.report.compare import ALL, Difference, differences, markdown, plot, write_comparison
from drc.bench.report.page import page
from drc.bench.report.plots import OTHERS, PLOTS
from drc.bench.report.report import Report, read_results
from drc.bench.report.summary import FIRST, Number, disagreements, indexed, numbers_of
from drc.bench.report.table import as_csv
from drc.plots.canvas import COLOURS
from drc.train.checkpoints import STATE, Checkpoint, RunFolder
from scripts.lib.card import markdown as card_markdown
from scripts.lib.card import replace_block, training_table

METRICS = ("semantic_top1", "semantic_top5", "style_top1", "joint_top1", "copies_reference", "copies_history")


def answer(share: float, distance: float | None = None, count: int = 8) -> dict[str, list]:
    """The first cases are right."""
    right = [int(place < share * count) for place in range(count)]
    return dict.fromkeys(METRICS, right) | ({} if distance is None else {"distance": [distance] * count})


@pytest.fixture
def results() -> dict:
    judges = {
        "evaluator": {
            "8": {COPY: answer(0.25), "ours": answer(0.75), "theirs": answer(0.25)},
            "1": {"ours": answer(0.5, count=4), "theirs": answer(0.25, count=4)},
        },
        "efficientnet-lite0": {
            "8": {COPY: answer(0.25, 2.0), "ours": answer(0.25, 1.0), "theirs": answer(1, 3.0)},
            "1": {"ours": answer(0.5, 1.5, 4), "theirs": answer(0.25, 2.5, 4)},
        },
    }
    test = {
        "what": "unseen <things>",
        "gallery": 99,
        "cases": [f"case {place}" for place in range(8)],
        "meanings": [f"meaning {place}" for place in range(8)],
        "facets": [{"family": "noto" if place < 2 else "fluent", "group": "food"} for place in range(8)],
        "gaps": {"ours": {f"{context}_{what}": 1.0 for context in ("ar", "blind") for what in GAPS}},
        "judges": judges,
    }
    return {
        "domain": "emoji",
        "pictures": "abc",
        "settings": {"histories": ["8", "1"], "sweep": 4, "top_k": 5},
        "artists": {"ours": "key 1", "theirs": "key 2"},
        "files": {"ours": "sha 1", "theirs": "sha 2"},
        "judges": {"evaluator": "1", "efficientnet-lite0": "2"},
        "tests": {"P3": test, "T1": copy.deepcopy(test)},
    }


GAPS = ("right", "wrong_reference", "wrong_history")


def test_numbers_are_those_of_the_cases(results):
    numbers = indexed(numbers_of(results))

    def mean(*place: str) -> float:
        return numbers[("P3", *place)].mean

    assert mean("8", "evaluator", "ours", "", "", "joint_top1") == 0.75
    assert mean("8", "evaluator", "ours", FIRST, "4", "joint_top1") == 1
    assert mean("8", "evaluator", "ours", "family", "noto", "style_top1") == 1
    assert mean("8", "evaluator", "ours", "family", "fluent", "style_top1") == pytest.approx(4 / 6)
    assert mean("1", "evaluator", "theirs", "", "", "joint_top1") == 0.25
    assert mean("8", "efficientnet-lite0", "theirs", "", "", "distance") == 1.5
    assert mean("1", "efficientnet-lite0", "ours", "", "", "distance") == 0.75
    assert ("P3", "8", "evaluator", "ours", "", "", "distance") not in numbers
    assert numbers["P3", "8", "evaluator", "ours", "family", "noto", "style_top1"].cases == 2
    assert str(numbers["P3", "8", "evaluator", COPY, "", "", "joint_top1"]).startswith("25 (0 to ")


def test_what_is_no_number_is_left_out(results):
    for found in results["tests"]["P3"]["judges"]["evaluator"]["8"].values():
        found["part: font"] = [1, 0, *[None] * 6]
        found["part: word"] = [None] * 8
    numbers = indexed(numbers_of(results))
    font = numbers["P3", "8", "evaluator", "ours", "", "", "part: font"]
    assert (font.mean, font.cases) == (0.5, 2)
    assert ("P3", "8", "evaluator", "ours", "", "", "part: word") not in numbers
    assert "<th>font</th>" in page(results, list(numbers.values()), {}, {})


def test_judges_that_disagree_are_quoted(results):
    said = " ".join(disagreements(results, "P3"))
    assert "say the same of 50 % of the pictures by ours" in said
    assert "They disagree: by meaning, ours is +50 (" in said and "and -75 (" in said
    results["tests"]["P3"]["judges"]["efficientnet-lite0"] = results["tests"]["P3"]["judges"]["evaluator"]
    assert "They order no two answers in opposite ways." in disagreements(results, "P3")


def test_csv_holds_every_number(results):
    numbers = numbers_of(results)
    rows = list(csv.DictReader(io.StringIO(as_csv(Number, numbers).decode())))
    assert len(rows) == len(numbers)
    assert rows[5]["answer"] == numbers[5].answer and float(rows[5]["mean"]) == numbers[5].mean


def has(picture: np.ndarray, colour: str) -> bool:
    return bool((picture == ImageColor.getrgb(colour)).all(axis=-1).any())


@pytest.mark.parametrize("name", [name for name in PLOTS if name != "table"])
@pytest.mark.parametrize("tests", [1, 2, 7])
def test_plots_show_every_model(results, name, tests):
    (first, *_) = results["tests"].values()
    results["tests"] = {f"T{place}": first for place in range(tests)}
    picture = PLOTS[name](results, indexed(numbers_of(results)), "evaluator")
    assert picture.dtype == np.uint8 and picture.ndim == 3
    assert has(picture, COLOURS[0]) and has(picture, COLOURS[1])
    assert has(picture, OTHERS[COPY]) == (name == "style against meaning")


def test_table_has_a_line_for_each_answer(results):
    draw = PLOTS["table"]
    two = draw(results, indexed(numbers_of(results)), "evaluator")
    del results["tests"]["T1"]
    assert two.shape[0] - draw(results, indexed(numbers_of(results)), "evaluator").shape[0] == 5 * 24


def test_page_needs_nothing_beside_it(results):
    report = Report(results, {"P3": np.zeros((8, 8, 3), np.uint8)})
    text = page(results, report.numbers, report.plots, report.sheets)
    assert "http" not in text and "unseen <things>" not in text and "unseen &lt;things&gt;" in text
    assert text.count("<img") == text.count('src="data:image/') == 6 + 1
    numbers = [str(one) for one in report.numbers if one.history == "8" and one.facet != FIRST]
    for cell in (*numbers, "50 (50 to 50)", "+1.00", "<code>key 1</code>"):
        assert f"<td>{cell}</td>" in text


def test_results_are_read_or_missed(results, tmp_path):
    Report(results, {}).write(tmp_path)
    assert read_results(tmp_path) == results
    with pytest.raises(ValueError, match="holds no results.*give a folder that"):
        read_results(tmp_path / "none")
    for content in ("[]", "5", '{"tests": {}}', "{"):
        (tmp_path / "results.json").write_text(content)
        with pytest.raises(ValueError, match="holds no results.*give a folder that"):
            read_results(tmp_path)


def test_a_folder_keeps_no_pictures_of_an_earlier_report(results, tmp_path):
    sheet = np.zeros((8, 8, 3), np.uint8)
    Report(results, {"P3": sheet, "T1": sheet}).write(tmp_path)
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    del results["tests"]["T1"]
    Report(results, {"P3": sheet}).write(tmp_path)
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == pictures - {"T1.png"}


def found_in(found: list[Difference], *place: str) -> Difference:
    (one,) = [one for one in found if (one.test, one.history, one.judge, one.metric) == place]
    return one


def test_a_model_does_not_differ_from_itself(results):
    found = differences(results, results, ("ours", "ours"))
    assert {(one.difference, one.low, one.high) for one in found} == {(0, 0, 0)}


def test_differences_are_paired(results):
    found = differences(results, results, ("theirs", "ours"))
    one = found_in(found, "P3", "8", "evaluator", "joint_top1")
    assert (one.first, one.second, one.difference, one.cases) == (0.25, 0.75, 0.5, 8)
    assert 0 < one.low < 0.5 < one.high < 1
    distance = found_in(found, "P3", "8", "efficientnet-lite0", "distance")
    assert (distance.first, distance.second, distance.difference, distance.sure) == (1.5, 0.5, -1, True)
    assert "| P3, history 8: distance, of copy's | 150 | 50 | -100 (-100 to -100) | 8 * |" in markdown(
        found, ("theirs", "ours")
    )


def test_all_tests_together_tell_more_than_one(results):
    found = differences(results, results, ("theirs", "ours"))
    some, every = (found_in(found, test, "8", "evaluator", "joint_top1") for test in ("P3", ALL))
    assert every.cases == 8 * len(results["tests"]) and found[-1].test == ALL
    assert every.difference == pytest.approx(np.mean([
        found_in(found, test, "8", "evaluator", "joint_top1").difference for test in results["tests"]
    ]))  # fmt: skip
    assert every.high - every.low <= some.high - some.low
    del results["tests"]["T1"]
    assert ALL not in {one.test for one in differences(results, results, ("theirs", "ours"))}


def test_the_shorter_list_counts(results):
    shorter = copy.deepcopy(results)
    for test in shorter["tests"].values():
        for judge in test["judges"].values():
            for found in judge["8"].values():
                for metric in found:
                    found[metric] = found[metric][:2]
    one = found_in(differences(results, shorter, ("ours", "ours")), "P3", "8", "evaluator", "joint_top1")
    assert (one.first, one.second, one.cases) == (1, 1, 2)


def test_what_cannot_be_compared_is_said(results):
    other = results | {"pictures": "xyz"}
    with pytest.raises(ValueError, match="are of different pictures, abc and xyz"):
        differences(results, other, ("ours", "ours"))
    with pytest.raises(ValueError, match="there is no nobody in the results, expected out of ours, theirs"):
        differences(results, results, ("ours", "nobody"))
    with pytest.raises(ValueError, match="judged by two versions of evaluator"):
        differences(results, results | {"judges": {"evaluator": "9"}}, ("ours", "ours"))
    with pytest.raises(ValueError, match="no test, judge and history in common"):
        differences(results, results | {"tests": {}}, ("ours", "ours"))


def test_a_comparison_is_written(results, tmp_path):
    found = differences(results, results, ("theirs", "ours"))
    write_comparison(found, ("theirs", "ours"), tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert len(rows) == len(found)
    text = (tmp_path / "index.html").read_text()
    assert "ours against theirs" in text and text.count("<img") == 2
    assert has(plot(found, "evaluator", ("theirs", "ours")), COLOURS[0])


def test_card_is_filled_between_the_markers(results, tmp_path):
    begin, end = "<!-- results: begin -->", "<!-- results: end -->"
    text = card_markdown(results)
    assert "top k 5." in text and "### P3: unseen <things> (8 cases)" in text
    assert "| ours | 75 (" in text and "| ours | 1.00 | +1.00 |" in text and "histories 8 1" in text
    card = tmp_path / "card.md"
    card.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    replace_block(card, "results", text)
    replace_block(card, "results", text)
    assert card.read_text() == f"before\n{begin}\n\n{text.strip()}\n\n{end}\nafter\n"
    with pytest.raises(ValueError, match="add them"):
        replace_block(card, "training", text)


def test_training_table_reads_what_was_run(tmp_path):
    run = RunFolder(tmp_path / "stage1")
    run.save(1200, {STATE: Checkpoint({}, {})})
    run.append_log({"step": 1200, "seconds": 150.0})
    states = {"stage 1": run.folder, "stage 2": tmp_path / "missing"}
    table = training_table(states, {"ours": "abc"})
    assert "| stage 1 | 1,200 | 2.5 |" in table and "stage 2" not in table and "| ours | `abc` |" in table


EVIL = '<img src=x onerror="alert(1)">'


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def poisoned(value, places: list[str]):
    """Every text of made-up results, and every name in them, with markup and a hidden character in it."""
    if isinstance(value, dict):
        return {poisoned(name, places): poisoned(one, places) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, places) for one in value]
    if isinstance(value, str) and value in places:
        return f"{value}{EVIL}\u202e\x1b\ud800"
    return value


def test_nothing_that_others_wrote_runs_in_a_page(results, tmp_path):
    names = [
        "ours",
        "theirs",
        "key 1",
        "evaluator",
        "efficientnet-lite0",
        "emoji",
        "abc",
        "P3",
        "T1",
        "unseen <things>",
    ]
    names += ["noto", "fluent", "food", "family", "group", "1", "2", *results["tests"]["P3"]["cases"]]
    before = Report(results, {"P3": np.zeros((8, 8, 3), np.uint8)})
    after = poisoned(results, names)
    (first, *_) = after["tests"]
    report = Report(after, {first: np.zeros((8, 8, 3), np.uint8)})
    write_comparison(differences(after, after, tuple(after["artists"])), tuple(after["artists"]), tmp_path)
    pages = page(after, report.numbers, report.plots, report.sheets), (tmp_path / "index.html").read_text("utf-8")
    for text in pages:
        tags = Tags()
        tags.feed(text)
        images = [attributes for tag, attributes in tags.found if tag == "img"]
        assert images and all(one["src"].startswith("data:image/") for one in images)
        assert {name for _, attributes in tags.found for name in attributes} <= {
            "lang",
            "charset",
            "class",
            "alt",
            "src",
        }
        assert EVIL in tags.text and r"\u202e\u001b\ud800" in tags.text
        assert not {"\u202e", "\x1b", "\ud800"} & set(text)
    assert tags_of(pages[0]) == tags_of(page(results, before.numbers, before.plots, before.sheets))


def tags_of(text: str) -> list[str]:
    tags = Tags()
    tags.feed(text)
    return [tag for tag, _ in tags.found]
