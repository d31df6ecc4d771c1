"""Likelihoods are what drawing code by code gives, and tell what a picture kept; a copy is told by its pixels."""

import pytest
import torch

from drc.bench.collapse.likelihood import collapse_scores, copying, scores_of_codes
from drc.checkpoint import load
from drc.likelihood import conditions, log_likelihood_ratios, log_likelihoods
from scripts.lib.tiny import write_tiny


@pytest.fixture(scope="module")
def drc(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors"))


def pictures(*shape, seed=0):
    return torch.rand(*shape, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def four(drc):
    codes = drc.lmm.tokenize(pictures(4))
    return conditions(drc, drc.style(codes[:3], torch.ones(3)), drc.semantics(codes[3]), "red apple")


@torch.no_grad()
def test_likelihood_is_what_drawing_code_by_code_gives(drc):
    codes, (vectors, text) = drc.lmm.tokenize(pictures(2, seed=1)), four(drc)
    found = log_likelihoods(drc, codes, vectors, text)
    for condition in range(4):
        instruction = vectors[condition : condition + 1].expand(2, -1, -1)
        embeddings, each = drc.lmm.prompt(text[condition].expand(2, -1), instruction), []
        places = drc.lmm.places(instruction)
        for place in range(codes.shape[1]):
            chances = drc.lmm.logits(embeddings).log_softmax(dim=1)
            each.append(chances.gather(1, codes[:, place : place + 1]))
            if place + 1 < codes.shape[1]:
                step = drc.lmm.follow(codes[:, place : place + 1], place, places)
                embeddings = torch.cat((embeddings, step), dim=1)
        torch.testing.assert_close(found[condition], torch.cat(each, dim=1), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_text_goes_with_the_reference(drc):
    _, text = four(drc)
    assert text[0].equal(text[2]) and text[0].any() and not text[1].any() and not text[3].any()


@torch.no_grad()
def test_scores_come_from_the_likelihoods(drc):
    drawn, history, reference = pictures(11, seed=2), pictures(3), pictures(1, seed=3)[0]
    given, done = torch.cat((drawn, history, reference[None])), []
    found = scores_of_codes(drc, given, drc.lmm.tokenize(given), 11, on_sequences=done.append)
    codes = drc.lmm.tokenize(torch.cat((history, reference[None])))
    asked = conditions(drc, drc.style(codes[:3], torch.ones(3)), drc.semantics(codes[3]))
    style, meaning = log_likelihood_ratios(log_likelihoods(drc, drc.lmm.tokenize(drawn), *asked))
    torch.testing.assert_close(found.style, style)
    torch.testing.assert_close(found.meaning, meaning)
    assert done == [8, 16, 24, 32, 40, 44]


def test_the_likeliest_condition_says_what_is_kept():
    """Rows: both, history, reference, nothing. Each of four pictures, of two codes, is likeliest from one of them."""
    means = torch.tensor(
        [[-1.0, -1.3, -1.4, -1.5], [-1.2, -1.0, -1.4, -1.5], [-1.3, -1.4, -1.1, -1.4], [-1.4, -1.4, -1.3, -1.1]]
    )
    style, meaning = log_likelihood_ratios(torch.stack((means + 0.1, means - 0.1), dim=2))
    torch.testing.assert_close(style, torch.tensor([0.3, 0.4, -0.3, -0.4]))
    torch.testing.assert_close(meaning, torch.tensor([0.2, -0.3, 0.2, -0.3]))


def test_one_odd_code_does_not_decide():
    codes = torch.full((4, 1, 10), -1.0)
    codes[2:] -= 0.2  # without the history all codes are a little less likely,
    codes[2:, 0, 0] += 9  # but for one
    style, _ = log_likelihood_ratios(codes)
    torch.testing.assert_close(style, torch.tensor([(9 * 0.2 - 0.5) / 10]))


@torch.no_grad()
def test_scores_of_a_picture_do_not_depend_on_the_others(drc):
    drawn, history, reference = pictures(3, seed=2), pictures(3), pictures(1, seed=3)[0]
    together, alone = (
        collapse_scores(drc, drawn, history, reference),
        collapse_scores(drc, drawn[1:2], history, reference),
    )
    turned = collapse_scores(drc, drawn, history.flip(0), reference)
    for name in ("style", "meaning", "copies_reference", "copies_history"):
        torch.testing.assert_close(getattr(together, name)[1:2], getattr(alone, name), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(getattr(together, name), getattr(turned, name), atol=1e-5, rtol=1e-4)


def square(left: int, colour=(1.0, 0.0, 0.0)):
    picture = torch.full((3, 64, 64), 0.9)
    picture[:, 16:40, left : left + 24] = torch.tensor(colour)[:, None, None]
    return picture


def test_copying_is_1_for_the_same_and_0_for_bare_ground():
    given = torch.stack((square(8), square(36)))
    drawn = torch.stack((square(8), torch.full((3, 64, 64), 0.9), square(36)))
    torch.testing.assert_close(copying(drawn, given), torch.tensor([[1.0, -1.0], [0.0, 0.0], [-1.0, 1.0]]))


def test_a_copy_may_be_moved_and_softened():
    soft = torch.nn.functional.avg_pool2d(square(8)[None], 5, stride=1, padding=2, count_include_pad=False)
    assert (copying(torch.cat((square(9)[None], soft)), square(8)[None]) > 0.75).all()
