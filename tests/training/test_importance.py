"""The harder a combination, the more often it is drawn; the alternatives are fixed."""

import pytest
import torch

from drc.train.objectives.importance import STATIC, ImportanceSampler


def test_harder_combinations_are_drawn_more_often():
    sampler = ImportanceSampler(warm_up=10)
    assert sampler.chances(9).tolist() == [0.25] * 4
    for _ in range(50):
        sampler.update(torch.tensor([0, 0, 1, 3]), torch.tensor([1.0, 3.0, 2.5, 4.0]))
    assert sampler.difficulty.tolist() == pytest.approx([2.0, 2.5, 0.0, 4.0], abs=1e-3)  # the third was never drawn
    chances = sampler.chances(10)
    assert chances.sum().item() == pytest.approx(1.0)
    assert chances.argsort().tolist() == [2, 0, 1, 3] and chances.min() >= sampler.floor


def test_the_formula():
    sampler = ImportanceSampler(temperature=0.5, floor=0.1, warm_up=0)
    sampler.difficulty.copy_(torch.tensor([1.0, 1.5, 2.0, 2.5]))
    powers = torch.tensor([2.0, 3.0, 4.0, 5.0]).exp()
    torch.testing.assert_close(sampler.chances(0), 0.6 * powers / powers.sum() + 0.1)


def test_no_combination_dies_out():
    sampler = ImportanceSampler(floor=0.05, warm_up=0)
    sampler.difficulty.copy_(torch.tensor([0.1, 0.1, 0.1, 50.0]))
    assert sampler.chances(0).tolist() == pytest.approx([0.05, 0.05, 0.05, 0.85])


def test_difficulty_is_a_running_mean():
    sampler = ImportanceSampler(keep=0.75)
    sampler.update(torch.tensor([1]), torch.tensor([4.0]))
    sampler.update(torch.tensor([1]), torch.tensor([8.0]))
    assert sampler.difficulty.tolist() == [0.0, 5.0, 0.0, 0.0]


@pytest.mark.parametrize(("sampling", "chances"), [("uniform", [0.25] * 4), ("static", list(STATIC))])
def test_the_alternatives_take_no_notice_of_difficulty(sampling, chances):
    sampler = ImportanceSampler(sampling, warm_up=0)
    sampler.update(torch.tensor([0, 3]), torch.tensor([1.0, 9.0]))
    assert sampler.chances(1000).tolist() == chances and sum(chances) == 1
    assert sampler.difficulty.tolist() == [1.0, 0.0, 0.0, 9.0]  # which the log still tells


def test_a_checkpoint_holds_its_state():
    sampler, other = ImportanceSampler(warm_up=0), ImportanceSampler(warm_up=0)
    sampler.update(torch.tensor([0, 1, 2, 3]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    other.load_state_dict(sampler.state_dict())
    assert torch.equal(other.chances(0), sampler.chances(0)) and other.chances(0)[3] > 0.5
