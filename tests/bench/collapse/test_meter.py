"""The collapse meter: likelihoods that are what they say, lines where they belong, a dial that points."""

import math

import numpy as np
import pytest
import torch
from PIL import ImageColor

from drc.bench.collapse.dial import DIALS, HEIGHT, WIDTH, dial_picture
from drc.bench.collapse.likelihood import (
    CollapseScores,
    collapse_scores,
    conditions,
    copying,
    log_likelihood_ratios,
    log_likelihoods,
    scores_of_codes,
)
from drc.bench.collapse.meter import (
    BALANCED,
    COPIES_HISTORY,
    COPIES_REFERENCE,
    NEITHER,
    TO_REFERENCE,
    TO_STYLE,
    Reading,
    Scale,
    Thresholds,
    fit,
    line,
    rate,
    read,
)
from drc.checkpoint import load
from drc.plots.canvas import LIGHT
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
        for place in range(codes.shape[1]):
            chances = drc.lmm.logits(embeddings).log_softmax(dim=1)
            each.append(chances.gather(1, codes[:, place : place + 1]))
            if place + 1 < codes.shape[1]:
                step = drc.lmm.follow(codes[:, place : place + 1], place, instruction)
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


def test_the_likeliest_condition_says_what_is_log_likelihood_ratios():
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


def test_a_scale_has_three_points():
    scale = Scale(-2.0, 0.0, 1.0)
    assert scale([-3, -2, -1, 0, 0.5, 1, 9]).tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1]


THRESHOLDS = Thresholds(Scale(-1, 0, 1), Scale(-1, 0, 1), Scale(0, 0.6, 1))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.5, 0.5, 0.2, 0.3), BALANCED),
        ((0.5, -0.5, 0.2, 0.3), TO_STYLE),
        ((-0.5, 0.5, 0.2, 0.3), TO_REFERENCE),
        ((-0.5, -0.5, 0.2, 0.3), NEITHER),
        ((-0.5, 0.5, 0.9, 0.3), COPIES_REFERENCE),
        ((0.5, 0.5, 0.7, 0.8), COPIES_HISTORY),
    ],
)
def test_verdicts(values, verdict):
    (reading,) = read(CollapseScores(*torch.tensor(values)[:, None]), THRESHOLDS)
    assert reading.verdict == verdict and reading.collapsed == (verdict != BALANCED)
    assert reading.style == pytest.approx(0.5 + values[0] / 2)
    assert reading.copying == pytest.approx(THRESHOLDS.copying(max(values[2:])).item())


def test_a_line_lies_in_the_middle_of_the_gap_that_false_alarms_allow():
    assert line([1, 2, 3, 4], [-1, -2], 0.0) == 0
    assert line([1, 2, 3, 4], [-1, 1.5], 0.0) == 0  # a miss, but no false alarm
    assert line([1, 2, 3, 4], [-1, 1.5], 0.25) == 1.75
    assert line([1, 2], [5, 6], 0.0) == 1  # nothing to tell apart


def normal(means, count=2000, seed=0):
    """Scores around four means with a deviation of 1, copies with one of 0.05."""
    random = np.random.default_rng(seed)
    values = [random.normal(mean, deviation, count) for mean, deviation in zip(means, (1, 1, 0.05, 0.05), strict=True)]
    return CollapseScores(*torch.from_numpy(np.stack(values)))


def test_fitted_thresholds_keep_their_word_on_other_cases():
    def seeds(first):
        kinds = {"true": (4, 3), "style lost": (-1, 3), "meaning lost": (4, -1), "copied": (-1, 3)}
        return {
            kind: normal((*means, 0.9 if kind == "copied" else 0.2, 0.1), seed=first + place)
            for place, (kind, means) in enumerate(kinds.items())
        }

    thresholds = fit(*seeds(0).values())
    rates = {kind: rate(read(found, thresholds)) for kind, found in seeds(10).items()}
    assert rates["true"] < 0.05
    assert min(rates["style lost"], rates["meaning lost"], rates["copied"]) > 0.95
    assert thresholds.style.lost == pytest.approx(-1, abs=0.1) and thresholds.style.kept == pytest.approx(4, abs=0.1)
    assert 0.3 < thresholds.copying.line < 0.8


def lit(picture):
    """Rows and columns of the brightest pixels."""
    return np.argwhere((picture == ImageColor.getrgb(LIGHT)).all(axis=-1))


@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_dial_points_where_it_should(value):
    picture = dial_picture([Reading(value, 0.5, 0.5, BALANCED)])
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    middle = WIDTH / 6, 0.59 * HEIGHT
    found = lit(picture[60:235, : WIDTH // 3]) + [60, 0]
    y, x = max(found, key=lambda place: math.dist(place[::-1], middle))
    angle = math.degrees(math.atan2(y - middle[1], x - middle[0])) % 360
    assert abs((angle - 150 - 240 * value + 180) % 360 - 180) < 4


def test_every_dial_has_its_colour_and_every_picture_its_dot():
    one = Reading(0.9, 0.1, 0.2, TO_STYLE)
    single, several = dial_picture([one]), dial_picture([one, one, Reading(0.7, 0.8, 0.4, BALANCED)])
    for place, (_, colour) in enumerate(DIALS):
        dial = single[:, place * WIDTH // 3 : (place + 1) * WIDTH // 3]
        assert (dial == ImageColor.getrgb(colour)).all(axis=-1).sum() > 500
    assert len(lit(several[60:])) > len(lit(single[60:]))
    assert not np.array_equal(single[:60], several[:60])
    assert np.array_equal(single[:60, :300], several[:60, :300])  # the most frequent verdict
    with pytest.raises(ValueError, match="connect at least one"):
        dial_picture([])
