"""The loop: steps, averages, log, validation, early stopping, and that nothing is lost whatever happens."""

import errno
import json
import logging
import math
import threading
import time

import pytest
import torch
from torch import nn

from drc.train.checkpoints import STATE, UNFINISHED, RunFolder, settle
from drc.train.config import Schedule
from drc.train.errors import TrainingError
from drc.train.loop import Trainer, parameter_groups, plainly


class PowerCutError(Exception):
    pass


def stop():
    raise PowerCutError


def make_trainer(folder, steps=6, keep=2, average=0.998, **schedule) -> Trainer:
    """Of one weight that shall become 0."""
    torch.manual_seed(0)
    settings = {"rate": 0.05, "warm_up": 2, "save_every": 2, "log_every": 2} | schedule
    return Trainer(nn.Linear(1, 1), Schedule(steps=steps, average=average, **settings), RunFolder(folder, keep))


def square(model, step):
    return model(torch.ones(1, 1)).square().sum(), {"step_twice": 2 * step}


def run(trainer: Trainer, stop_at=None, learn=square, **hooks) -> Trainer:
    """With `stop_at` the power goes at the beginning of that step."""

    def batch_loss(model, step):
        if step == stop_at:
            raise PowerCutError
        return learn(model, step)

    trainer.run(plainly(trainer.inner, 0, batch_loss), **hooks)
    return trainer


def validating(losses):
    """Validations that find these losses, in order."""
    remaining = iter(losses)
    return lambda trainer: {"validation_loss": next(remaining)}


def test_the_rate_warms_up_and_decays():
    schedule = Schedule(steps=1000, rate=1.0, warm_up=100)
    factors = [schedule.factor_at(step) for step in range(1001)]
    assert factors[0] == pytest.approx(0.01) and factors[49] == pytest.approx(0.5, abs=0.01)
    assert max(factors) == max(factors[90:110]) > 0.97
    assert factors[500] == pytest.approx(0.525) and factors[1000] == pytest.approx(0.05)


def test_rates_apart_and_only_matrices_decay():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    model[0].bias.requires_grad_(False)
    groups = parameter_groups(model, Schedule(1, 0.5, weight_decay=0.1), lambda name: 0.5 if "0." in name else 0.25)
    found = {(group["base"], group["weight_decay"]): [id(p) for p in group["params"]] for group in groups}
    assert found == {(0.5, 0.1): [id(model[0].weight)], (0.25, 0.0): [id(model[1].weight), id(model[1].bias)]}


def test_each_group_learns_at_its_own_rate(tmp_path):
    torch.manual_seed(0)
    model = nn.ModuleDict({"slow": nn.Linear(1, 1), "fast": nn.Linear(1, 1)})
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    schedule = Schedule(steps=1, rate=0.1, warm_up=1, weight_decay=0.0, gradient_norm=1e9)
    trainer = Trainer(model, schedule, RunFolder(tmp_path), lambda name: 0.001 if "slow" in name else 0.1)

    def loss(model, step):
        return model["slow"](torch.ones(1, 1)).sum() + model["fast"](torch.ones(1, 1)).sum(), {}

    trainer.run(plainly(model, 0, loss))
    moved = {name: (p - before[name]).abs().item() for name, p in model.named_parameters()}
    assert moved["slow.weight"] == pytest.approx(0.001, rel=1e-3)
    assert moved["fast.weight"] == pytest.approx(0.1, rel=1e-3)


def test_the_average_follows_the_weights(tmp_path):
    trainer, seen = make_trainer(tmp_path, steps=150, average=0.9, save_every=1000), []
    run(trainer, learn=lambda model, step: seen.append(model.weight.item()) or square(model, step))
    average, weight = trainer.average["weight"].item(), trainer.inner.weight.item()
    assert min(seen[-50:]) <= average <= max(seen[-50:]) and weight != average


def test_averages_take_the_place_of_the_weights_only_for_a_while(tmp_path):
    trainer = run(make_trainer(tmp_path))
    weight = trainer.inner.weight.item()
    with pytest.raises(PowerCutError), trainer.averaged():
        assert trainer.inner.weight.item() == trainer.average["weight"].item() != weight
        raise PowerCutError
    assert trainer.inner.weight.item() == weight


def test_the_log_tells_means_and_the_norm_of_the_gradient(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "drc"):
        records = run(make_trainer(tmp_path, steps=5)).run_folder.read_log()
    assert [record["step"] for record in records] == [2, 4, 5]
    assert [record["step_twice"] for record in records] == [1, 5, 8]
    assert all(record["gradient"] > 0 and record["rate"] > 0 and record["seconds"] >= 0 for record in records)
    assert "step 4" in caplog.text


def test_the_gradient_is_clipped_but_logged_as_it_was(tmp_path):
    trainer = make_trainer(tmp_path, steps=1, gradient_norm=0.01, save_every=1000)
    seen = []
    clip = trainer.processes.clip

    def watched(parameters, norm):
        parameters = list(parameters)
        before = clip(parameters, norm)
        seen.append(torch.cat([p.grad.flatten() for p in parameters]).norm().item())
        return before

    trainer.processes.clip = watched
    run(trainer, learn=lambda model, step: (100 * square(model, step)[0], {}))
    assert seen[0] == pytest.approx(0.01, rel=1e-3) and trainer.run_folder.read_log()[-1]["gradient"] > 1


def test_a_killed_run_logs_no_step_twice(tmp_path):
    for stop in (3, 5, None):
        with open(tmp_path / "log.jsonl", "a") as file:
            file.write('{"step": 8, "seconds": 1.0}\n{"step": 1')
        trainer = make_trainer(tmp_path)
        if stop is None:
            run(trainer)
        else:
            with pytest.raises(PowerCutError):
                run(trainer, stop_at=stop)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [2, 4, 6]


def test_a_run_that_takes_no_step_is_an_error(tmp_path):
    run(make_trainer(tmp_path / "run"))
    log = (tmp_path / "run" / "log.jsonl").read_bytes()
    with pytest.raises(TrainingError) as error:
        run(make_trainer(tmp_path / "run"))
    assert str(error.value) == (
        "the run run took no step: it already took 6 of 6; raise steps, or turn resume off to begin a new run"
    )
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == log
    with pytest.raises(TrainingError, match="took no step"):
        run(make_trainer(tmp_path / "none", steps=0))


def test_more_steps_go_on_from_a_finished_run(tmp_path):
    run(make_trainer(tmp_path))
    trainer = make_trainer(tmp_path, steps=8)
    assert trainer.step == 6 and run(trainer).step == 8


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_whatever_stops_it_the_last_whole_step_is_saved(tmp_path, stop):
    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path), stop_at=stop)
    assert RunFolder(tmp_path).steps()[-1] == stop
    assert RunFolder(tmp_path).load(stop).header["step"] == str(stop)


@pytest.fixture
def hold(monkeypatch):
    """Has the disk take nothing of the checkpoint of a step until the event is set that it returns."""

    def begin(step, error=None):
        released = threading.Event()

        def sync(file):
            if f"{UNFINISHED}{step:06d}" in file.name:
                assert released.wait(60)
                if error is not None:
                    raise error

        monkeypatch.setattr("drc.files.sync", sync)
        return released

    return begin


def nothing():
    pass


def test_who_stops_it_does_not_wait_for_the_disk_and_nothing_is_lost(tmp_path, hold):
    released, start = hold(5), time.monotonic()
    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path), stop_at=5, on_part=nothing)
    assert time.monotonic() - start < 10
    folder = RunFolder(tmp_path)
    assert folder.steps() == [2, 4] and folder.reached() == 5
    with pytest.raises(PowerCutError):
        settle(tmp_path, stop)  # another training that is stopped while it waits
    released.set()
    settle(tmp_path)
    assert folder.steps() == [4, 5] and folder.load(5).header["step"] == "5"
    assert run(make_trainer(tmp_path)).step == 6


def test_it_is_stopped_while_a_slow_disk_takes_a_checkpoint(tmp_path, hold):
    released, trainer, asked = hold(2), make_trainer(tmp_path), []

    def on_part():
        asked.append(trainer.step)
        stop()

    start = time.monotonic()
    with pytest.raises(PowerCutError):
        run(trainer, on_part=on_part)
    assert time.monotonic() - start < 10 and asked == [2]
    assert RunFolder(tmp_path).steps() == [] and RunFolder(tmp_path).reached() == 2
    released.set()
    settle(tmp_path)
    assert RunFolder(tmp_path).steps() == [2] and RunFolder(tmp_path).load(2).header["step"] == "2"


def test_a_disk_that_is_full_once_nobody_waits_says_so_in_the_log(tmp_path, hold, caplog):
    released = hold(5, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path), stop_at=5, on_part=nothing)
    released.set()
    settle(tmp_path)
    assert RunFolder(tmp_path).steps() == [2, 4] and not list(tmp_path.glob(f"{UNFINISHED}*"))
    assert "checkpoint of step 5 could not be written" in caplog.text and "make room on that disk" in caplog.text


def test_stopped_in_the_first_step_there_is_nothing_to_save(tmp_path):
    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path), stop_at=0)
    assert RunFolder(tmp_path).steps() == []


def test_a_step_that_is_half_taken_is_not_saved(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, save_every=1000)

    def half_a_step():
        trainer.inner.weight.data.add_(1)
        raise PowerCutError

    def on_step(trainer):
        if trainer.step == 3:
            trainer.save()
        if trainer.step == 4:
            monkeypatch.setattr(trainer.optimizer, "step", half_a_step)

    with pytest.raises(PowerCutError):
        run(trainer, on_step=on_step)
    assert RunFolder(tmp_path).steps() == [3]


def test_on_step_stops_before_the_next_step(tmp_path):
    asked = []

    def on_step(trainer):
        asked.append(trainer.step)
        if trainer.step == 3:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path), on_step=on_step)
    assert asked == [0, 1, 2, 3] and RunFolder(tmp_path).steps()[-1] == 3


def test_a_gradient_that_is_not_a_number_stops_it(tmp_path):
    def learn(model, step):
        loss, numbers = square(model, step)
        if step == 3:
            loss = loss + (model.weight.sum() * 0).sqrt()  # 0, with a slope that is none
        return loss, numbers

    with pytest.raises(TrainingError) as error:
        run(make_trainer(tmp_path), learn=learn)
    assert str(error.value) == (
        "the gradient became nan at step 3; the checkpoint of step 3 is the last good one; lower the learning rate"
    )
    state = RunFolder(tmp_path).load(3)
    assert all(tensor.isfinite().all() for tensor in state.tensors.values())
    trainer = run(make_trainer(tmp_path))  # as after a lower rate
    assert trainer.step == 6


def test_validation_sees_the_averages_at_its_steps_and_at_the_end(tmp_path):
    trainer, seen = make_trainer(tmp_path, steps=5, validate_every=2), []

    def validate(trainer):
        assert trainer.inner.weight.item() == trainer.average["weight"].item()
        seen.append(trainer.step)
        return {"validation_loss": 1.0, "other": 2.0}

    run(trainer, validate=validate)
    assert seen == [2, 4, 5]
    records = [record for record in trainer.run_folder.read_log() if "validation_loss" in record]
    assert [(record["step"], record["other"]) for record in records] == [(2, 2.0), (4, 2.0), (5, 2.0)]


def test_a_validation_that_was_stopped_is_made_up_for(tmp_path):
    seen = []

    def validate(trainer):
        seen.append(trainer.step)
        if len(seen) == 1:
            raise PowerCutError
        return {"validation_loss": 1.0}

    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path, validate_every=3), validate=validate)
    trainer = run(make_trainer(tmp_path, validate_every=3), validate=validate)
    assert seen == [3, 3, 6]
    assert [record["step"] for record in trainer.run_folder.read_log() if "validation_loss" in record] == [3, 6]


LOSSES = [5.0, 3.0, 4.0, 3.5, 3.2]


def test_patience_ends_it_and_keeps_the_best_checkpoint(tmp_path):
    trainer = make_trainer(tmp_path / "run", steps=100, validate_every=3, patience=3, save_every=1)
    run(trainer, validate=validating(LOSSES))
    assert (trainer.step, trainer.best_step, trainer.best) == (15, 6, 3.0)
    folder = RunFolder(tmp_path / "run")
    assert folder.steps() == [6, 14, 15] and (folder.path(6) / STATE).is_file()
    with pytest.raises(TrainingError) as error:
        run(make_trainer(tmp_path / "run", steps=100, validate_every=3, patience=3))
    assert str(error.value) == (
        "the run run took no step: it stopped early at 15 of 100, as validation was best at step 6; raise patience, "
        "or turn resume off to begin a new run"
    )
    more = make_trainer(tmp_path / "run", steps=100, validate_every=3, patience=4)
    run(more, validate=validating([3.1, 9.0]))
    assert (more.step, more.best_step) == (18, 6)


def test_patience_counts_over_an_interruption(tmp_path):
    settings = {"steps": 100, "validate_every": 3, "patience": 3}
    with pytest.raises(PowerCutError):
        run(make_trainer(tmp_path, **settings), stop_at=10, validate=validating(LOSSES))
    trainer = run(make_trainer(tmp_path, **settings), validate=validating(LOSSES[3:]))
    assert (trainer.step, trainer.best_step, trainer.best) == (15, 6, 3.0)


def test_without_patience_no_checkpoint_is_kept_for_being_the_best(tmp_path):
    trainer = make_trainer(tmp_path, steps=12, validate_every=3)
    run(trainer, validate=validating(LOSSES))
    assert trainer.step == 12 and RunFolder(tmp_path).steps() == [10, 12]


def test_the_best_so_far_is_unknown_at_first(tmp_path):
    trainer = make_trainer(tmp_path)
    assert math.isinf(trainer.best) and trainer.last_good() == "nothing was saved"
