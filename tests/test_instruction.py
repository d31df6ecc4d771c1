"""Composing: two dials, dropped conditions and a mask, as numbers."""

import importlib
import itertools

import pytest
import torch

from drc.checkpoint import load
from drc.instruction import Semantics, streams
from drc.lmm.generate import Sampling, generate
from scripts.lib.tiny import CONFIG, write_tiny

STRENGTHS = (0.0, 0.5, 1.0, 1.7)
N = CONFIG.lmm.vision.grid**2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")).requires_grad_(False)


@pytest.fixture(scope="module")
def style(model):
    codes = torch.randint(CONFIG.lmm.vision.codes, (3, N), generator=torch.Generator().manual_seed(1))
    return model.style(codes, torch.tensor([1.0, 2.0, 1.0]))


@pytest.fixture(scope="module")
def negative(model):
    return model.style(torch.randint(CONFIG.lmm.vision.codes, (2, N), generator=torch.Generator().manual_seed(3)))


@pytest.fixture(scope="module")
def semantics(model):
    return model.semantics(torch.randint(CONFIG.lmm.vision.codes, (N,), generator=torch.Generator().manual_seed(2)))


def first_logits(model, instruction, monkeypatch):
    """What generate draws the first code from, [codes]."""
    seen = []
    with monkeypatch.context() as patch:
        module = importlib.import_module("drc.lmm.generate")
        patch.setattr(module, "draw", lambda logits, *_: seen.append(logits) or logits.argmax(dim=-1))
        generate(model.lmm, instruction, [0], Sampling())
    return seen[0][0]


@pytest.mark.parametrize(("has_style", "has_semantics"), [*itertools.product((True, False), repeat=2)])
def test_coefficients_sum_to_1(has_style, has_semantics):
    for w_style, w_semantic in itertools.product(STRENGTHS, repeat=2):
        chain = streams(w_style, w_semantic, has_style, has_semantics)
        assert sum(chain.values()) == pytest.approx(1.0)
        assert 0 not in chain.values()
        for with_style, with_semantics in chain:
            assert not (with_style and w_style == 0) and not (with_semantics and w_semantic == 0)
            assert with_style <= has_style and with_semantics <= has_semantics


def test_plain_conditional_drawing_is_one_stream():
    assert streams(1.0, 1.0, True, True) == {(True, True): 1.0}
    assert streams(1.0, 0.0, True, True) == streams(1.0, 1.0, True, False) == {(True, False): 1.0}
    assert streams(0.0, 1.0, True, True) == streams(1.0, 1.0, False, True) == {(False, True): 1.0}
    assert streams(0.0, 0.0, True, True) == {(False, False): 1.0}


@pytest.mark.parametrize(("w_style", "w_semantic"), [(1.5, 2.0), (2.0, 0.5), (0.3, 1.0), (1.0, 1.0), (0.0, 1.5)])
def test_the_formula_of_guidance(model, style, semantics, monkeypatch, w_style, w_semantic):
    def logits(*strengths):
        return first_logits(model, model.compose(style, semantics, "red apple", *strengths), monkeypatch)

    nothing, meaning, both = logits(0.0, 0.0), logits(0.0, 1.0), logits(1.0, 1.0)
    expected = nothing + w_semantic * (meaning - nothing) + w_style * (both - meaning)
    torch.testing.assert_close(logits(w_style, w_semantic), expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(nothing, meaning, atol=1e-4) and not torch.allclose(meaning, both, atol=1e-4)


def test_style_alone_is_guided_by_its_own_weight(model, style, monkeypatch):
    nothing, plain, strong = (
        first_logits(model, model.compose(style, None, style_strength=strength), monkeypatch)
        for strength in (0.0, 1.0, 2.0)
    )
    torch.testing.assert_close(strong, nothing + 2 * (plain - nothing), rtol=1e-4, atol=1e-4)


def same(one, other):
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("vectors", "text", "coefficients"))


@pytest.mark.parametrize(("w_style", "w_semantic"), [(1.0, 1.0), (2.0, 4.0), (0.5, 0.0)])
def test_a_negative_style_is_where_the_style_guidance_starts(
    model, style, negative, semantics, monkeypatch, w_style, w_semantic
):
    def logits(*given, **keywords):
        return first_logits(model, model.compose(*given, **keywords), monkeypatch)

    meaning = semantics if w_semantic else None
    guided = logits(None, semantics, semantic_strength=w_semantic)
    both, away = logits(style, meaning), logits(negative, meaning)
    strengths = {"style_strength": w_style, "semantic_strength": w_semantic}
    found = logits(style, semantics, **strengths, negative_style=negative)
    torch.testing.assert_close(found, guided + w_style * (both - away), rtol=1e-4, atol=1e-4)
    alone = logits(None, semantics, **strengths, negative_style=negative)
    plain = logits(None, meaning)
    torch.testing.assert_close(alone, guided + w_style * (plain - away), rtol=1e-4, atol=1e-4)


def test_a_negative_style_at_its_ends(model, style, negative, semantics, monkeypatch):
    compose = model.compose
    dropped = compose(style, semantics, style_strength=0.0, negative_style=negative)
    assert same(dropped, compose(None, semantics, style_strength=0.0))
    cancelled = first_logits(model, compose(style, semantics, style_strength=2.0, negative_style=style), monkeypatch)
    torch.testing.assert_close(
        cancelled, first_logits(model, compose(None, semantics), monkeypatch), rtol=1e-4, atol=1e-4
    )
    for chain in (streams(2.0, 4.0, True, True, True), streams(2.0, 4.0, False, True, True)):
        assert sum(chain.values()) == pytest.approx(1) and len(chain) == 4 - (not chain.get((True, True)))


def test_strength_0_drops_its_condition(model, style, semantics):
    compose = model.compose
    assert same(compose(style, semantics, "sad cat", style_strength=0.0), compose(None, semantics, "sad cat"))
    assert same(compose(style, semantics, "sad cat", semantic_strength=0.0), compose(style, None))
    assert not same(compose(style, semantics, "sad cat"), compose(None, semantics, "sad cat"))


def test_a_mask_of_1_leaves_no_reference(model, style, semantics):
    masked = model.compose(style, semantics, "sad cat", semantic_mask=1.0)
    torch.testing.assert_close(masked.vectors, model.compose(style, None, "sad cat").vectors)


def test_text_comes_and_goes_with_the_semantics(model, style, semantics):
    instruction = model.compose(style, semantics, "red apple", style_strength=1.5, semantic_strength=2.0)
    assert instruction.text.any(dim=1).tolist() == [False, True, True]
    assert model.compose(style, None, "red apple", semantic_strength=2.0).text.any(dim=1).tolist() == [
        False,
        True,
        True,
    ]
    assert not model.compose(style, None, "  ", semantic_strength=2.0).text.any()


def test_weight_0_removes_a_picture_from_the_instruction(model, semantics):
    codes = torch.arange(3 * N).view(3, N) % CONFIG.lmm.vision.codes
    weights = torch.tensor([1.0, 0.0, 2.0])
    given = model.compose(model.style(codes, weights), semantics)
    left = model.compose(model.style(codes[[0, 2]], weights[[0, 2]]), semantics)
    torch.testing.assert_close(given.vectors, left.vectors)
    other = torch.cat((codes[:1], codes[1:2].flip(1), codes[2:]))
    assert torch.equal(model.compose(model.style(other, weights), semantics).vectors, given.vectors)


def test_a_style_keeps_what_its_rows_were_found_in(model, style):
    again = model.style(style.codes, style.weights)
    assert torch.equal(again.rows, style.rows) and torch.equal(again.codes, style.codes)


def test_only_the_ratio_of_weights_counts(model, style, semantics):
    codes = torch.arange(3 * N).view(3, N) % CONFIG.lmm.vision.codes
    one, other = (
        model.compose(model.style(codes, scale * torch.tensor([1.0, 2.0, 4.0])), semantics) for scale in (1.0, 0.3)
    )
    torch.testing.assert_close(one.vectors, other.vectors)


@pytest.mark.parametrize("count", [4, 64])
def test_hiding_more_hides_what_less_hid(count):
    semantics = Semantics(torch.zeros(count, 8), "")
    before = torch.zeros(count, dtype=torch.bool)
    for step in range(101):
        hidden = semantics.bias(step / 100).isneginf()
        assert hidden[before].all()
        assert hidden.all() == (step == 100)
        before = hidden
    assert not semantics.bias(0.0).any()
    assert semantics.bias(0.5).isneginf().sum() == count // 2
