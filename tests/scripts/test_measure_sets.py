"""Whole sets by word, by reference and by the best of several, on a tiny icon matrix."""

import pytest
import torch

from drc.bench import models as drawing_models
from drc.bench.models import DrawingModel
from drc.checkpoint import load
from drc.complete.best import scores_of
from drc.drawings import Drawings
from drc.instruction import HANDS
from drc.lmm.generate import Sampling
from scripts.lib.tiny import write_tiny
from scripts.lib.tiny_drawings import write_tiny_drawings
from scripts.measure_sets import TEST, Best, Candidates, Sets

WORDS, SEEDS = ["dog", "bell"], [1, 2]


@pytest.fixture
def model(tmp_path, monkeypatch):
    drc = load(write_tiny(tmp_path / "tiny.safetensors"))
    index = Drawings(write_tiny_drawings(tmp_path, drc))
    monkeypatch.setattr(drawing_models, "Drawings", lambda: index)
    return DrawingModel(drc, 1.5, 3.0, Sampling(), HANDS)


def given() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 3, 32, 32, generator=generator), torch.rand(2, 3, 32, 32, generator=generator)


def test_the_best_is_the_likeliest_of_those_that_are_drawn_once(model, monkeypatch):
    drawn, draw = [], model.drc.draw
    monkeypatch.setattr(model.drc, "draw", lambda *asked, **how: drawn.append(draw(*asked, **how)) or drawn[-1])
    candidates, history = Candidates(model), given()[0]
    first, best = (Best(candidates, count).draw(*given(), WORDS, SEEDS) for count in (1, 3))
    assert len(drawn) == 3
    codes = torch.stack(drawn, dim=1)  # 2, 3, N
    places = []
    for number, word in enumerate(WORDS):
        style = model.drc.style(model.lmm.tokenize(history[number]))
        (meaning,), text = model.meaning(codes, [word])
        places.append(int(scores_of(model.drc, codes[number], style, meaning, text).sum(dim=1).argmax()))
    assert torch.equal(first, model.draw(*given(), WORDS, SEEDS))
    assert torch.equal(best, model.lmm.detokenize(codes[torch.arange(2), places]))
    assert any(places)


def test_a_hand_is_asked_for_what_its_history_does_not_show(data):
    domain = Sets.open(data)
    domain.hands_asked, domain.coloured = 1, 1
    (case,) = domain.cases(TEST, 10)  # of the tiny matrix all but one share a word with what a history shows
    assert {domain.record(row).style for row in (case.target, *case.history)} == {"new in colours"}
    words = {word for row in case.history for word in domain.record(row).meaning.split()}
    meaning = domain.record(case.target).meaning
    assert not words & set(meaning.split())
    assert {domain.record(row).meaning for row in domain.gallery(TEST)} == {meaning}
