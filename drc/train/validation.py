"""Does it learn, and does it listen? Losses on held-out cases, and pictures to look at."""

import dataclasses

import numpy as np
import torch
from torch import nn

from ..instruction import SEMANTIC_STRENGTH, STYLE_STRENGTH, TEMPERATURE
from ..lmm.generate import Sampling, generate
from ..model import DRC
from ..pixels import to_pixels
from .batches import Batch
from .lessons import Lesson, plain_lesson
from .objectives import Losses

CHUNK = 8


@torch.no_grad()
def gaps(objective: nn.Module, batch: Batch, blank: int, rows: int, device: torch.device | str = "cpu") -> dict:
    """Do reference and history count? Loss with the right ones, and how much a wrong one adds, in nats per code.

    "ar" feeds the true codes, "blind" feeds none (all `blank`); the wrong reference or history is the next case's of
    the batch. `rows` are those of a reference. Stage 1 is asked for its combination (a, a).
    """
    plain = plain_lesson(batch, rows)
    pairs = {
        "right": plain,
        "wrong_reference": dataclasses.replace(
            plain, reference=plain.reference.roll(1, 0), partner=plain.partner.roll(1, 0)
        ),
        "wrong_history": dataclasses.replace(plain, history=plain.history.roll(1, 0)),
    }
    numbers = {}
    for name, lesson in pairs.items():
        for context, fed in {"ar": lesson.target, "blind": torch.full_like(lesson.target, blank)}.items():
            losses = losses_of(objective, dataclasses.replace(lesson, fed=fed), device)
            numbers[f"{context}_{name}"] = float(losses.tokens.mean())
    for context in ("ar", "blind"):
        for wrong in ("wrong_reference", "wrong_history"):
            numbers[f"{context}_{wrong}"] -= numbers[f"{context}_right"]
    return numbers


@torch.no_grad()
def fixed_loss(objective: nn.Module, lesson: Lesson, device: torch.device | str) -> float:
    """The training's own loss on a lesson that is always the same."""
    losses = losses_of(objective, lesson, device)
    return float(losses.tokens.mean() + losses.read_out.mean())


def losses_of(objective: nn.Module, lesson: Lesson, device: torch.device | str) -> Losses:
    """The losses of a lesson that is read as a whole, CHUNK samples at once."""
    chunks = [slice(first, first + CHUNK) for first in range(0, len(lesson), CHUNK)]
    found = [objective(lesson.part(rows).to(device)) for rows in chunks]
    return Losses(torch.cat([one.tokens for one in found]), torch.cat([one.read_out for one in found]))


@torch.no_grad()
def draw_samples(drc: DRC, vision: nn.Module, batch: Batch, device: torch.device | str) -> list[list[np.ndarray]]:
    """What the model draws for the cases of a batch, as Generate draws it untouched.

    Returns a row of pictures for each case, uint8 [S, S, 3]: history, reference, drawn, true. `vision` turns codes into
    pictures, on the CPU.
    """
    weights = torch.ones(batch.history.shape[1], device=device)
    made = [
        drc.compose(
            drc.style(history.to(device), weights),
            drc.semantics(reference.to(device)),
            "",
            STYLE_STRENGTH,
            SEMANTIC_STRENGTH,
            device=device,
        )
        for history, reference in zip(batch.history, batch.reference, strict=True)
    ]
    texts, vectors = torch.stack([one.text for one in made]), torch.stack([one.vectors for one in made])
    seeds = list(range(len(made)))
    drawn = generate(drc.lmm, texts, vectors, made[0].coefficients, seeds, Sampling(TEMPERATURE)).cpu()
    rows = torch.cat((batch.history, torch.stack((batch.reference, drawn, batch.target), dim=1)), dim=1)
    return [list(to_pixels(vision.decode(codes))) for codes in rows]
