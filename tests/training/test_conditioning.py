"""A batch: how often conditions are dropped, hidden and blanked, and that it follows from its generator alone."""

import dataclasses

import pytest
import torch

from drc.train.config import Conditioning
from drc.train.data.conditioning import PLAIN, blanked, draw_batch, plain_batch

from .coded_pictures import BLANK, CODES, EVEN, ROWS, make_batches

MANY = 4000


def drawn_batch(conditioning: Conditioning, size: int = MANY, seed: int = 0, chances=EVEN, share: float = 1.0):
    codes = make_batches(size=size)[0].personal(0, 2)
    return draw_batch(codes, conditioning, BLANK, ROWS, chances, share, torch.Generator().manual_seed(seed))


def shares(**conditions: torch.Tensor) -> dict[str, float]:
    return {name: condition.float().mean().item() for name, condition in conditions.items()}


@pytest.mark.parametrize(
    ("all_blank", "some_blank", "blank_share"), [(1.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.5), (0.3, 0.4, 0.5)]
)
def test_blanking(all_blank, some_blank, blank_share):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(CODES, (MANY, 64), generator=generator)
    fed = blanked(codes, BLANK, Conditioning(all_blank=all_blank, some_blank=some_blank), generator)
    is_blank = fed == BLANK
    assert torch.equal(fed[~is_blank], codes[~is_blank])
    assert is_blank.float().mean().item() == pytest.approx(blank_share, abs=0.02)
    by_sample = is_blank.float().mean(dim=1)
    assert (by_sample == 1).float().mean().item() == pytest.approx(all_blank, abs=0.05)
    assert (by_sample == 0).float().mean().item() == pytest.approx(1 - all_blank - some_blank, abs=0.05)


def test_conditions_are_dropped_as_often_as_told():
    told = Conditioning(drop_style=0.2, drop_semantics=0.15, drop_both=0.1, text_alone=0.0, mask=0.0)
    drawn = drawn_batch(told)
    no_style, no_semantics = drawn.no_style, drawn.hidden.all(dim=1)
    found = shares(
        style=no_style & ~no_semantics,
        semantics=no_semantics & ~no_style,
        both=no_style & no_semantics,
    )
    assert found == pytest.approx({"style": 0.2, "semantics": 0.15, "both": 0.1}, abs=0.02)
    assert not (drawn.text.any(dim=1) & no_semantics).any()  # text counts as semantics


def test_text_with_and_without_the_reference():
    drawn = drawn_batch(Conditioning(0.0, 0.0, 0.0, keep_text=0.4, text_alone=0.25, mask=0.0))
    text, alone = drawn.text.any(dim=1), drawn.hidden.all(dim=1)
    assert text[alone].all()
    found = shares(alone=alone, text=text)
    assert found == pytest.approx({"alone": 0.25, "text": 0.25 + 0.75 * 0.4}, abs=0.02)


def test_a_mask_hides_some_rows_of_a_reference_but_never_all():
    drawn = drawn_batch(Conditioning(0.0, 0.0, 0.0, text_alone=0.0, mask=1.0))
    assert drawn.hidden.float().mean().item() == pytest.approx(0.5, abs=0.1)  # four rows only: some are all drawn
    assert not drawn.hidden.all(dim=1).any()
    assert not drawn_batch(Conditioning(0.0, 0.0, 0.0, text_alone=0.0, mask=0.0)).hidden.any()


def test_combinations_follow_the_chances():
    chances = torch.tensor([0.5, 0.3, 0.2, 0.0])
    found = torch.bincount(drawn_batch(PLAIN, chances=chances).combination, minlength=4) / MANY
    torch.testing.assert_close(found, chances, atol=0.03, rtol=0)


@pytest.mark.parametrize(("share", "read"), [(1.0, 8), (0.25, 2), (0.3, 3)])
def test_the_first_samples_are_read(share, read):
    assert drawn_batch(PLAIN, size=8, share=share).read.tolist() == [True] * read + [False] * (8 - read)


def test_a_batch_follows_from_its_generator_alone():
    first = drawn_batch(Conditioning(), size=32)
    torch.manual_seed(5)
    torch.rand(7)
    again, other = drawn_batch(Conditioning(), size=32), drawn_batch(Conditioning(), size=32, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(again).values(), strict=True))
    assert not torch.equal(first.fed, other.fed)


def test_a_plain_batch_keeps_everything_but_the_text():
    codes = make_batches(size=8)[0].personal(0, 2)
    plain, drawn = plain_batch(codes, ROWS), drawn_batch(PLAIN, size=8)
    for name in ("target", "fed", "history", "reference", "second_view", "no_style", "hidden", "read"):
        assert torch.equal(getattr(plain, name), getattr(drawn, name)), name
    assert not plain.text.any() and not drawn.text.any()
    assert not plain.combination.any()


def test_part_takes_the_same_samples_of_everything():
    whole = drawn_batch(Conditioning(), size=8)
    some = whole.part(slice(1, None, 3))
    assert len(some) == 3
    for field in dataclasses.fields(whole):
        assert torch.equal(getattr(some, field.name), getattr(whole, field.name)[[1, 4, 7]]), field.name
