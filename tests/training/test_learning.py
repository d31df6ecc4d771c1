"""Does it learn, and does it listen: wrong pictures come to cost more than right ones."""

import torch

from drc.train.checkpoints import RunFolder
from drc.train.config import Schedule
from drc.train.data.conditioning import plain_batch
from drc.train.gradients import GradientStep
from drc.train.loop import Trainer
from drc.train.machine.processes import OneProcess
from drc.train.validation import fixed_loss, gaps

from .coded_pictures import BLANK, ROWS, changed, make_batch, make_batches, make_objective


def test_stage_2_learns_style_from_the_history_and_meaning_from_the_reference(tmp_path):
    batches, objective = make_batches(size=16)[0], make_objective(2)
    schedule = Schedule(steps=120, rate=1e-2, warm_up=10, save_every=1000, average=0.95)
    trainer = Trainer(objective, schedule, RunFolder(tmp_path))

    def batch_of(step):
        return make_batch(step, 2, batches, share=0.25 if step < 90 else 1.0)

    trainer.run(GradientStep(objective, batch_of, OneProcess()))
    losses = [record["loss"] for record in RunFolder(tmp_path).read_log()]
    assert losses[-1] < 0.7 * losses[0]
    with trainer.averaged():
        numbers = gaps(objective, batches.personal(1000, 3), BLANK, ROWS)
    assert numbers["blind_wrong_reference"] > 0.3 and numbers["blind_wrong_history"] > 0.3, numbers


def test_gaps_are_differences_of_losses():
    objective, codes = make_objective(2), make_batches(size=6)[0].personal(0, 2)
    numbers = gaps(objective, codes, BLANK, ROWS)
    plain = plain_batch(codes, ROWS)
    blind = changed(plain, fed=torch.full_like(plain.fed, BLANK))

    def loss(batch):
        return objective(batch).tokens.mean().item()

    assert numbers["ar_right"] == loss(plain) and numbers["blind_right"] == loss(blind)
    other = changed(blind, history=blind.history.roll(1, 0))
    assert abs(numbers["blind_wrong_history"] - (loss(other) - loss(blind))) < 1e-6
    other = changed(plain, reference=plain.reference.roll(1, 0), second_view=plain.second_view.roll(1, 0))
    assert abs(numbers["ar_wrong_reference"] - (loss(other) - loss(plain))) < 1e-6
    assert not any(parameter.grad is not None for parameter in objective.parameters())


def test_the_loss_of_a_fixed_batch_is_that_of_training():
    objective, batch = make_objective(2), make_batch(0)
    losses = objective(batch)
    assert fixed_loss(objective, batch, "cpu") == (losses.tokens.mean() + losses.auxiliary.mean()).item()
