"""Micro-batches of any size leave the same gradients; what is not a number is named; any two can be stopped between."""

import logging

import pytest
import torch

from drc.train.errors import DivergedError
from drc.train.gradients import GradientStep
from drc.train.machine.processes import OneProcess
from drc.train.objectives.importance import COMBINATIONS, ImportanceSampler

from .coded_pictures import changed, make_batch, make_batches, make_objective

BATCH = 8


def step_of(stage, micro_batch, share=1.0):
    """The numbers and the gradients of one step."""
    objective, batches = make_objective(stage), make_batches(size=BATCH)[0]
    sampler = ImportanceSampler() if stage == 1 else None
    drawn = []

    def batch_of(step):
        drawn.append(make_batch(step, stage, batches, share=share, sampler=sampler))
        return drawn[-1]

    gradient_step = GradientStep(objective, batch_of, OneProcess(), sampler, micro_batch)
    numbers = gradient_step(0)
    assert len(drawn) == 1  # the batch of a step is drawn once, however it is cut
    return numbers, {name: p.grad for name, p in objective.named_parameters()}, gradient_step


@pytest.mark.parametrize("share", [1.0, 0.25])
@pytest.mark.parametrize("stage", [1, 2])
def test_micro_batches_of_any_size_leave_the_same_gradients(stage, share):
    expected, gradients, _ = step_of(stage, 0, share)
    for micro_batch in (1, 3, BATCH, 100):
        numbers, found, _ = step_of(stage, micro_batch, share)
        for name in expected.keys() - {"images_per_second", "waited"}:
            assert numbers[name] == pytest.approx(expected[name], abs=1e-5), name
        for name in gradients:
            torch.testing.assert_close(found[name], gradients[name], atol=1e-6, rtol=1e-4, msg=name)


def short_of_memory(monkeypatch, objective_kind, room):
    """Makes passes with more than `room` samples run out of memory, on the way forth or back as it comes."""
    forward, sizes = objective_kind.forward, []

    def limited(self, batch):
        sizes.append(len(batch))
        if len(batch) > room:
            losses = forward(self, batch.part(slice(1)))
            losses.auxiliary.sum().backward()  # what was reached until then must not count
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return forward(self, batch)

    monkeypatch.setattr(objective_kind, "forward", limited)
    return sizes


def test_out_of_memory_halves_the_micro_batch_and_leaves_the_same_gradients(monkeypatch, caplog):
    expected, gradients, _ = step_of(1, 0)
    sizes = short_of_memory(monkeypatch, type(make_objective(1)), room=3)
    with caplog.at_level(logging.INFO, "drc"):
        numbers, found, gradient_step = step_of(1, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory at step 0: 4 samples at once from now on",
        "out of memory at step 0: 2 samples at once from now on",
    ]
    assert sizes == [8, 4, 2, 2, 2, 2] and gradient_step.micro_batch == 2
    assert numbers["loss"] == pytest.approx(expected["loss"], abs=1e-5)
    for name in gradients:
        torch.testing.assert_close(found[name], gradients[name], atol=1e-6, rtol=1e-4, msg=name)


def test_memory_for_not_even_one_sample_is_an_error(monkeypatch):
    sizes = short_of_memory(monkeypatch, type(make_objective(2)), room=0)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        step_of(2, 0)
    assert sizes == [8, 4, 2, 1]


@pytest.mark.parametrize(("of", "index"), [("tokens", 5), ("auxiliary", 2)])
@pytest.mark.parametrize("micro_batch", [0, 3])
def test_a_loss_that_is_not_a_number_is_named(monkeypatch, of, index, micro_batch):
    objective, combination = make_objective(1), torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    batch = changed(make_batch(0, 1), combination=combination)
    marked = changed(batch, fed=batch.fed.clone())
    marked.fed[index] = 7
    forward = type(objective).forward

    def broken(self, some):
        losses = forward(self, some)
        vars_of = {"tokens": losses.tokens, "auxiliary": losses.auxiliary}
        vars_of[of] = vars_of[of].masked_fill((some.fed == 7).all(dim=1), float("nan"))
        return type(losses)(**vars_of)

    monkeypatch.setattr(type(objective), "forward", broken)
    sampler = ImportanceSampler()
    gradient_step = GradientStep(objective, lambda step: marked, OneProcess(), sampler, micro_batch)
    style, semantics = COMBINATIONS[combination[index]]
    with pytest.raises(DivergedError) as error:
        gradient_step(41)
    assert str(error.value) == f"the loss became not a number at step 41 in combination ({style}, {semantics})"
    assert not sampler.difficulty.any()  # a step that does not count teaches the sampler nothing


def test_stage_2_has_no_combinations_to_name(monkeypatch):
    objective = make_objective(2)
    with torch.no_grad():
        objective.auxiliary_head.spread.weight.fill_(float("inf"))
    gradient_step = GradientStep(objective, make_batch, OneProcess())
    with pytest.raises(DivergedError, match="^the loss became not a number at step 3$"):
        gradient_step(3)


def test_every_combination_is_logged_and_told_to_the_sampler():
    objective, sampler, batches = make_objective(1), ImportanceSampler(warm_up=2), make_batches(size=16)[0]
    gradient_step = GradientStep(
        objective, lambda step: make_batch(step, 1, batches, sampler=sampler), OneProcess(), sampler
    )
    for step in range(4):
        chances, numbers = sampler.chances(step), gradient_step(step)
        for index, (style, semantics) in enumerate(COMBINATIONS):
            assert numbers[f"p_{style}{semantics}"] == pytest.approx(chances[index].item())
    for index, (style, semantics) in enumerate(COMBINATIONS):
        assert sampler.difficulty[index] > 0
        assert numbers[f"loss_{style}{semantics}"] == pytest.approx(sampler.difficulty[index].item())


def test_numbers_of_a_step():
    numbers, _, _ = step_of(2, 0, share=0.25)
    assert numbers["loss"] == pytest.approx(numbers["tokens"] + numbers["auxiliary"])
    assert numbers["images_per_second"] > 0 and 0 <= numbers["waited"] < 1
    assert not any(name.startswith("p_") for name in numbers)
