"""The gradients of one step, in micro-batches, on one process or many."""

import contextlib
import logging
import math
import time
from collections.abc import Callable

import torch

from .data.conditioning import TrainingBatch
from .errors import DivergedError
from .machine.prefetch import prefetch
from .machine.processes import OneProcess
from .objectives.importance import COMBINATIONS, ImportanceSampler

log = logging.getLogger("drc")


class GradientStep:
    """Call it with a step to leave the step's gradients in the model.

    `batch_of(step)` draws the whole batch, the same on every process; each process takes the samples that are its own.
    `micro_batch` is how many samples go through the model at once, 0 for all: where memory runs out it halves and the
    step is taken again, so the training stays the same, only slower.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        batch_of: Callable[[int], TrainingBatch],
        processes: OneProcess,
        sampler: ImportanceSampler | None = None,
        micro_batch: int = 0,
    ):
        self.model, self.processes = model, processes
        # With a sampler a batch also follows from what the step before was found to be worth.
        self.batch_of = prefetch(batch_of, processes.device) if sampler is None else batch_of
        self.sampler, self.micro_batch = sampler, micro_batch

    def __call__(self, step: int) -> dict[str, float]:
        start = time.monotonic()
        chances = None if self.sampler is None else self.sampler.chances(step)
        batch = self.batch_of(step)
        waited = time.monotonic() - start
        while True:
            try:
                tokens, auxiliary = self.gradients(batch)
                break
            except torch.cuda.OutOfMemoryError:
                most = math.ceil(len(batch) / self.processes.count)
                size = min(self.micro_batch or most, most)
                if size == 1 or self.processes.count > 1:
                    raise
                self.micro_batch = math.ceil(size / 2)
                self.model.zero_grad()
                log.info("out of memory at step %d: %d samples at once from now on", step, self.micro_batch)
        self.require_finite(step, batch, tokens, auxiliary)
        numbers = {"loss": tokens.mean() + auxiliary.mean(), "tokens": tokens.mean(), "auxiliary": auxiliary.mean()}
        if self.sampler is not None:
            # A model without an auxiliary head reads every sample.
            self.sampler.update(batch.combination, auxiliary if auxiliary.any() else tokens)
            for index, (i, j) in enumerate(COMBINATIONS):
                numbers[f"p_{i}{j}"] = chances[index]
                if self.sampler.difficulty[index] > 0:  # drawn at least once
                    numbers[f"loss_{i}{j}"] = self.sampler.difficulty[index]
        took = time.monotonic() - start
        speed = {"images_per_second": len(batch) / took, "waited": waited / took}
        return {name: float(value) for name, value in numbers.items()} | speed

    def gradients(self, batch: TrainingBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Adds up the gradients of all micro-batches; returns the losses of the whole batch, on the CPU."""
        read_all, all_samples = int(batch.read.sum()), len(batch)
        mine = batch.part(slice(self.processes.rank, None, self.processes.count))
        found = torch.full((len(mine), 2), float("nan"))
        passes = math.ceil(len(mine) / (self.micro_batch or len(mine)))
        for first in range(passes):
            samples = slice(first, None, passes)  # in strides, as the samples that are read come first
            some, last = mine.part(samples), first == passes - 1
            with contextlib.nullcontext() if last else self.processes.without_exchange(self.model):
                losses = self.model(some.to(self.processes.device))
                loss = losses.tokens.sum() / read_all + losses.auxiliary.sum() / all_samples
                self.processes.backward(loss)
            found[samples][: len(losses.tokens), 0] = losses.tokens.detach().float().cpu()
            found[samples, 1] = losses.auxiliary.detach().float().cpu()
        rows = self.processes.gather(found)
        return rows[batch.read, 0], rows[:, 1]

    def require_finite(self, step: int, batch: TrainingBatch, tokens: torch.Tensor, auxiliary: torch.Tensor) -> None:
        broken = ~auxiliary.isfinite()
        broken[: len(tokens)] |= ~tokens.isfinite()
        if not broken.any():
            return
        where = ""
        if self.sampler is not None:
            names = [f"({i}, {j})" for i, j in (COMBINATIONS[k] for k in batch.combination[broken].unique().tolist())]
            where = f" in combination {' and '.join(names)}"
        raise DivergedError(f"the loss became not a number at step {step}{where}")
