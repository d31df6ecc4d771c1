"""Collapse Meter: the numbers of its scores, whatever way the pictures come."""

import pytest
import torch

from drc.bench.collapse.likelihood import collapse_scores
from drc.bench.collapse.meter import read
from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture(scope="module")
def model(graph):
    return graph.load()


@pytest.fixture(scope="module")
def given():
    pictures = torch.rand(6, 32, 32, 3, generator=torch.Generator().manual_seed(0))
    return {"images": pictures[:2], "history": pictures[2:5], "reference": pictures[5:]}


def test_its_numbers_are_those_of_the_scores(graph, model, given):
    node = graph.classes["DRC_CollapseMeter"]
    with torch.inference_mode():
        dials, *numbers, verdict = node.execute(model=model, **given)
        images, history, reference = (part.permute(0, 3, 1, 2) for part in given.values())
        readings = read(collapse_scores(model.drc, images, history, reference[0]))
    means = [sum(getattr(one, name) for one in readings) / 2 for name in ("style", "meaning", "copying")]
    assert numbers == pytest.approx(means, abs=1e-4)
    assert verdict.splitlines() == [one.verdict for one in readings]
    assert dials.shape == (1, 320, 768, 3)


def test_a_copy_of_a_history_picture_is_called_one(graph, model, given):
    node = graph.classes["DRC_CollapseMeter"]
    with torch.inference_mode():
        *_, verdict = node.execute(model=model, **given | {"images": given["history"][1:2]})
    assert verdict == "copies the history"


def test_one_reference(graph, model, given):
    text = sentence(graph.run, "DRC_CollapseMeter", model=model, **given | {"reference": given["history"]})
    assert text == "Collapse Meter: reference has 3 pictures, expected 1; pick one of them with ImageFromBatch."


def test_towers_that_were_never_trained(graph, given):
    text = sentence(graph.run, "DRC_CollapseMeter", model=graph.load("untrained.safetensors"), **given)
    assert text.startswith("Collapse Meter: the towers of this model were never trained")
