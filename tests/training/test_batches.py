"""Batches give nothing away, and follow from the seed and the step."""

import dataclasses

import numpy as np
import pytest
import torch

from .coded_pictures import CLUSTER, FAMILY, make_batches, shown_by


@pytest.mark.parametrize("draw", ["triplets", "personal"])
def test_batches_leak_nothing(draw):
    batches, records = make_batches()
    for step in range(20):
        batch = getattr(batches, draw)(step)
        count = batch.history.shape[1]
        history = iter(shown_by(batch.history, records))
        cases = torch.stack((batch.target, batch.reference, batch.second_view), dim=1)
        for (style, meaning, mirrored), *references in (shown_by(views, records) for views in cases):
            for its_style, its_meaning, its_mirrored in (next(history) for _ in range(count)):
                assert its_style == style and CLUSTER[its_meaning] != CLUSTER[meaning] and its_mirrored == mirrored
            for its_style, its_meaning, its_mirrored in references:
                assert its_style != style and its_meaning == meaning and its_mirrored == mirrored
                assert FAMILY.get(its_style, "procedural") != FAMILY.get(style, "programs")


def test_text_names_the_target():
    batches, records = make_batches()
    batch = batches.personal(3)
    meanings = [int(meaning[1:]) for _, meaning, _ in shown_by(batch.target, records)]
    assert batch.text[:, 0].tolist() == [meaning + 1 for meaning in meanings]


def test_a_batch_depends_on_seed_and_step_alone():
    def contents(batches, step):
        return [tensor.tolist() for tensor in dataclasses.astuple(batches.personal(step))]

    batches, _ = make_batches()
    batches.personal(7)
    assert contents(batches, 3) == contents(make_batches()[0], 3)
    assert contents(batches, 3) != contents(batches, 4)
    assert contents(batches, 3) != contents(make_batches(seed=1)[0], 3)


def test_the_share_of_pictures_as_they_are():
    batches, records = make_batches(size=2000, own_share=0.25)
    own = [style in FAMILY for style, *_ in shown_by(batches.triplets(0).target, records)]
    assert np.mean(own) == pytest.approx(0.25, abs=0.04)
    for share in (0.0, 1.0):
        batches, _ = make_batches(own_share=share)
        assert {style in FAMILY for style, *_ in shown_by(batches.triplets(0).target, records)} == {share == 1.0}


def test_histories_of_every_length_and_two_views_half_of_the_time():
    batches, _ = make_batches()
    drawn = [batches.personal(step, history=4) for step in range(60)]
    assert {batch.history.shape[1] for batch in drawn} == {1, 2, 3, 4}
    other_view = torch.cat([(batch.second_view != batch.reference).any(dim=1) for batch in drawn]).float().mean()
    assert 0.3 < other_view < 0.5  # half of the time a second draw, which may give the same picture again


def test_undisturbed_batches_are_the_same_but_for_the_disturbance():
    (usual, records), (plain, _) = make_batches(), make_batches(second_view_share=0.0, mirrored=False)
    for step in range(5):
        disturbed, batch = usual.personal(step), plain.personal(step)
        assert torch.equal(batch.second_view, batch.reference)
        assert not any(mirrored for *_, mirrored in shown_by(batch.target, records))
        shown = [[entry[:2] for entry in shown_by(one.target, records)] for one in (disturbed, batch)]
        assert shown[0] == shown[1]
        assert not any(mirrored for *_, mirrored in shown_by(plain.triplets(step).target, records))


@pytest.mark.parametrize("draw", ["triplets", "personal"])
def test_a_batch_may_be_a_multiple(draw):
    batches, _ = make_batches(size=6)
    assert [len(getattr(batches, draw)(0, times=times).target) for times in (1, 2)] == [6, 12]


def test_a_history_longer_than_the_style_repeats_pictures():
    batches, records = make_batches(size=4)
    lengths = {batches.personal(step, history=30).history.shape[1] for step in range(40)}
    assert max(lengths) > 10  # of 12 meanings in a style, two are near the target's
