"""Weights by closeness: the picture that the reference is counts most, whatever else is there and in whatever order."""

import pytest
import torch

from drc.checkpoint import load
from drc.closeness import closeness, weights_of
from scripts.lib.tiny import CONFIG, write_tiny

N = CONFIG.lmm.vision.grid**2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")).requires_grad_(False)


@pytest.fixture(scope="module")
def codes():
    return torch.randint(CONFIG.lmm.vision.codes, (6, N), generator=torch.Generator().manual_seed(4))


def test_the_reference_itself_is_the_closest(model, codes):
    seen = []
    close = closeness(model, codes, codes[2], seen.append)
    assert close.argmax() == 2 and close[2] == pytest.approx(1) and close.min() >= -1 and seen == [1, 2, 3, 4, 5, 6]
    torch.testing.assert_close(closeness(model, codes.flip(0), codes[2]), close.flip(0))
    weights = weights_of(close)
    assert weights.max() == weights[2] == 1 and (weights > 0).all()
    assert weights.argsort().tolist() == close.argsort().tolist()


def test_nothing_closer_than_the_rest_counts_the_same(model, codes):
    assert weights_of(closeness(model, codes[:1].expand(3, -1), codes[1])).tolist() == [1, 1, 1]
    assert weights_of(closeness(model, codes[:1], codes[1])).tolist() == [1]
