"""Does it learn, and does it listen? Losses on held-out cases, and pictures to look at."""

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..files import open_regular
from ..model import DRC
from ..pixels import to_pixels
from ..plots.sheet import contact_sheet
from ..progress import OnPart, Tell
from .checkpoints import SAMPLES, RunFolder
from .data.batches import BatchCodes, Batches
from .data.conditioning import TrainingBatch, plain_batch
from .loop import Trainer
from .machine.memory import QUICKEST
from .machine.precision import autocast
from .machine.processes import OneProcess
from .objectives.stages import Losses
from .training_batches import TrainingBatches

CHUNK = 8  # samples in one pass, where a training does not choose another number
SCORES = {"validation_loss": "loss", "style_score": "blind_wrong_history", "semantic_score": "blind_wrong_reference"}


class Validation:
    """Called with a trainer, whose averages are in place: losses and gaps of every set of held-out cases, and pictures
    drawn for the first of them.

    `vision` turns codes into pictures. tell(what, done, total) is told of every pass and code; on_samples(sheet) of
    pictures drawn, uint8 [H, W, 3].
    """

    def __init__(
        self,
        sets: dict[str, Batches],
        batches: TrainingBatches,
        drc: DRC,
        vision: nn.Module,
        run: RunFolder,
        processes: OneProcess,
        tell: Tell | None = None,
        on_samples: Callable[[np.ndarray], None] | None = None,
    ):
        self.sets, self.batches, self.training = sets, batches, batches.training
        self.drc, self.vision, self.run_folder, self.processes = drc, vision, run, processes
        self.tell, self.on_samples = tell, on_samples

    def __call__(self, trainer: Trainer) -> dict[str, float]:
        device, numbers = self.processes.device, {}
        passed = Counted(sum(passes(batches, device) for batches in self.sets.values()), self.tell)
        for name, batches in self.sets.items():
            numbers[f"{name}_loss"] = fixed_loss(trainer.model, self.batches.held_back(batches), device, passed)
            codes = batches.personal(0, self.training.history)
            its_gaps = gaps(trainer.model, codes, self.batches.blank, self.batches.rows, device, passed)
            numbers |= {f"{name}_{key}": value for key, value in its_gaps.items()}
        for total, part in SCORES.items():
            numbers[total] = float(np.mean([numbers[f"{name}_{part}"] for name in self.sets]))
        sharded = any(hasattr(parameter, "full_tensor") for parameter in self.drc.parameters())
        if self.training.samples and self.processes.main and not sharded and self.drc.lmm.draws_pixels:
            self.show(trainer.step)
        return numbers

    def show(self, step: int) -> None:
        codes = next(iter(self.sets.values())).personal(0, self.training.history)
        some = BatchCodes(*(tensor[: self.training.samples] for tensor in vars(codes).values()))
        rows = draw_samples(self.drc, self.vision, some, self.processes.device, self.tell)
        history = max(map(len, rows)) - 3
        rows = [[*row[:-3], *[None] * (history + 3 - len(row)), *row[-3:]] for row in rows]
        sheet = contact_sheet(rows, ["history", *[""] * (history - 1), "reference", "drawn", "true"])
        name = f"{SAMPLES}/step-{step:06d}.png"
        self.run_folder.write(name, lambda path: Image.fromarray(sheet).save(path, "PNG"))
        if self.on_samples is not None:
            self.on_samples(sheet)


def read_samples(run: RunFolder, on_part: OnPart | None = None) -> list[np.ndarray]:
    """The sheets of samples of a run that have the size of the last; what is none is passed over."""
    sheets, damaged = [], (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
    for path in sorted((run.folder / SAMPLES).glob("step-*.png")):
        if on_part is not None:
            on_part()
        with contextlib.suppress(*damaged), open_regular(path) as file:
            sheets.append(np.array(Image.open(file).convert("RGB")))
    return [sheet for sheet in sheets if sheet.shape == sheets[-1].shape]


class Counted:
    """Counts passes through chunks, and tells of each; whoever is told may raise to stop."""

    def __init__(self, total: int, tell: Tell | None = None):
        self.done, self.total, self.tell = 0, total, tell

    def __call__(self) -> None:
        self.done += 1
        if self.tell is not None:
            self.tell("validating", self.done, self.total)


def chunk_on(device: torch.device | str) -> int:
    return QUICKEST.get(torch.device(device).type, CHUNK)


def passes(batches: Batches, device: torch.device | str) -> int:
    """Through the model, in a validation on a set of cases: one of each chunk for the loss, six for the gaps."""
    return 7 * -(-batches.batch // chunk_on(device))


@torch.no_grad()
def gaps(
    objective: nn.Module,
    codes: BatchCodes,
    blank: int,
    semantic_rows: int,
    device: torch.device | str = "cpu",
    on_pass: OnPart | None = None,
) -> dict:
    """Do reference and history count? Loss with the right ones, and how much a wrong one adds, in nats per code.

    "ar" feeds the true codes, "blind" feeds none (all `blank`); the wrong reference or history is the next case's of
    the batch. `semantic_rows` are those of a reference. Stage 1 is asked for its combination (a, a).
    """
    plain = plain_batch(codes, semantic_rows)
    pairs = {
        "right": plain,
        "wrong_reference": dataclasses.replace(
            plain, reference=plain.reference.roll(1, 0), second_view=plain.second_view.roll(1, 0)
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
    objective: nn.Module, batch: TrainingBatch, device: torch.device | str, on_pass: OnPart | None = None
) -> float:
    """The training's own loss on a batch that is always the same."""
    losses = losses_of(objective, batch, device, on_pass)
    return float(losses.tokens.mean() + losses.auxiliary.mean())


def losses_of(
    objective: nn.Module, batch: TrainingBatch, device: torch.device | str, on_pass: OnPart | None = None
) -> Losses:
    """The losses of a batch that is read as a whole, a few samples in one pass, after each of which `on_pass` is
    called."""
    found, chunk = [], chunk_on(device)
    for first in range(0, len(batch), chunk):
        found.append(objective(batch.part(slice(first, first + chunk)).to(device)))
        if on_pass is not None:
            on_pass()
    return Losses(torch.cat([one.tokens for one in found]), torch.cat([one.auxiliary for one in found]))


@torch.no_grad()
def draw_samples(
    drc: DRC,
    vision: nn.Module,
    codes: BatchCodes,
    device: torch.device | str,
    tell: Tell | None = None,
) -> list[list[np.ndarray]]:
    """What the model draws for the cases of a batch, as Generate draws it untouched; training dropped the model's own
    vision.

    Returns a row of pictures for each case, uint8 [S, S, 3]: history, reference, drawn, true. A picture that a small
    set gave to a history more than once is in it once. `vision` turns codes into pictures, on the CPU.
    `tell(what, done, total)` is told of every code.
    """
    seeds, total = range(len(codes.target)), drc.lmm.picture_codes
    on_code = None if tell is None else lambda done, codes: tell("drawing samples", done, total)
    with autocast(device, drc.lmm.embed(codes.target[:1].to(device)).dtype):  # a frozen base may be in bfloat16
        histories = [distinct(history) for history in codes.history.to(device)]
        given = list(map(drc.style, histories)), list(map(drc.semantics, codes.reference.to(device)))
        drawn = drc.draw(*given, seeds=seeds, on_code=on_code, as_codes=True).cpu()
    rest = torch.stack((codes.reference, drawn, codes.target), dim=1)
    rows = [torch.cat((history.cpu(), row)) for history, row in zip(histories, rest, strict=True)]
    return [list(to_pixels(vision.decode(row))) for row in rows]


def distinct(codes: Tensor) -> Tensor:
    """The rows of codes [n, N], each once, in their order."""
    return codes.new_tensor(list(dict.fromkeys(map(tuple, codes.tolist()))))
