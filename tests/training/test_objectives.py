"""What the two stages, and the comparison, learn from a batch."""

import pytest
import torch

from drc.train.data.conditioning import plain_batch
from drc.train.machine.memory import recompute
from drc.train.objectives.entangled import EntangledDRC, EntangledObjective
from drc.train.objectives.stages import Stage2, even_bias, language_share
from scripts.lib.tiny import CONFIG

from .coded_pictures import CODES, ROWS, N, changed, make_batch, make_batches, make_drc, make_objective

STAGES = (1, 2)


def make_entangled() -> EntangledObjective:
    torch.manual_seed(0)
    model = EntangledDRC(CONFIG)
    model.initialise()
    model.lmm.vision = None
    return EntangledObjective(model)


def plain(size: int = 8):
    return plain_batch(make_batches(size=size)[0].personal(0, 3), ROWS)


def gradients(objective, batch) -> dict[str, torch.Tensor]:
    objective.zero_grad()
    losses = objective(batch)
    (losses.tokens.mean() + losses.auxiliary.mean()).backward()
    return {name: p.grad.clone() for name, p in objective.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", [1, 2, "entangled"])
def test_gradient_reaches_every_trained_parameter(kind):
    objective = make_entangled() if kind == "entangled" else make_objective(kind)
    stage = 1 if kind == 1 else 2
    for step in range(4):
        losses = objective(make_batch(step, stage, make_batches(size=16)[0]))
        (losses.tokens.sum() + losses.auxiliary.sum()).backward()
    trained = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    assert [name for name, p in trained.items() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("stage", STAGES)
def test_losses_are_those_of_each_sample(stage):
    objective = make_objective(stage)
    batch = make_batch(0, stage)
    together = objective(batch)
    for index in (0, 5):
        alone = objective(batch.part(slice(index, index + 1)))
        torch.testing.assert_close(alone.tokens[0], together.tokens[index])
        torch.testing.assert_close(alone.auxiliary[0], together.auxiliary[index])


@pytest.mark.parametrize(("step", "share"), [(0, 1 / 4), (3, 1 / 4), (4, 1.0), (9, 1.0)])
def test_the_language_model_reads_a_quarter_at_first(step, share, monkeypatch):
    objective, counted = make_objective(2), []
    forward = objective.drc.lmm.language.hidden
    monkeypatch.setattr(objective.drc.lmm.language, "hidden", lambda x: counted.append(len(x)) or forward(x))
    assert language_share(step, steps=10, instructions_first=0.4) == share
    losses = objective(make_batch(step, share=share))
    assert counted == [8 * share] == [len(losses.tokens)] and len(losses.auxiliary) == 8


@pytest.mark.parametrize("stage", STAGES)
def test_a_dropped_condition_is_not_seen(stage):
    objective, batch = make_objective(stage), plain()
    batch = changed(batch, combination=torch.full((8,), 3))  # both features take their values from the anchor
    swapped = {"target": batch.target.roll(1, 0), "history": batch.history.roll(1, 0)}
    swapped |= {"reference": batch.reference.roll(1, 0), "second_view": batch.second_view.roll(1, 0)}
    blind = changed(batch, no_style=torch.ones(8, dtype=torch.bool), hidden=torch.ones(8, ROWS, dtype=torch.bool))

    def instructions(some):
        style, semantics, padding, _ = objective.rows(some)
        seen = objective.drc.disentangler.fusion(
            style,
            semantics,
            even_bias(style, semantics, padding).masked_fill(some.no_style[:, None], float("-inf")),
            torch.zeros(8, ROWS).masked_fill(some.hidden, float("-inf")),
        )
        return seen

    assert not torch.allclose(instructions(batch), instructions(changed(batch, **swapped)))
    torch.testing.assert_close(instructions(blind), instructions(changed(blind, **swapped)))


@pytest.mark.parametrize(("what", "given"), [("no_style", "history"), ("hidden", "reference")])
def test_the_loss_of_stage_2_without_a_condition(what, given):
    objective, batch = make_objective(2), plain()
    other = {given: getattr(batch, given).roll(1, 0)}
    if given == "reference":
        other["second_view"] = batch.second_view.roll(1, 0)
    dropped = changed(batch, **{what: torch.ones_like(getattr(batch, what))})
    assert not torch.allclose(objective(batch).auxiliary, objective(changed(batch, **other)).auxiliary)
    torch.testing.assert_close(objective(dropped).auxiliary, objective(changed(dropped, **other)).auxiliary)


def test_the_four_combinations_of_stage_1_differ():
    """Where a feature takes its values from the anchor, the other picture asks for it, and the other way round."""
    objective, batch = make_objective(1), plain()
    found = [objective.rows(changed(batch, combination=torch.full((8,), index)))[:2] for index in range(4)]
    (style_a, semantics_a), (style_s, semantics_aa), (style_aa, semantics_m), (style_ss, semantics_mm) = found
    assert torch.equal(style_a, style_aa) and torch.equal(style_s, style_ss)
    assert torch.equal(semantics_a, semantics_aa) and torch.equal(semantics_m, semantics_mm)
    assert not torch.allclose(style_a, style_s) and not torch.allclose(semantics_a, semantics_m)


def test_training_starts_from_a_copier():
    """Before the first step, every instruction vector already tells the reference's codes of its spot."""
    torch.manual_seed(0)
    batch = plain_batch(make_batches(size=32)[0].personal(0, 1), ROWS)
    reference = torch.randint(CODES, (32, N))
    objective = Stage2(make_drc())
    read = [
        objective(changed(batch, target=reference, reference=shown, second_view=shown)).auxiliary.mean().item()
        for shown in (reference, reference.roll(1, 0))
    ]
    assert read[0] < read[1] - 0.05, read  # of log 24 = 3.18 for guessing


@pytest.mark.parametrize("stage", STAGES)
def test_bfloat16(stage):
    batch = make_batch(0, stage)
    exact, fast = make_objective(stage), make_objective(stage, precision=torch.bfloat16)
    expected, found = exact(batch), fast(batch)
    assert not torch.equal(expected.tokens, found.tokens)
    torch.testing.assert_close(found.tokens.float(), expected.tokens, atol=0.05, rtol=0)
    torch.testing.assert_close(found.auxiliary.float(), expected.auxiliary, atol=0.05, rtol=0)
    assert {grad.dtype for grad in gradients(fast, batch).values()} == {torch.float32}


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_computed_again_has_the_same_gradients(stage):
    batch, objective = make_batch(0, stage), make_objective(stage)
    expected = gradients(objective, batch)
    recompute(objective.drc.lmm.layers())
    found = gradients(objective, batch)
    assert expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], msg=name)
