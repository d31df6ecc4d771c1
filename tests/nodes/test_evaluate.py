"""Evaluate: the numbers of a run of the benchmark, on pictures that everybody has."""

import json
from pathlib import Path

import pytest

from drc.bench.report.report import PAGE, RESULTS
from scripts.lib.sentence import sentence_shown as sentence

QUICK = {"cases": 2, "history_length": 2}


@pytest.fixture(scope="module")
def dataset(graph):
    return graph.run("DRC_ImageDataset")


@pytest.fixture(scope="module")
def evaluated(graph, dataset):
    given = {"model": graph.load(), "dataset": dataset, "report_name": "test evaluate"}
    return graph.outputs("DRC_Evaluate", **given, **QUICK)


def test_it_returns_what_its_report_holds(evaluated):
    import folder_paths

    table, plots, pictures, report = evaluated
    for images in (table, plots, pictures):
        assert images.ndim == 4 and images.shape[-1] == 3 and 0 <= images.min() < images.max() <= 1
    folder = Path(folder_paths.get_output_directory(), "drc", "evaluations", "test evaluate")
    results = json.loads((folder / RESULTS).read_text())
    assert (folder / PAGE).read_text().startswith("<!doctype html>")
    assert results["domain"] == "own pictures" and len(results["tests"]["R"]["cases"]) == 2
    assert len(table) == len(results["judges"])
    joint = results["tests"]["R"]["judges"]["descriptors"]["2"]["copy the reference"]["joint_top1"]
    assert joint == [0, 0]
    assert "R, your pictures, repainted, 2 cases, by descriptors, percent right:" in report
    assert "- `copy the reference`: meaning" in report and "- `tiny.safetensors`: meaning" in report


def test_a_slice_of_the_emoji_benchmark_by_the_judges_that_are_there(graph, pack, build, monkeypatch):
    """The pictures of this build are noise: what is tested is the way from the node to the benchmark."""
    from drc_pack.drc.data.built import EmojiBenchmark
    from drc_pack.nodes import paths

    monkeypatch.setattr(paths, "EVALUATOR", build.evaluator)
    monkeypatch.setattr(paths, "PACKAGES", build.packages)
    given = {"model": graph.load(), "dataset": EmojiBenchmark(build.data), "report_name": "slice"}
    given |= {"tests": "P3, T1"}
    texts = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: texts.append(text))
    *_, report = graph.outputs("DRC_Evaluate", **given, **QUICK)
    for test in ("P3, unseen program, unseen drawing", "T1, real sets: seen style, seen meaning, unseen cell"):
        for judge in ("evaluator", "efficientnet-lite0"):
            assert f"{test}, 2 cases, by {judge}, percent right:" in report
    assert texts == ["Report: output/drc/evaluations/slice/index.html"]


def test_a_slice_of_the_icon_matrix_by_judges_that_know_icons_or_nothing(graph, pack, build, monkeypatch):
    from drc_pack.drc.data.built import IconMatrix
    from drc_pack.nodes import paths

    monkeypatch.setattr(paths, "EVALUATOR", build.evaluator)  # which learned no icon
    monkeypatch.setattr(paths, "PACKAGES", build.packages)
    given = {"model": graph.load(), "dataset": IconMatrix(build.data), "report_name": "icons", "tests": "I4"}
    *_, report = graph.outputs("DRC_Evaluate", **given, **QUICK)
    for judge in ("efficientnet-lite0", "descriptors"):
        assert f"I4, unseen hand, unseen meaning, 2 cases, by {judge}, percent right:" in report


def test_cancel_works_between_any_two_codes(graph, dataset, pack, monkeypatch):
    from comfy import model_management

    steps = []

    class Bar:
        def __init__(self, total):
            pass

        def update_absolute(self, value, preview=None):
            steps.append(value)
            if 50 < value < 900:  # a picture is being drawn
                model_management.interrupt_current_processing()

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", Bar)
    with pytest.raises(model_management.InterruptProcessingException):
        graph.run("DRC_Evaluate", model=graph.load(), dataset=dataset, report_name="cancelled", **QUICK)
    assert steps[-2] <= 50 < steps[-1] < 900


def test_a_test_that_the_dataset_has_not(graph, dataset):
    text = sentence(graph.run, "DRC_Evaluate", model=graph.load(), dataset=dataset, tests="P3")
    assert text == "DRC Evaluate: test P3 was asked for, but this dataset has R; choose among them."


def test_a_name_that_leads_elsewhere(graph, dataset):
    text = sentence(graph.run, "DRC_Evaluate", model=graph.load(), dataset=dataset, report_name="../out")
    assert text.startswith("DRC Evaluate: report_name is '../out', expected letters, digits")


def test_towers_that_were_never_trained(graph, dataset):
    text = sentence(graph.run, "DRC_Evaluate", model=graph.load("untrained.safetensors"), dataset=dataset)
    assert text.startswith("DRC Evaluate: the towers of this model were never trained")
