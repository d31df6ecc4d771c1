"""The two objectives of DRC: disentanglement learning (stage 1) and personalised modelling (stage 2).

Both rebuild a picture's codes through the language model from instructions: token cross-entropy, read twice (see
ReadOut). A small language model learns to guess a code from its neighbours and never looks at the instruction, so a
random share of the codes it is fed is blanked (`lessons.blanked`). Nothing here is random: a lesson brings it all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import DRC
from .lessons import Lesson
from .precision import autocast

INSTRUCTIONS_FIRST = 0.4
"""Share of a stage in which the language model reads one sample in four and the batch is twice as large: the read-out
costs a quarter of a pass through the language model, and instructions that tell nothing cannot teach it."""


def language_share(step: int, steps: int, instructions_first: float = INSTRUCTIONS_FIRST) -> float:
    """Share of a batch that goes through the language model."""
    return 1 / 4 if step < instructions_first * steps else 1.0


@dataclass(frozen=True)
class Losses:
    """Mean token losses in nats per code: tokens [b] of the samples that the language model read, read_out [B]."""

    tokens: Tensor
    read_out: Tensor


class ReadOut(nn.Module):
    """Codes of a canvas cell straight from its instruction vector; only training uses it.

    The instructions get a gradient from the first step, long before the language model has found out that they are
    worth reading. This is our addition: the paper names no loss but reconstruction, and this one rebuilds the
    same codes.
    """

    def __init__(self, drc: DRC):
        super().__init__()
        width = drc.config.fusion.width
        self.side = round(drc.config.fusion.instructions**0.5)
        self.cell = drc.config.tower.grid // self.side
        self.spread = nn.Linear(width, width * self.cell**2)
        self.norm = nn.RMSNorm(width)
        nn.init.constant_(self.norm.weight, 0.3)
        if self.cell == drc.config.tower.merge:  # at first it unfolds what the towers folded
            self.spread.weight.data.copy_(drc.disentangler.rows.fold.weight.T / 4)

    def forward(self, drc: DRC, instructions: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes [B, N] given instructions [B, K, d]."""
        B, K, width = instructions.shape
        table = drc.lmm.language.model.embed_tokens.weight[: drc.lmm.config.vision.codes]
        codes = self.norm(self.spread(instructions).float().view(B, K, -1, width))
        logits = F.linear(codes, table)  # B, K, cell * cell, codes
        cells = target.view(B, self.side, self.cell, self.side, self.cell).transpose(2, 3).reshape(B, K, -1)
        return F.cross_entropy(logits.float().flatten(0, 2), cells.flatten(), reduction="none").view(B, -1).mean(dim=1)


class Objective(nn.Module):
    """A stage: how style and semantic rows come about, computed in `precision`."""

    stage: int

    def __init__(self, drc: DRC, precision: torch.dtype = torch.float32, token_losses: Callable | None = None):
        super().__init__()
        self.drc, self.precision = drc, precision
        self.read_out = ReadOut(drc)
        self.token_losses = token_losses or globals()["token_losses"]

    def rows(self, lesson: Lesson) -> tuple[Tensor, Tensor]:
        """Style rows [B, S, d] and semantic rows [B, R, d]."""
        raise NotImplementedError

    def forward(self, lesson: Lesson) -> Losses:
        drc = self.drc
        with autocast(lesson.target.device, self.precision):
            style, semantics = self.rows(lesson)
            style_bias = even_bias(style, semantics).masked_fill(lesson.no_style[:, None], float("-inf"))
            semantic_bias = torch.zeros_like(lesson.hidden, dtype=torch.float32)
            semantic_bias = semantic_bias.masked_fill(lesson.hidden, float("-inf"))
            instructions = drc.disentangler.fusion(style, semantics, style_bias, semantic_bias)
            count = int(lesson.read.sum())
            read = slice(max(count, 1))  # a lesson's read samples come first; every weight takes part in every pass
            given = lesson.text[read], instructions[read], lesson.fed[read], lesson.target[read]
            tokens = self.token_losses(drc, *given).mean(dim=1)
            # A clone, as a sharded model wants no views for results.
            return Losses(tokens[:count].clone(), self.read_out(drc, instructions, lesson.target))


class Stage1(Objective):
    """The anchor rebuilt from four combinations of what the pair (a, s) and the pair (a, m) share."""

    stage = 1

    def rows(self, lesson: Lesson) -> tuple[Tensor, Tensor]:
        heart = self.drc.disentangler
        codes = torch.stack((lesson.target, lesson.history[:, 0], lesson.reference), dim=1)
        rows = heart.rows(self.drc.lmm.embed(codes))
        anchor, same_style, same_meaning = rows.unbind(1)
        places = heart.rows.places(anchor)
        of_s = ((lesson.combination == 1) | (lesson.combination == 3))[:, None, None]
        of_m = ((lesson.combination == 2) | (lesson.combination == 3))[:, None, None]
        style = heart.style_tower(torch.where(of_s, same_style, anchor), torch.where(of_s, anchor, same_style), places)
        semantics = heart.semantic_tower(
            torch.where(of_m, same_meaning, anchor), torch.where(of_m, anchor, same_meaning), places
        )
        return style, semantics


class Stage2(Objective):
    """The user's own picture from the history's style and the reference's semantics."""

    stage = 2

    def rows(self, lesson: Lesson) -> tuple[Tensor, Tensor]:
        heart, lmm = self.drc.disentangler, self.drc.lmm
        weights = torch.ones(lesson.history.shape[1], device=lesson.target.device)
        style = heart.style(lmm.embed(lesson.history), weights).flatten(1, 2)
        return style, heart.semantics(lmm.embed(lesson.reference), lmm.embed(lesson.partner))


STAGES = {1: Stage1, 2: Stage2}


def even_bias(style: Tensor, semantics: Tensor) -> Tensor:
    """`Style.bias` [B, S] of a history whose pictures all weigh the same; style [B, n * R, d], semantics [B, R, d]."""
    return style.new_full(style.shape[:2], -math.log(style.shape[1] / semantics.shape[1]), dtype=torch.float32)


def token_losses(drc: DRC, text: Tensor, instructions: Tensor, feed: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy [B, N] of target codes when the language model is fed `feed` codes [B, N] (not the last)."""
    lmm = drc.lmm
    inputs = torch.cat((lmm.prompt(text, instructions), lmm.follow(feed[:, :-1], 0, instructions)), dim=1)
    hidden = lmm.language.hidden(inputs)[:, -target.shape[1] :]
    logits = F.linear(hidden, lmm.language.model.embed_tokens.weight[: lmm.config.vision.codes])
    return F.cross_entropy(logits.float().flatten(0, 1), target.flatten(), reduction="none").view_as(target)
