"""The training batch of a step: pictures -> codes -> what is dropped, masked, blanked and left unread."""

import torch
from torch import Tensor

from ..seeds import generator_from, seed_of
from .config import TrainingConfig
from .data.batches import BatchCodes, Batches
from .data.conditioning import TrainingBatch, draw_batch
from .objectives.importance import COMBINATIONS, ImportanceSampler
from .objectives.stages import Objective, language_share

EVEN = torch.full((len(COMBINATIONS),), 1 / len(COMBINATIONS))


class TrainingBatches:
    """Called with a step it gives the step's batch, on the CPU; all follows from (seed, step), and in stage 1 from what
    `sampler` has found until then."""

    def __init__(
        self,
        training: TrainingConfig,
        batches: Batches,
        objective: Objective,
        sampler: ImportanceSampler | None = None,
    ):
        self.training, self.batches, self.sampler = training, batches, sampler
        self.blank, self.rows = objective.drc.lmm.blank_code, objective.drc.config.tower.rows
        # Without an auxiliary head a sample that the language model does not read teaches nothing.
        self.instructions_first = training.instructions_first if objective.auxiliary_head.reads else 0.0

    def __call__(self, step: int) -> TrainingBatch:
        share = language_share(step, self.training.steps, self.instructions_first)
        codes = self.codes(self.batches, step, times=1 if share == 1 else 2)
        chances = EVEN if self.sampler is None else self.sampler.chances(step)
        return self.conditioned(codes, step, chances, share)

    def held_back(self, batches: Batches) -> TrainingBatch:
        """A batch to validate on: always the same of `batches`, and the language model reads the whole."""
        return self.conditioned(self.codes(batches, 0), 0, EVEN, 1.0)

    def codes(self, batches: Batches, step: int, times: int = 1) -> BatchCodes:
        if self.training.stage == 1:
            return batches.triplets(step, times)
        return batches.personal(step, self.training.history, times)

    def conditioned(self, codes: BatchCodes, step: int, chances: Tensor, share: float) -> TrainingBatch:
        random = generator_from(seed_of(self.training.seed, step))
        return draw_batch(codes, self.training, self.blank, self.rows, chances, share, random)
