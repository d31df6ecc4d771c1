"""Fusion: hidden rows do not count, a dropped condition is an input of its own, and gradients go everywhere."""

import pytest
import torch

from drc.fusion import FusionConfig, FusionNetwork
from drc.model import Disentangler
from scripts.lib.tiny import CONFIG

WIDTH = 32
HIDDEN = float("-inf")


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    return FusionNetwork(FusionConfig(width=WIDTH, heads=2, feed_forward=64, layers=2, instructions=4))


@pytest.fixture
def given():
    """Style rows, semantic rows and their biases, for two samples."""
    generator = torch.Generator().manual_seed(1)
    style, semantics = torch.randn(2, 6, WIDTH, generator=generator), torch.randn(2, 3, WIDTH, generator=generator)
    return style, semantics, torch.zeros(2, 6), torch.zeros(2, 3)


def test_shape(fusion, given):
    assert fusion(*given).shape == (2, 4, WIDTH)


def test_hidden_rows_change_nothing(fusion, given):
    style, semantics, style_bias, semantic_bias = given
    style_bias[:, 4], semantic_bias[:, 1] = HIDDEN, HIDDEN
    expected = fusion(*given)
    style[:, 4], semantics[:, 1] = 100.0, -100.0
    assert torch.equal(fusion(*given), expected)
    kept = torch.tensor([0, 1, 2, 3, 5]), torch.tensor([0, 2])
    removed = fusion(style[:, kept[0]], semantics[:, kept[1]], style_bias[:, kept[0]], semantic_bias[:, kept[1]])
    torch.testing.assert_close(removed, expected)


@pytest.mark.parametrize("kind", [0, 1], ids=["style", "semantics"])
def test_a_dropped_condition_is_its_learned_row(fusion, given, kind):
    given[2 + kind][0] = HIDDEN  # in the first sample only
    before = fusion(*given).detach()
    with torch.no_grad():
        fusion.nothing.weight[1 - kind] *= -1  # the other kind's row stays unused
    assert torch.equal(fusion(*given), before)
    with torch.no_grad():
        fusion.nothing.weight[kind] *= -1
    after = fusion(*given)
    assert not torch.allclose(after[0], before[0])
    torch.testing.assert_close(after[1], before[1])


def test_style_and_semantics_are_told_apart(fusion, given):
    style, semantics, style_bias, semantic_bias = given
    swapped = fusion(semantics, style, semantic_bias, style_bias)
    assert not torch.allclose(swapped, fusion(*given))


def test_gradient_reaches_both_towers_and_every_layer():
    torch.manual_seed(0)
    disentangler = Disentangler(CONFIG)
    codes, width = CONFIG.tower.grid**2, CONFIG.tower.width
    style = disentangler.style(torch.randn(2, 3, codes, width), torch.ones(3)).flatten(1, 2)
    semantics = disentangler.semantics(torch.randn(2, codes, width), torch.randn(2, codes, width))
    style_bias, semantic_bias = torch.zeros(style.shape[:2]), torch.zeros(semantics.shape[:2])
    style_bias[0], semantic_bias[1] = HIDDEN, HIDDEN
    disentangler.fusion(style, semantics, style_bias, semantic_bias).square().sum().backward()
    # A key's bias adds the same to all logits of a query, so softmax passes it no gradient.
    without = [
        name for name, p in disentangler.named_parameters() if not p.grad.any() and not name.endswith("key.bias")
    ]
    assert without == []
