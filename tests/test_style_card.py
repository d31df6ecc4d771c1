"""Style cards: what a history drew, its card draws; two mix by their share; a card is small."""

import pytest
import torch

from drc import card_file
from drc.checkpoint import load
from drc.style_card import card_of, common_colours, in_words, labels, merge, style_of, with_pictures
from drc.traits import traits
from scripts.lib.tiny import CONFIG, write_tiny

N = CONFIG.lmm.vision.grid**2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")).requires_grad_(False)


def some_codes(count, seed=1):
    return torch.randint(CONFIG.lmm.vision.codes, (count, N), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def style(model):
    return model.style(some_codes(5), torch.tensor([1.0, 2.0, 0.0, 0.5, 1.0]))


@pytest.fixture(scope="module")
def other(model):
    return model.style(some_codes(3, seed=2))


def saved(card, folder):
    card_file.save(card, folder / "style.safetensors")
    return card_file.load(folder / "style.safetensors")


def same(one, another):
    return all(torch.equal(getattr(one, name), getattr(another, name)) for name in ("rows", "weights", "codes"))


def test_a_card_is_the_style_that_it_was_made_of(model, style, tmp_path):
    card = card_of(style, name="Ann's hand", licence="CC0-1.0", model_name="tiny")
    found = saved(with_pictures(card, model.lmm.detokenize(style.codes)), tmp_path)
    assert same(style_of(model, found), style)
    assert (found.name, found.licence, found.model_name) == ("Ann's hand", "CC0-1.0", "tiny")
    assert saved(card, tmp_path).thumbnails is None


def test_its_numbers_are_those_of_its_pictures(model, style, tmp_path):
    squares = model.lmm.detokenize(style.codes)
    found = saved(with_pictures(card_of(style), squares), tmp_path)
    assert found.thumbnails.shape == (5, 32, 32, 3)
    for one, picture in zip(found.traits, (squares * 255).round().byte().movedim(1, -1).numpy(), strict=True):
        expected = traits(picture)
        for name in ("weight", "padding", "stroke", "corner", "lines"):
            assert getattr(one, name) == pytest.approx(getattr(expected, name), abs=1e-6, nan_ok=True)
        assert one.colours == pytest.approx(expected.colours[:16], abs=1e-6)


def test_200_pictures_of_a_large_model_are_less_than_a_megabyte(style, tmp_path):
    shown = with_pictures(card_of(style), torch.rand(5, 3, 224, 224, generator=torch.Generator().manual_seed(1)))
    many = {"thumbnails": shown.thumbnails.repeat(40, axis=0), "traits": shown.traits * 40}
    card = type(shown)(torch.full((200, 256), 16_383), torch.ones(200), "a" * 64, "n" * 200, "l" * 1000, **many)
    found = saved(card, tmp_path)
    assert (tmp_path / "style.safetensors").stat().st_size < card_file.MOST_BYTES
    assert torch.equal(found.codes, card.codes) and found.thumbnails.shape[1] > 32


def test_pictures_of_different_lengths_stay_as_they_are(model, tmp_path):
    codes = torch.tensor([[70_000, 5, 6], [7, -1, -1]])
    card = card_of(model.style(some_codes(2)))
    assert torch.equal(saved(type(card)(codes, card.weights, card.model), tmp_path).codes, codes)


def test_a_card_of_another_model_says_the_way_out(style, tmp_path):
    card = saved(card_of(style, model_name="mine"), tmp_path)
    other = load(write_tiny(tmp_path / "other.safetensors", seed=1))
    with pytest.raises(
        ValueError, match=r"^x was made by another model .* load that model \('mine'\), or make the card"
    ):
        style_of(other, card, "x")


def test_at_its_ends_a_ratio_is_one_of_the_two(model, style, other):
    assert same(merge(model, style, other, 0), style) and same(merge(model, style, other, 1), other)


def test_a_ratio_shares_out_the_weight(model, style, other):
    mixed = merge(model, style, other, 0.25)
    assert mixed.weights[5:].sum() / mixed.weights.sum() == pytest.approx(0.25)
    assert torch.equal(mixed.codes, torch.cat((style.codes, other.codes)))
    assert mixed.weights[2] == 0 and mixed.rows.isfinite().all()
    near = merge(model, style, other, 1e-6)
    torch.testing.assert_close(near.rows[[0, 1, 3, 4]], style.rows[[0, 1, 3, 4]], atol=1e-3, rtol=1e-3)
    assert not torch.allclose(mixed.rows[:2], style.rows[:2], atol=1e-3)


def test_too_many_too_long_and_without_codes(model, style):
    with pytest.raises(ValueError, match="has 201 pictures, expected 1 to 200; leave some out"):
        card_of(model.style(some_codes(201)))
    with pytest.raises(ValueError, match="has a licence of 1001 letters, expected at most 1000"):
        card_of(style, licence="x" * 1001)
    nameless = type(style)(style.rows, style.weights, style.model)
    for call in (lambda: card_of(nameless), lambda: merge(model, style, nameless, 0.5)):
        with pytest.raises(ValueError, match="does not hold the codes of its pictures; run StyleTower again"):
            call()
    with pytest.raises(ValueError, match="2 pictures are given for a style of 5"):
        with_pictures(card_of(style), torch.zeros(2, 3, 32, 32))


def test_what_it_says_of_itself(model, style):
    squares = torch.ones(5, 3, 32, 32)
    squares[:, :, 8:24, 14:18] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    card = with_pictures(card_of(style, name="a\nb", licence="CC0-1.0"), squares)
    assert in_words(card).splitlines() == [
        "Style: a\\u000ab",
        "Licence: CC0-1.0",
        "Pictures: 5, each with its own weight",
        "Lines: 12.1 % of the side",
        "Covered: 6 % of a picture",
        "Padding: 25 % of the side",
        "Colours: #ffffff in 5, #ff0000 in 5",
    ]
    assert "Not measured" in in_words(card_of(style))
    assert [number for _, number in common_colours(card.traits)] == [5, 5]


def test_numbers_of_pictures_tell_weights_that_differ():
    assert labels(torch.tensor([1.0, 4.0])) == ["1: 0.25", "2: 1.00"] and labels(torch.ones(2)) == ["1", "2"]
