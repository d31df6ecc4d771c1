"""Does it learn, and does it listen? Losses on held-out cases, and pictures to look at."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from ..instruction import TEMPERATURE
from ..lmm.generate import Sampling
from ..model import DRC
from ..pixels import to_pixels
from .batches import BatchCodes, Batches
from .conditioning import TrainingBatch, plain_batch
from .objectives import Losses

CHUNK = 8


class Counted:
    """Counts passes through chunks, and tells of each; whoever is told may raise to stop."""

    def __init__(self, total: int, tell: Callable[[str, int, int], None] | None = None):
        self.done, self.total, self.tell = 0, total, tell

    def __call__(self) -> None:
        self.done += 1
        if self.tell is not None:
            self.tell("validating", self.done, self.total)


def passes(batches: Batches) -> int:
    """Through the model, in a validation on a set of cases: one of each chunk for the loss, six for the gaps."""
    return 7 * -(-batches.batch // CHUNK)


@torch.no_grad()
def gaps(
    objective: nn.Module,
    codes: BatchCodes,
    blank: int,
    rows: int,
    device: torch.device | str = "cpu",
    on_pass: Callable[[], None] | None = None,
) -> dict:
    """Do reference and history count? Loss with the right ones, and how much a wrong one adds, in nats per code.

    "ar" feeds the true codes, "blind" feeds none (all `blank`); the wrong reference or history is the next case's of
    the batch. `rows` are those of a reference. Stage 1 is asked for its combination (a, a).
    """
    plain = plain_batch(codes, rows)
    pairs = {
        "right": plain,
        "wrong_reference": dataclasses.replace(
            plain, reference=plain.reference.roll(1, 0), partner=plain.partner.roll(1, 0)
        ),
        "wrong_history": dataclasses.replace(plain, history=plain.history.roll(1, 0)),
    }
    numbers = {}
    for name, batch in pairs.items():
        for context, fed in {"ar": batch.target, "blind": torch.full_like(batch.target, blank)}.items():
            losses = losses_of(objective, dataclasses.replace(batch, fed=fed), device, on_pass)
            numbers[f"{context}_{name}"] = float(losses.tokens.mean())
    for context in ("ar", "blind"):
        for wrong in ("wrong_reference", "wrong_history"):
            numbers[f"{context}_{wrong}"] -= numbers[f"{context}_right"]
    return numbers


@torch.no_grad()
def fixed_loss(
    objective: nn.Module, batch: TrainingBatch, device: torch.device | str, on_pass: Callable[[], None] | None = None
) -> float:
    """The training's own loss on a batch that is always the same."""
    losses = losses_of(objective, batch, device, on_pass)
    return float(losses.tokens.mean() + losses.auxiliary.mean())


def losses_of(
    objective: nn.Module, batch: TrainingBatch, device: torch.device | str, on_pass: Callable[[], None] | None = None
) -> Losses:
    """The losses of a batch that is read as a whole, CHUNK samples in one pass, after each of which `on_pass` is
    called."""
    found = []
    for first in range(0, len(batch), CHUNK):
        found.append(objective(batch.part(slice(first, first + CHUNK)).to(device)))
        if on_pass is not None:
            on_pass()
    return Losses(torch.cat([one.tokens for one in found]), torch.cat([one.auxiliary for one in found]))


@torch.no_grad()
def draw_samples(
    drc: DRC,
    vision: nn.Module,
    codes: BatchCodes,
    device: torch.device | str,
    tell: Callable[[str, int, int], None] | None = None,
) -> list[list[np.ndarray]]:
    """What the model draws for the cases of a batch, as Generate draws it untouched.

    Returns a row of pictures for each case, uint8 [S, S, 3]: history, reference, drawn, true. `vision` turns codes into
    pictures, on the CPU. `tell(what, done, total)` is told of every code.
    """
    pairs = zip(codes.history.to(device), codes.reference.to(device), strict=True)
    made = [drc.instruct(history, reference) for history, reference in pairs]
    total = drc.lmm.picture_codes
    on_code = None if tell is None else lambda done, codes: tell("drawing samples", done, total)
    drawn = drc.draw_codes(made, list(range(len(made))), Sampling(TEMPERATURE), on_code).cpu()
    rows = torch.cat((codes.history, torch.stack((codes.reference, drawn, codes.target), dim=1)), dim=1)
    return [list(to_pixels(vision.decode(codes))) for codes in rows]
