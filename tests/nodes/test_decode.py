"""DRC Decode: pictures as they are drawn, and four times as large."""

import shutil

import pytest
import torch

from scripts.lib.sentence import sentence_shown as sentence

SHARP = "sharp, 4 times as large"


@pytest.fixture(scope="module")
def tokens(graph, model, instruction):
    return graph.generate(model, instruction, batch_size=6)


@torch.inference_mode()
def test_as_drawn_they_are_what_the_model_makes_of_its_codes(graph, model, tokens):
    expected = model.drc.lmm.detokenize(tokens.codes).movedim(1, -1)
    assert torch.equal(graph.decode(model, tokens), expected)
    assert torch.equal(graph.decode(model, tokens, size=None), expected)


@torch.inference_mode()
def test_sharp_they_are_what_the_network_makes_of_these(graph, model, tokens, pack, monkeypatch):
    steps = []
    bar = type("Bar", (), {"update_absolute": lambda self, value, preview=None: steps.append(value)})
    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: bar())
    found = graph.decode(model, tokens, size=SHARP)
    network = pack.drc.sharpener.load_sharpener()
    expected = network(model.drc.lmm.detokenize(tokens.codes)).movedim(1, -1)
    assert found.shape == (6, 128, 128, 3) and found.dtype == torch.float32 and found.is_contiguous()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert steps == [4, 6]


def test_a_size_that_is_not_offered(graph, model, tokens):
    text = sentence(graph.decode, model, tokens, size="huge")
    assert text.startswith("DRC Decode: size is 'huge', expected one of 'as drawn', 'sharp, 4 times as large'")


def test_damaged_weights_stop_only_what_needs_them(graph, model, tokens, pack, monkeypatch, tmp_path):
    graph.decode(model, tokens, size=SHARP)
    weights = tmp_path / "sharpener.safetensors"
    shutil.copyfile(pack.drc.sharpener.WEIGHTS, weights)
    weights.write_bytes(weights.read_bytes()[:1000])
    monkeypatch.setattr(pack.drc.sharpener, "WEIGHTS", weights)
    text = sentence(graph.decode, model, tokens, size=SHARP)
    assert text.startswith("DRC Decode: sharpener.safetensors is not a readable safetensors file")
    assert text.endswith("; install this pack again.")
    graph.decode(model, tokens)
