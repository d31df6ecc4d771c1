"""Trains the comparison, the entangled model, on what stage 2 of DRC learns from, validated as DRC is."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from drc.data.built import EmojiBenchmark
from drc.model import DRC
from drc.seeds import generator_from, seed_of
from drc.train.checkpoints import RunFolder
from drc.train.config import Conditioning, Schedule
from drc.train.data.batches import Batches
from drc.train.data.built import built_data
from drc.train.data.codes import CodeCache
from drc.train.data.conditioning import draw_batch
from drc.train.data.training_data import TrainingData
from drc.train.gradients import GradientStep
from drc.train.loop import Trainer
from drc.train.machine.memory import QUICKEST, quick_attention
from drc.train.machine.precision import precision_of
from drc.train.machine.processes import OneProcess
from drc.train.objectives.entangled import EXTRA_LAYERS, EntangledDRC, EntangledObjective
from drc.train.validation import gaps

from .deeper import silence
from .recipes import recipe

HISTORY = recipe("stage2")["training"]["history"]  # pictures at most


def entangled(base: DRC, trained: bool = False, seed: int = 0) -> EntangledDRC:
    """An entangled model with sizes and tokeniser of `base`, and, `trained`, the language model that `base` has."""
    torch.manual_seed(seed)
    model = EntangledDRC(base.config)
    model.lmm.vision = base.lmm.vision  # codes that look alike start alike
    model.initialise()
    if trained:
        model.lmm.load_state_dict(base.lmm.state_dict(), strict=False)
        for layer in list(model.lmm.layers())[-EXTRA_LAYERS:]:
            silence(layer.self_attn.o_proj, layer.mlp.down_proj)
    return model


def emoji_data(folder: Path, base: DRC, own_share: float, seed: int) -> TrainingData:
    """What stage 2 learns from on the emoji benchmark."""
    return built_data(EmojiBenchmark.open(folder), own_share, base.words, base.lmm.text_slots, seed)


def is_complete(run: RunFolder, steps: int) -> bool:
    return max(run.steps(), default=0) >= steps


def learn_entangled(
    options: argparse.Namespace,
    begin: Callable[[], tuple[EntangledDRC, TrainingData]],
    run: RunFolder,
    cache: Path,
    schedule: Schedule,
    processes: OneProcess,
    micro_batch: int = 0,
) -> None:
    """Trains what `begin` gives in `run`, on from its last checkpoint if it has one; codes are kept in `cache`.

    Of `options` batch, precision and compile count. A run that is complete is not even begun.
    """
    if is_complete(run, schedule.steps):
        return
    model, data = begin()
    device, seed, rows = processes.device, schedule.seed, model.rows.config.rows
    codes = CodeCache(cache, model.lmm.vision).codes(data.pictures, device)
    batches, validation = data.batches(codes, options.batch, seed)
    model.lmm.drop_vision()
    model.to(device)
    model.lmm.tie()
    objective = EntangledObjective(model, precision_of(options.precision, device), options.compile)
    trainer = Trainer(objective, schedule, run, processes=processes)

    def batch_of(step):
        random, even = generator_from(seed_of(seed, step)), torch.full((4,), 0.25)
        return draw_batch(
            batches.personal(step, HISTORY), Conditioning(), model.lmm.blank_code, rows, even, 1.0, random
        )

    def validate(trainer):
        return validation_numbers(trainer.model, validation, rows, device)

    micro_batch = micro_batch or QUICKEST.get(device.type, 0)
    gradient_step = GradientStep(trainer.model, batch_of, processes, micro_batch=micro_batch)
    with quick_attention(device):
        trainer.run(gradient_step, validate=validate)


def validation_numbers(
    objective: EntangledObjective, validation: dict[str, Batches], rows: int, device: torch.device
) -> dict[str, float]:
    """The gaps that a training of DRC notes in its log; its validation loss is the mean of those of fed codes."""
    blank = objective.model.lmm.blank_code
    found = {
        name: gaps(objective, batches.personal(0, HISTORY), blank, rows, device) for name, batches in validation.items()
    }
    numbers = {f"{name}_{key}": value for name, its_gaps in found.items() for key, value in its_gaps.items()}
    return numbers | {"validation_loss": float(np.mean([its_gaps["ar_right"] for its_gaps in found.values()]))}
