"""The two objectives of DRC: disentanglement learning (stage 1) and personalised modelling (stage 2).

Both rebuild a picture's codes through the language model from instructions: token cross-entropy, read twice (see
AuxiliaryHead). A small language model learns to guess a code from its neighbours and never looks at the instruction,
so a random share of the codes it is fed is blanked (`conditioning.blanked`). Nothing here is random: batches bring it.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...checkpoint import AUXILIARY_HEAD
from ...instruction import share_bias
from ...lmm.code_losses import code_losses
from ...model import DRC
from ...positions import layout
from ..data.conditioning import TrainingBatch
from ..errors import TrainingError
from ..machine.compiler import compiled
from ..machine.precision import autocast


def language_share(step: int, steps: int, instructions_first: float) -> float:
    """Share of a batch that goes through the language model: a quarter in the first steps, when instructions that tell
    nothing cannot teach it; the auxiliary head costs a quarter of a pass through it."""
    return 1 / 4 if step < instructions_first * steps else 1.0


@dataclass(frozen=True)
class Losses:
    """Mean token losses in nats per code: tokens [b] of the samples that the language model read, auxiliary [B]."""

    tokens: Tensor
    auxiliary: Tensor


class AuxiliaryHead(nn.Module):
    """Codes of a canvas cell straight from its instruction vector; only training uses it.

    The instructions get a gradient from the first step, long before the language model has found out that they are
    worth reading. This is our addition (METHOD.md, 4): the paper names no loss but reconstruction, and this one
    rebuilds the same codes. TrainingError where the cells of the vectors do not divide the grid of codes.
    """

    def __init__(self, drc: DRC):
        super().__init__()
        # Without positions no instruction vector has a cell of its own; and a pretrained language model, which takes
        # wider ones, need not be led to what stands in its prompt.
        self.reads = drc.config.tower.positions and not drc.config.fusion.output
        if not self.reads:
            return
        width = drc.config.fusion.width
        self.rows, self.columns = layout(drc.config.fusion.instructions)
        grid, merge = drc.config.tower.grid, drc.config.tower.merge
        if grid % self.rows or grid % self.columns:
            raise TrainingError(
                f"this model has {drc.config.fusion.instructions} instruction vectors, {self.rows} x {self.columns} on "
                f"the canvas, expected rows and columns that divide its {grid} x {grid} codes; begin with a model of "
                f"another number, such as {(grid // merge) ** 2}"
            )
        self.cell = grid // self.rows, grid // self.columns  # codes down and across
        self.spread = nn.Linear(width, width * math.prod(self.cell))
        self.norm = nn.RMSNorm(width)
        nn.init.constant_(self.norm.weight, 0.3)
        if self.cell == (merge, merge):  # at first it unfolds what the towers folded
            self.spread.weight.data.copy_(drc.disentangler.rows.fold.weight.T / 4)

    def forward(self, drc: DRC, instructions: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes [B, N] given instructions [B, K, d]; 0 where there is no head."""
        if not self.reads:
            return instructions.new_zeros(len(instructions))
        B, K, width = instructions.shape
        codes = self.norm(self.spread(instructions).float().view(B, K, -1, width))
        high, wide = self.cell
        cells = target.view(B, self.rows, high, self.columns, wide).transpose(2, 3).reshape(B, K, -1)
        return code_losses(codes.flatten(0, 2), drc.lmm.code_table(), cells.flatten()).view(B, -1).mean(dim=1)


class Objective(nn.Module):
    """A stage: how style and semantic rows come about, computed in `precision`."""

    stage: int

    def __init__(self, drc: DRC, precision: torch.dtype = torch.float32, fuse: bool = False):
        super().__init__()
        self.drc, self.precision = drc, precision
        self.add_module(AUXILIARY_HEAD, AuxiliaryHead(drc))
        self.token_losses = compiled(token_losses) if fuse else token_losses
        # Of its forward, as a module here would list the model's weights twice; histories differ in length.
        self.compiled_fusion = compiled(drc.disentangler.fusion.forward, dynamic=True) if fuse else None

    @property
    def auxiliary_head(self) -> AuxiliaryHead:
        return self.get_submodule(AUXILIARY_HEAD)

    def rows(self, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Style rows [B, S, d], semantic rows [B, R, d], and their padding masks [B, n, S / n] and [B, R]."""
        raise NotImplementedError

    def forward(self, batch: TrainingBatch) -> Losses:
        drc = self.drc
        with autocast(batch.target.device, self.precision):
            style, semantics, style_padding, semantic_padding = self.rows(batch)
            style_bias = even_bias(style, semantics, style_padding)
            style_bias = style_bias.masked_fill(batch.no_style[:, None], float("-inf"))
            hidden = batch.hidden if semantic_padding is None else batch.hidden | semantic_padding
            semantic_bias = torch.zeros_like(hidden, dtype=torch.float32).masked_fill(hidden, float("-inf"))
            fusion = self.compiled_fusion or drc.disentangler.fusion
            instructions = fusion(style, semantics, style_bias, semantic_bias)
            count = int(batch.read.sum())
            read = slice(max(count, 1))  # a batch's read samples come first; every weight takes part in every pass
            given = batch.text[read], instructions[read], batch.fed[read], batch.target[read]
            tokens = self.token_losses(drc, *given)
            # A clone, as a sharded model wants no views for results.
            return Losses(tokens[:count].clone(), self.auxiliary_head(drc, instructions, batch.target))


class Stage1(Objective):
    """The anchor rebuilt from four combinations of what the pair (a, s) and the pair (a, m) share."""

    stage = 1

    def rows(self, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        disentangler = self.drc.disentangler
        codes = torch.stack((batch.target, batch.history[:, 0], batch.reference), dim=1)
        rows, padding = disentangler.rows(self.drc.lmm.embed(codes)), disentangler.padding_mask(codes)
        anchor, same_style, same_meaning = rows.unbind(1)
        anchor_meaning, same_meaning = self.semantic_rows(codes[:, ::2], anchor, same_meaning)
        no_anchor, no_style, no_meaning = (None, None, None) if padding is None else padding.unbind(1)
        positions = disentangler.rows.positions(anchor)
        of_s = ((batch.combination == 1) | (batch.combination == 3))[:, None, None]
        of_m = ((batch.combination == 2) | (batch.combination == 3))[:, None, None]
        style = disentangler.style_tower(
            torch.where(of_s, same_style, anchor),
            torch.where(of_s, anchor, same_style),
            positions,
            either(of_s, no_anchor, no_style),
        )
        semantics = disentangler.semantic_tower(
            torch.where(of_m, same_meaning, anchor_meaning),
            torch.where(of_m, anchor_meaning, same_meaning),
            positions,
            either(of_m, no_anchor, no_meaning),
        )
        return style, semantics, either(of_s, no_style, no_anchor), either(of_m, no_meaning, no_anchor)

    def semantic_rows(self, codes: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
        """Codes [B, 2, N] of pictures and the rows of these codes -> those that the SemanticTower reads, [B, R, d] of
        each: the same, where the LMM has no encoder for meaning."""
        if not self.drc.lmm.encodes_meaning:
            return rows
        return self.drc.disentangler.rows(self.drc.lmm.meaning(codes)).unbind(1)


def either(which: Tensor, yes: Tensor | None, no: Tensor | None) -> Tensor | None:
    """Padding masks [B, R], chosen by which [B, 1, 1]."""
    return None if yes is None else torch.where(which[..., 0], yes, no)


class Stage2(Objective):
    """The user's own picture from the history's style and the reference's semantics."""

    stage = 2

    def rows(self, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        disentangler, lmm = self.drc.disentangler, self.drc.lmm
        weights = torch.ones(batch.history.shape[1], device=batch.target.device)
        no_style, no_meaning = disentangler.padding_mask(batch.history), disentangler.padding_mask(batch.reference)
        style = disentangler.style(lmm.embed(batch.history), weights, no_style).flatten(1, 2)
        reference, second_view = lmm.meaning(batch.reference), lmm.meaning(batch.second_view)
        semantics = disentangler.semantics(reference, second_view, disentangler.padding_mask(batch.second_view))
        return style, semantics, no_style, no_meaning


STAGES = {1: Stage1, 2: Stage2}


def even_bias(style: Tensor, semantics: Tensor, padding_mask: Tensor | None) -> Tensor:
    """`Style.bias` [B, S] of a history whose pictures all weigh the same; style [B, n * R, d], semantics [B, R, d],
    padding_mask [B, n, R] or [B, R]."""
    even = -math.log(style.shape[1] / semantics.shape[1])
    if padding_mask is None:
        return style.new_full(style.shape[:2], even, dtype=torch.float32)
    padding_mask = padding_mask.view(len(style), -1, semantics.shape[1])  # B, n, R
    return share_bias(torch.ones(padding_mask.shape[:2], device=style.device), padding_mask.shape[2], padding_mask)


def token_losses(drc: DRC, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy [B] of target codes [B, N] when the language model is fed `fed` codes [B, N]."""
    return drc.lmm.token_losses(text, instructions, fed, target)
