"""A run measures what is there to measure, keeps what it did, and is the same on any number of processes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from drc.bench.baselines import BASELINES, CEILING, COPY, NEAREST, RANDOM, RECOLOURED, TRUTH, WHITE
from drc.bench.cases.emoji import EmojiDomain
from drc.bench.config import BenchConfig, check
from drc.bench.models import DRCModel, open_models
from drc.bench.run import Run, run
from drc.checkpoint import load
from drc.lmm.generate import Sampling
from drc.train.machine.processes import OneProcess

from .conftest import SETS, Eye, toy_domain


class Counting(DRCModel):
    """Counts the cases that it draws."""

    drawn = 0

    def draw(self, history, reference, words, seeds):
        self.drawn += len(seeds)
        return super().draw(history, reference, words, seeds)


class Blender(DRCModel):
    """Lays the pictures of a history over each other."""

    def draw(self, history, reference, words, seeds):
        return history.mean(dim=1)


@pytest.fixture
def model(tiny):
    return Counting(load(tiny), 1.5, 3.0, Sampling())


def config_in(folder: Path, **settings) -> BenchConfig:
    quick = {"tests": ("P3", "T4"), "histories": ("2", "4", "mixed"), "limit": 6, "sweep": 3}
    return BenchConfig(out=folder / "out", cache=folder / "cache", **quick | settings)


@pytest.fixture(scope="module")
def report(domain, tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling(), controls=True)
    return run(config_in(folder, gaps=True), domain=domain, models=models, judges=[Eye()])


def test_baselines_score_what_they_must(report):
    for name, test in report.results["tests"].items():
        answers = test["judges"]["eye"]["2"]
        means = {answer: {key: np.mean(values) for key, values in found.items()} for answer, found in answers.items()}
        assert set(means[TRUTH].values()) == {0, 1} and means[TRUTH]["joint_top1"] == 1
        assert means[TRUTH]["distance"] == means[TRUTH]["copies_reference"] == means[TRUTH]["copies_history"] == 0
        if name == "T4":  # of P3 the gallery holds no style of an original, and the nearest one may be right
            assert means[COPY]["style_top1"] == means[COPY]["joint_top1"] == 0
        assert means[COPY]["semantic_top1"] == means[COPY]["copies_reference"] == 1
        for answer in (NEAREST, RANDOM):
            assert means[answer]["style_top1"] == 1 and means[answer]["copies_reference"] == 0
        assert list(answers)[:7] == [TRUTH, CEILING, COPY, RECOLOURED, NEAREST, RANDOM, WHITE]
        assert list(answers)[7:] == ["ours", "ours, history only", "ours, reference only"]


def test_other_histories_are_drawn_for_the_first_cases(report):
    for test in report.results["tests"].values():
        histories = test["judges"]["eye"]
        assert list(histories) == ["2", "4", "mixed"]
        assert len(histories["2"]["ours"]["joint_top1"]) == len(test["cases"]) == 6
        assert list(histories["4"]) == ["ours", "ours, history only", "ours, reference only"]
        assert {len(values) for values in histories["4"]["ours"].values()} == {3}


def test_every_history_is_shown_as_it_is_called(domain, tiny, tmp_path):
    model = Blender(load(tiny), 1.5, 3.0, Sampling())
    config = config_in(tmp_path, tests=("T4",), histories=("8", "2", "noisy", "mixed"))
    whole = Run(config, domain, {"blender": model}, [Eye()])
    whole.draw()
    for request in whole.plan.requests("T4"):
        if request.shown:
            blends = domain.images([case.given(request.shown) for case in request.cases]).mean(dim=1)
            assert np.abs(whole.generated.read(request) / 255 - blends.permute(0, 2, 3, 1).numpy()).max() < 1 / 255


class Parted(EmojiDomain):
    """Knows which pictures differ from a colourful target in colour alone."""

    def rivals(self, target: int) -> dict[str, list[int]]:
        its = self.record(target)
        same = [row for row in self.by_meaning[its.meaning] if self.record(row).style in SETS]
        return {"colour": [row for row in same if row != target]} if its.style == "symbola" else {}


def test_parts_are_scored_where_a_domain_knows_them(model, tmp_path):
    domain = toy_domain(kind=Parted)
    found = run(config_in(tmp_path), domain=domain, models={"ours": model}, judges=[Eye()])
    answers = found.results["tests"]["T4"]["judges"]["eye"]["2"]
    styles = [domain.record(case.target).style for case in domain.cases("T4", 6)]
    known = [1 if style == "symbola" else None for style in styles]
    assert {1, None} == set(known)
    assert answers[TRUTH]["part: colour"] == answers[NEAREST]["part: colour"] == known
    assert answers[COPY]["part: colour"] == [one and 0 for one in known]
    assert "part: colour" not in found.results["tests"]["P3"]["judges"]["eye"]["2"][TRUTH]


def test_gaps_are_measured_once_for_each_model(report):
    for test in report.results["tests"].values():
        assert list(test["gaps"]) == ["ours"]
        assert test["gaps"]["ours"]["ar_right"] > 0


def test_what_was_drawn_is_kept_and_a_longer_list_draws_what_is_new(domain, model, tmp_path):
    first = run(config_in(tmp_path), domain=domain, models={"ours": model}, judges=[Eye()])
    assert model.drawn == 2 * (6 + 3 + 3)
    eye = Eye()
    again = run(config_in(tmp_path), domain=domain, models={"ours": model}, judges=[eye])
    assert model.drawn == 24 and eye.looks == 0
    assert again.results == first.results
    longer = run(config_in(tmp_path, limit=8), domain=domain, models={"ours": model}, judges=[Eye()])
    assert model.drawn == 24 + 2 * 2
    assert longer.results["tests"]["P3"]["cases"][:6] == first.results["tests"]["P3"]["cases"]
    run(config_in(tmp_path, seed=1), domain=domain, models={"ours": model}, judges=[Eye()])
    assert model.drawn == 24 + 4 + 24


def test_a_stopped_run_goes_on(domain, model, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(what, done, total):
        if what == "drawing" and done == 4:
            raise StoppedError

    with pytest.raises(StoppedError):
        run(config_in(tmp_path), stop, domain=domain, models={"ours": model}, judges=[Eye()])
    assert 0 < model.drawn < 24 and not (tmp_path / "out" / "results.json").exists()
    told = []
    run(config_in(tmp_path), lambda *given: told.append(given), domain=domain, models={"ours": model}, judges=[Eye()])
    assert model.drawn == 24
    for what in ("drawing", "judging what is true", "judging what was drawn", "scoring"):
        steps = [(done, total) for part, done, total in told if part == what]
        assert steps == sorted(steps) and steps[0][0] == 0 and steps[-1][0] == steps[-1][1] > 0


def test_tests_with_one_gallery_share_what_judges_saw(domain, tiny, tmp_path):
    eyes = {}
    for tests in (("T1",), ("T1", "T3")):
        eyes[tests] = Eye()
        whole = Run(config_in(tmp_path / tests[-1], tests=tests), domain, {"ours": fresh(tiny)}, [eyes[tests]])
        whole.judge_truth()
    gallery, rest = whole.plan.rows("T3")
    assert domain.gallery("T1") == gallery and not set(gallery) & set(rest)
    assert eyes["T1", "T3"].looks - eyes["T1",].looks <= len(rest)
    seen = whole.answers.seen("T3", whole.caches[0])
    torch.testing.assert_close(seen[gallery[3:4]].meaning, Eye()(domain.images(gallery[3:4])).meaning)


def test_a_damaged_picture_of_an_earlier_run_is_named(domain, model, tmp_path):
    given = {"domain": domain, "models": {"ours": model}, "judges": [Eye()]}
    run(config_in(tmp_path, tests=("T4",), histories=("2",), limit=1), **given)
    (picture, *_) = sorted((tmp_path / "out" / "drawn").rglob("*.png"))
    picture.write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=f"'{picture}', which was drawn before, cannot be read.*delete it and run again"
    ):
        run(config_in(tmp_path, tests=("T4",), histories=("2",), limit=1), **given)


def test_a_further_baseline_is_a_function(domain, model, tmp_path, monkeypatch):
    """It may paint what it answers."""

    def negative(asked):
        return 255 - domain.pictures.read(np.array([case.target for case in asked.cases]))

    monkeypatch.setitem(BASELINES, "negative", negative)
    config = config_in(tmp_path, tests=("T4",), histories=("2",), limit=2)
    found = run(config, domain=domain, models={"ours": model}, judges=[Eye()])
    answers = found.results["tests"]["T4"]["judges"]["eye"]["2"]
    assert list(answers)[-2:] == ["negative", "ours"] and answers["negative"]["style_top1"] == [0, 0]
    assert "negative" in (tmp_path / "out" / "index.html").read_text()
    assert found.plots["style against meaning, eye"].any()


class Member(OneProcess):
    def __init__(self, rank: int, count: int):
        super().__init__()
        self.rank, self.count = rank, count


def test_processes_share_the_work(domain, tiny, tmp_path):
    alone = run(config_in(tmp_path / "1"), domain=domain, models={"ours": fresh(tiny)}, judges=[Eye()])
    models, eyes = [fresh(tiny), fresh(tiny)], [Eye(), Eye()]
    members = [
        Run(config_in(tmp_path / "2"), domain, {"ours": model}, [eye], Member(rank, 2))
        for rank, (model, eye) in enumerate(zip(models, eyes, strict=True))
    ]
    for together in zip(*(member.shares() for member in members), strict=True):
        for share in together:
            share()
    assert sum(model.drawn for model in models) == 24 and all(model.drawn for model in models)
    looks = [eye.looks for eye in eyes]
    assert min(looks) > 0
    assert members[0].report().results["tests"] == alone.results["tests"]
    assert [eye.looks for eye in eyes] == looks


def fresh(tiny: Path) -> Counting:
    return Counting(load(tiny), 1.5, 3.0, Sampling())


def test_settings_that_do_not_serve_are_said():
    for settings, words in (
        ({"limit": 0}, "limit is 0, expected at least 1"),
        ({"histories": ("8", "some")}, "history some was asked for"),
        ({"candidates": 2}, "must not score it; give --judges evaluator"),
    ):
        with pytest.raises(ValueError, match=words):
            check(dataclasses.replace(BenchConfig(), **settings))
    with pytest.raises(ValueError, match="domain paintings was asked for, expected out of emoji"):
        run(BenchConfig(domain="paintings"))


def test_a_report_is_written(report, tmp_path):
    report.write(tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == report.results
    page = (tmp_path / "index.html").read_text()
    assert "http" not in page and "src=" in page
    assert page.count("src=") == page.count('src="data:image/') == len(report.sheets) + 3
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} >= {"P3", "T4-histories", "table-eye", "parts-eye"}
