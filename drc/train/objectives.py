"""The two objectives of DRC: disentanglement learning (stage 1) and personalised modelling (stage 2).

Both rebuild a picture's codes through the language model from instructions: token cross-entropy, read
twice (see ReadOut).
The embedded model has no pretrained language model under it, so both stages train all of it; a LoRA belongs to
LMMs that bring one.

A small language model learns to guess a code from its neighbours and never looks at the instruction. So a random share
of the codes it is fed is blanked, from none to all (`blanked`).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import DRC
from .batches import Batch
from .importance import COMBINATIONS, ImportanceSampler


@dataclass(frozen=True)
class Conditioning:
    """How often conditions are dropped, masked or blanked; our choices."""

    drop_style: float = 0.10
    drop_semantics: float = 0.05
    drop_both: float = 0.05
    keep_text: float = 0.3
    text_alone: float = 0.10  # text without reference
    mask: float = 0.3  # share of samples whose semantic rows are masked, by a ratio of U(0, 1)
    all_blank: float = 0.2
    some_blank: float = 0.4


INSTRUCTIONS_FIRST = 0.4
"""Share of a stage in which the language model reads one sample in four and the batch is twice as large: the read-out
costs a quarter of a pass through the language model, and instructions that tell nothing cannot teach it."""


def language_share(step: int, steps: int) -> float:
    """Share of a batch that goes through the language model."""
    return 1 / 4 if step < INSTRUCTIONS_FIRST * steps else 1.0


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


class Stage1(nn.Module):
    """The anchor rebuilt from four combinations of what the pair (a, s) and the pair (a, m) share.

    `steps` is the length of the training, by which `language_share` goes; with 0 the language model reads every sample.
    """

    def __init__(self, drc: DRC, conditioning: Conditioning, steps: int = 0):
        super().__init__()
        self.drc, self.conditioning, self.steps = drc, conditioning, steps
        self.sampler = ImportanceSampler()
        self.read_out = ReadOut(drc)

    def forward(self, batch: Batch, step: int) -> tuple[Tensor, dict]:
        heart, places = self.drc.disentangler, self.drc.disentangler.rows.places
        with torch.autocast(batch.target.device.type, torch.bfloat16):
            codes = torch.stack((batch.target, batch.history[:, 0], batch.reference), dim=1)
            anchor, same_style, same_meaning = heart.rows(self.drc.lmm.embed(codes)).unbind(1)
            drawn = self.sampler.draw(len(anchor), step).to(anchor.device)
            style_of_s = torch.isin(drawn, torch.tensor([1, 3], device=drawn.device))[:, None, None]
            semantics_of_m = torch.isin(drawn, torch.tensor([2, 3], device=drawn.device))[:, None, None]
            choose = torch.where
            style = heart.style_tower(
                choose(style_of_s, same_style, anchor), choose(style_of_s, anchor, same_style), places(anchor)
            )
            semantics = heart.semantic_tower(
                choose(semantics_of_m, same_meaning, anchor),
                choose(semantics_of_m, anchor, same_meaning),
                places(anchor),
            )
            share = language_share(step, self.steps)
            losses, read = rebuild(self.drc, self.read_out, batch, style, semantics, self.conditioning, share)
        self.sampler.update(drawn, read.detach())
        chances = self.sampler.chances(step)
        numbers = {f"p_{i}{j}": chances[k] for k, (i, j) in enumerate(COMBINATIONS)}
        numbers |= {f"loss_{i}{j}": self.sampler.difficulty[k] for k, (i, j) in enumerate(COMBINATIONS)}
        return losses.mean() + read.mean(), numbers | {
            "tokens": losses.detach().mean(),
            "read_out": read.detach().mean(),
        }


class Stage2(nn.Module):
    """The user's own picture from the history's style and the reference's semantics; `steps` as in Stage1."""

    def __init__(self, drc: DRC, conditioning: Conditioning, steps: int = 0):
        super().__init__()
        self.drc, self.conditioning, self.steps = drc, conditioning, steps
        self.read_out = ReadOut(drc)

    def forward(self, batch: Batch, step: int) -> tuple[Tensor, dict]:
        heart, lmm = self.drc.disentangler, self.drc.lmm
        with torch.autocast(batch.target.device.type, torch.bfloat16):
            weights = torch.ones(batch.history.shape[1], device=batch.target.device)
            style = heart.style(lmm.embed(batch.history), weights).flatten(1, 2)
            semantics = heart.semantics(lmm.embed(batch.reference), lmm.embed(batch.partner))
            share = language_share(step, self.steps)
            losses, read = rebuild(self.drc, self.read_out, batch, style, semantics, self.conditioning, share)
        return losses.mean() + read.mean(), {"tokens": losses.detach().mean(), "read_out": read.detach().mean()}


def rebuild(
    drc: DRC,
    read_out: ReadOut,
    batch: Batch,
    style: Tensor,
    semantics: Tensor,
    conditioning: Conditioning,
    share: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """The target from style rows [B, S, d] and semantic rows [B, R, d].

    Returns the mean token loss of the first `share` of the batch, [share * B], and the read-out's of all of it, [B].
    """
    B, device = len(batch.target), batch.target.device
    style_bias, semantic_bias = even_bias(style, semantics), torch.zeros(semantics.shape[:2], device=device)
    chance = torch.rand(B, device=device)
    both, style_only = conditioning.drop_both, conditioning.drop_both + conditioning.drop_semantics
    no_semantics = chance < style_only
    no_style = (chance < both) | ((chance >= style_only) & (chance < style_only + conditioning.drop_style))
    alone = ~no_semantics & (torch.rand(B, device=device) < conditioning.text_alone)
    with_text = ~no_semantics & (alone | (torch.rand(B, device=device) < conditioning.keep_text))
    ratio = torch.rand(B, 1, device=device) * (torch.rand(B, 1, device=device) < conditioning.mask)
    masked = torch.rand_like(semantic_bias) < ratio
    masked[:, 0] &= ~masked.all(dim=1)
    style_bias.masked_fill_(no_style[:, None], float("-inf"))
    semantic_bias.masked_fill_(masked | (no_semantics | alone)[:, None], float("-inf"))
    text = torch.where(with_text[:, None], batch.text, 0)
    instructions = drc.disentangler.fusion(style, semantics, style_bias, semantic_bias)
    some = slice(math.ceil(share * B))
    feed = blanked(batch.target[some], drc.lmm.blank, conditioning)
    losses = token_losses(drc, text[some], instructions[some], feed, batch.target[some]).mean(dim=1)
    return losses, read_out(drc, instructions, batch.target)


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


def blanked(codes: Tensor, blank: int, conditioning: Conditioning) -> Tensor:
    """Codes [B, N] with a share of each sample replaced by `blank`: none, U(0, 1), or all."""
    B = len(codes)
    chance = torch.rand(B, 1, device=codes.device)
    ratio = torch.rand(B, 1, device=codes.device) * (chance < conditioning.all_blank + conditioning.some_blank)
    ratio = ratio.masked_fill(chance < conditioning.all_blank, 1.1)
    return codes.masked_fill(torch.rand(codes.shape, device=codes.device) < ratio, blank)


@torch.no_grad()
def gaps(drc: DRC, batch: Batch) -> dict[str, float]:
    """Do reference and history count? Loss with the right ones, and how much a wrong one adds, in nats per code.

    "ar" feeds the true codes, "blind" feeds none; the wrong reference or history is the next case's of the batch.
    """
    lmm, heart = drc.lmm, drc.disentangler
    weights = torch.ones(batch.history.shape[1], device=batch.target.device)
    numbers = {}
    with torch.autocast(batch.target.device.type, torch.bfloat16):
        style = heart.style(lmm.embed(batch.history), weights).flatten(1, 2)
        semantics = heart.semantics(lmm.embed(batch.reference), lmm.embed(batch.reference))
        pairs = {
            "right": (style, semantics),
            "wrong_reference": (style, semantics.roll(1, 0)),
            "wrong_history": (style.roll(1, 0), semantics),
        }
        for name, (its_style, its_semantics) in pairs.items():
            plain = torch.zeros(its_semantics.shape[:2], device=its_style.device)
            instructions = heart.fusion(its_style, its_semantics, even_bias(its_style, its_semantics), plain)
            for context, feed in {"ar": batch.target, "blind": torch.full_like(batch.target, lmm.blank)}.items():
                losses = token_losses(drc, torch.zeros_like(batch.text), instructions, feed, batch.target)
                numbers[f"{context}_{name}"] = float(losses.mean())
    for context in ("ar", "blind"):
        for wrong in ("wrong_reference", "wrong_history"):
            numbers[f"{context}_{wrong}"] -= numbers[f"{context}_right"]
    return numbers
