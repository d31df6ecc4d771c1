"""One training loop for everything that learns: steps, averaged weights, log, validation, checkpoint, resume.

Everything random is drawn from (seed, step), so a resumed run goes on as if it had never stopped and no generator
needs saving.
"""

import contextlib
import json
import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from ..interrupt import Heard, for_a_moment
from ..lmm.fused import apart, fused_weights
from ..parsing import parse
from ..progress import OnPart
from ..seeds import seed_of
from .checkpoints import STATE, WEIGHTS, Checkpoint, RunFolder, renamed
from .config import Schedule
from .errors import CheckpointError, DivergedError, TrainingError
from .machine.processes import OneProcess, StoppedElsewhereError, whole
from .state import State

log = logging.getLogger("drc")

Learn = Callable[[int], dict[str, float]]
"""Leaves the gradients of one step in the model; returns numbers for the log, "loss" among them."""

BETAS = (0.9, 0.95)  # of AdamW; ours
CLOCKED = ("images_per_second", "waited")  # numbers that differ between equal trainings


class Trainer:
    """Trains `model` in place and keeps a running average of its weights in `average`, which is what ships.

    `rate_of` gives each parameter's learning rate by name. `sampler` is a module whose buffers belong to the state.
    `export` makes the file with the weights, out of the averages. `identity` says what the training is of: a run
    whose checkpoint says otherwise is not resumed; `former` is what older versions said of the same, by the same names.
    A run folder that holds a checkpoint is resumed at its last one.
    """

    def __init__(
        self,
        model: nn.Module,
        schedule: Schedule,
        run: RunFolder,
        rate_of: Callable[[str], float] | None = None,
        sampler: nn.Module | None = None,
        export: Callable[["Trainer"], Checkpoint] | None = None,
        identity: dict[str, str] | None = None,
        processes: OneProcess | None = None,
        former: dict[str, str] | None = None,
    ):
        self.schedule, self.run_folder, self.export = schedule, run, export
        self.identity, self.former, self.processes = identity or {}, former or {}, processes or OneProcess()
        groups = parameter_groups(model, schedule, rate_of or (lambda name: schedule.rate))
        self.inner = model
        self.model, self.optimizer = self.processes.prepare(model, groups, BETAS)
        self.named = {name: p for name, p in self.inner.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self.named.items()}
        self.state = State(self.inner, self.named, self.optimizer, sampler)
        self.step, self.seconds, self.saved = 0, 0.0, -1
        self.best, self.best_step, self.validated = math.inf, 0, 0
        self.validation_seconds = 0.0  # that the last validation took
        self.seen: dict[str, list[float]] = {}
        self.recent: dict[str, float] = {}  # the numbers of the last steps, smoothed; "seconds" is that of a step
        self.between_steps = True
        self.on_part: OnPart | None = None
        if self.processes.main:
            run.tidy()
        if self.last_step():
            self.resume(self.last_step())
        elif self.processes.main:
            run.cut_log(0)  # of a run that was killed before its first checkpoint

    def run(
        self,
        learn: Learn,
        on_step: Callable[["Trainer"], None] | None = None,
        validate: Callable[["Trainer"], dict[str, float]] | None = None,
        on_part: OnPart | None = None,
    ) -> None:
        """Trains to the last step, or until validation has not improved for long enough.

        `on_step` is called before every step and may raise, on any process, to stop. `validate` is called with the
        averaged weights in place; its "validation_loss" decides. `on_part` is called while the disk takes a checkpoint
        and may raise to stop, too. However the training ends, its last whole step is saved.
        """
        self.on_part = on_part
        if self.finished():
            raise TrainingError(f"the run {self.run_folder.folder.name} took no step: {self.why_finished()}")
        self.clock = time.monotonic()
        try:
            while True:
                if validate is not None and self.must_validate():
                    self.validate(validate)
                finished = self.finished()
                if self.unsaved() and (finished or self.step % self.schedule.save_every == 0):
                    self.save()
                if finished:
                    break
                if on_step is not None:
                    self.ask(on_step)
                self.take_step(learn)
        except (CheckpointError, StoppedElsewhereError):
            raise
        except BaseException as error:  # power button, out of memory: whatever it is, nothing is lost
            self.save_after(error, together=isinstance(error, DivergedError))
            if isinstance(error, DivergedError):
                raise TrainingError(f"{error}; {self.last_good()}; lower the learning rate") from error
            raise

    def ask(self, on_step: Callable[["Trainer"], None]) -> None:
        """Whether to go on; one process that will not stops them all, after the same step."""
        try:
            with self.processes.together():
                on_step(self)
        except BaseException as error:
            self.save_after(error, together=True)
            raise

    def finished(self) -> bool:
        patience = self.schedule.patience * self.schedule.validate_every
        return self.step >= self.schedule.steps or (patience > 0 and self.validated - self.best_step >= patience)

    def why_finished(self) -> str:
        steps = self.schedule.steps
        if self.step >= steps:
            return f"it already took {self.step} of {steps}; raise steps, or turn resume off to begin a new run"
        return (
            f"it stopped early at {self.step} of {steps}, as validation was best at step {self.best_step}; raise "
            "patience, or turn resume off to begin a new run"
        )

    def must_validate(self) -> bool:
        """Also after a resume, where the former run was stopped while it validated."""
        due = self.step % self.schedule.validate_every == 0 or self.step == self.schedule.steps
        return due and self.step > self.validated

    def take_step(self, learn: Learn) -> None:
        factor = self.schedule.factor_at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["base"]
        self.optimizer.zero_grad()
        numbers = learn(self.step)
        norm = float(self.processes.clip(self.named.values(), self.schedule.gradient_norm))
        if not math.isfinite(norm):
            raise DivergedError(f"the gradient became {norm} at step {self.step}")
        self.between_steps = False
        self.optimizer.step()
        self.step += 1
        self.update_average()
        self.between_steps = True
        now = time.monotonic()
        took, self.clock = now - self.clock, now
        self.seconds += took
        for name, value in (numbers | {"seconds": took}).items():
            self.recent[name] = 0.9 * self.recent.get(name, float(value)) + 0.1 * float(value)
        self.count(numbers | {"gradient": norm, "rate": factor * self.schedule.rate})

    def count(self, numbers: dict[str, float]) -> None:
        """Collects the numbers of a step, and notes their means now and then."""
        for name, value in numbers.items():
            self.seen.setdefault(name, []).append(float(value))
        if self.step % self.schedule.log_every == 0 or self.step == self.schedule.steps:
            self.note({name: sum(values) / len(values) for name, values in self.seen.items()})
            self.seen = {}

    @torch.no_grad()
    def update_average(self) -> None:
        keep = min(self.schedule.average, self.step / (self.step + 10))
        for name, parameter in self.named.items():
            self.average[name].lerp_(parameter.detach(), 1 - keep)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Puts the averages in the place of the weights for a while."""
        weights = {name: parameter.detach().clone() for name, parameter in self.named.items()}
        try:
            self.take(self.average)
            yield
        finally:
            self.take(weights)

    def averages_in(self, module: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """`state` of a part of the model, whole, with averages in the place of what is trained; not copied."""
        self.processes.forget_gathered(self.model)
        names = {id(parameter): name for name, parameter in self.named.items()}
        found = module.named_parameters(remove_duplicate=False)
        averages = {name: whole(self.average[names[id(one)]]) for name, one in found if id(one) in names}
        averages = apart(averages, fused_weights(module))
        return {name: averages[name] if name in averages else whole(one.detach()) for name, one in state.items()}

    @torch.no_grad()
    def take(self, weights: dict[str, Tensor]) -> None:
        self.processes.forget_gathered(self.model)
        for name, parameter in self.named.items():
            parameter.copy_(weights[name])

    def validate(self, function: Callable[["Trainer"], dict[str, float]]) -> None:
        start = time.monotonic()
        with self.averaged():
            numbers = function(self)
        self.note(numbers)
        self.validated = self.step
        loss = float(
            self.processes.gather(torch.tensor([numbers["validation_loss"]], dtype=torch.float64))[0]
        )  # all decide alike
        if loss < self.best:
            self.best, self.best_step = loss, self.step
            if self.schedule.patience > 0:
                self.save()
        self.validation_seconds = time.monotonic() - start
        self.clock += self.validation_seconds  # a step's time is a step's

    def seconds_left(self) -> float:
        """Until the last step, at the speed of the last ones and of the last validation; 0 before the first."""
        steps = (self.schedule.steps - self.step) * self.recent.get("seconds", 0.0)
        return steps + self.validations_left() * self.validation_seconds

    def validations_left(self) -> int:
        steps, every = self.schedule.steps, self.schedule.validate_every
        return -(-steps // every) - self.step // every  # the last step is looked at, too

    def note(self, numbers: dict[str, float]) -> None:
        if not self.processes.main:
            return
        rounded = {name: round(value, 5) for name, value in numbers.items()}
        record = {"step": self.step, "seconds": round(self.seconds, 1), **rounded}
        self.run_folder.append_log(record)
        log.info(" ".join(f"{name} {value}" for name, value in record.items()))

    def unsaved(self) -> bool:
        return self.step > max(self.saved, 0)

    def save_after(self, error: BaseException, together: bool) -> None:
        """Keeps the last whole step of a training that was stopped, on all processes `together` or on this one; then
        shards of the others are out of reach."""
        if self.between_steps and self.unsaved() and (together or not self.processes.sharded):
            traceback.clear_frames(error.__traceback__)  # a pass that ran out of memory holds it until then
            self.optimizer.zero_grad()
            self.save(together, wait=False)

    def last_good(self) -> str:
        return f"the checkpoint of step {self.saved} is the last good one" if self.saved > 0 else "nothing was saved"

    def save(self, together: bool = True, wait: bool = True) -> None:
        """Every process puts the tensors together; one writes them. Not `together`: none waits for the others. It is
        written in any case, see `RunFolder.save`; whoever gave `on_part` waits no longer than until it raises
        something, and not `wait` only for a moment."""
        heard = Heard(self.on_part)
        files = {STATE: Checkpoint(as_stored(self.state.tensors(self.average)), self.header())}
        if self.export is not None:
            files[WEIGHTS] = self.export(self)
        goes_on = heard.goes_on if wait or self.on_part is None else for_a_moment()
        self.saved = self.step  # whatever stops the waiting
        with self.processes.together() if together else contextlib.nullcontext():
            if self.processes.main:
                protect = {self.best_step} if self.schedule.patience > 0 else set()
                self.run_folder.save(self.step, files, protect, goes_on)
        heard.stop()

    def header(self) -> dict[str, str]:
        best = {"best": repr(self.best), "best_step": str(self.best_step), "validated": str(self.validated)}
        seen = json.dumps({name: values for name, values in self.seen.items() if name not in CLOCKED})
        return {"step": str(self.step), "seed": str(self.schedule.seed), "seen": seen, **best, **self.identity}

    def progress_of(self, step: int, header: dict[str, str]) -> tuple[float, int, int, dict[str, list[float]]]:
        """What `header` made of best, best_step, validated and seen; TrainingError for what it did not make."""
        try:
            best, steps = float(header["best"]), [int(header[name]) for name in ("best_step", "validated")]
            if math.isnan(best) or not all(0 <= number <= step for number in steps):
                raise ValueError("its best validation is none")
            seen = parse(header["seen"])
            if not all(isinstance(values, list) and all(map(is_number, values)) for values in seen.values()):
                raise ValueError("what was seen since the last note is no list of numbers")
            return best, *steps, renamed(seen)
        except KeyError as error:
            raise self.run_folder.damaged(step, ValueError(f"it lacks {error.args[0]}")) from error
        except ValueError as error:
            raise self.run_folder.damaged(step, error) from error

    def last_step(self) -> int:
        """That of the last checkpoint, 0 where there is none."""
        last = max(self.run_folder.steps(), default=0)
        if (self.processes.gather(torch.tensor([last])) != last).any():
            raise TrainingError(
                f"the run {self.run_folder.folder.name} has other checkpoints on one machine than on another; put it "
                "in a folder that they share"
            )
        return last

    def resume(self, step: int) -> None:
        with self.processes.together():
            header = self.run_folder.header(step)
            for name, value in self.identity.items():
                if header.get(name) not in (value, self.former.get(name, value)):
                    raise TrainingError(
                        f"the run {self.run_folder.folder.name} cannot be resumed: it was begun with another {name}; "
                        "choose the former one, or turn resume off to begin a new run"
                    )
            progress = self.progress_of(step, header)
            tensors = self.run_folder.load(step, self.state.shapes()).tensors
        self.take(self.state.of("weights", tensors))
        self.average = self.state.of("average", tensors)
        try:
            self.state.restore(tensors)
        except ValueError as error:
            raise self.run_folder.damaged(step, error) from error
        self.step = self.saved = step
        self.best, self.best_step, self.validated, self.seen = progress
        if self.processes.main:
            self.run_folder.cut_log(step, self.validated)
        self.processes.wait()
        self.seconds = max((record.get("seconds", 0.0) for record in self.run_folder.read_log()), default=0.0)
        log.info("resumed %s at step %d", self.run_folder.folder, step)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def parameter_groups(model: nn.Module, schedule: Schedule, rate_of: Callable[[str], float]) -> list[dict]:
    """Trained parameters by rate and weight decay: only matrices decay."""
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = schedule.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate_of(name), decay), []).append(parameter)
    return [
        {"params": parameters, "base": rate, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def as_stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """For a file, which takes neither shared nor strided memory: tensors that nothing changes until it is written, so
    that they are copied only where they must be, as is a module that stands under two names."""
    stored, taken = {}, set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu()
        memory = tensor.untyped_storage()
        shared = memory.nbytes() > tensor.nbytes or memory.data_ptr() in taken
        stored[name] = tensor.clone(memory_format=torch.contiguous_format) if shared else tensor.contiguous()
        taken.add(stored[name].untyped_storage().data_ptr())
    return stored


def plainly(model: nn.Module, seed: int, batch_loss: Callable[[nn.Module, int], tuple[Tensor, dict]]) -> Learn:
    """Learning from a loss alone: one pass, one process; the step seeds what is random in it."""

    def learn(step: int) -> dict[str, float]:
        torch.manual_seed(seed_of(seed, step))
        loss, numbers = batch_loss(model, step)
        loss.backward()
        return {"loss": loss.detach(), **numbers}

    return learn
