"""A training batch: codes with everything random about it already drawn, on the CPU.

So any part of it, on any number of processes and in micro-batches of any size, is the same training; and since it
follows from (seed, step) alone, a resumed run sees what an uninterrupted one would have seen.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..config import Conditioning
from .batches import BatchCodes

PLAIN = Conditioning(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class TrainingBatch:
    """B samples of n history pictures; R semantic rows a picture, N codes, T text ids.

    target [B, N] is to be rebuilt while the language model is fed `fed` [B, N], the same codes with some blanked.
    history [B, n, N], reference and its second view [B, N], text [B, T] with zeros where there is none.
    combination [B] indexes COMBINATIONS (stage 1). no_style [B] and hidden [B, R] say what the fusion must not see.
    read [B] says which samples go through the language model; it stays on the CPU.
    """

    target: Tensor
    fed: Tensor
    history: Tensor
    reference: Tensor
    second_view: Tensor
    text: Tensor
    combination: Tensor
    no_style: Tensor
    hidden: Tensor
    read: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def part(self, samples: slice | Tensor) -> "TrainingBatch":
        """Some of the samples, by their numbers."""
        return TrainingBatch(*(getattr(self, field.name)[samples] for field in fields(self)))

    def to(self, device: torch.device | str) -> "TrainingBatch":
        moved = {field.name: getattr(self, field.name).to(device) for field in fields(self)}
        return TrainingBatch(**moved | {"read": self.read})


def draw_batch(
    codes: BatchCodes,
    conditioning: Conditioning,
    blank: int,
    semantic_rows: int,
    chances: Tensor,
    share: float,
    generator: torch.Generator,
) -> TrainingBatch:
    """Draws what is random about a batch.

    `blank` is the code that stands for a blanked one, `semantic_rows` is R, `chances` [4] those of COMBINATIONS, and
    `share` how much of the batch, from its beginning, the language model reads.
    """
    B = len(codes.target)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    chance = uniform(B)
    both, style_only = conditioning.drop_both, conditioning.drop_both + conditioning.drop_semantics
    no_semantics = chance < style_only
    no_style = (chance < both) | ((chance >= style_only) & (chance < style_only + conditioning.drop_style))
    alone = ~no_semantics & (uniform(B) < conditioning.text_alone)
    with_text = ~no_semantics & (alone | (uniform(B) < conditioning.keep_text))
    ratio = uniform(B, 1) * (uniform(B, 1) < conditioning.mask)
    masked = uniform(B, semantic_rows) < ratio
    masked[:, 0] &= ~masked.all(dim=1)
    combination = torch.multinomial(chances, B, replacement=True, generator=generator)
    return TrainingBatch(
        codes.target,
        blanked(codes.target, blank, conditioning, generator),
        codes.history,
        codes.reference,
        codes.second_view,
        torch.where(with_text[:, None], codes.text, 0),
        combination,
        no_style,
        masked | (no_semantics | alone)[:, None],
        torch.arange(B) < math.ceil(share * B),
    )


def blanked(codes: Tensor, blank: int, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
    """Codes [B, N] with a share of each sample replaced by `blank`: none, U(0, 1), or all."""
    B = len(codes)
    chance = torch.rand(B, 1, generator=generator)
    ratio = torch.rand(B, 1, generator=generator) * (chance < conditioning.all_blank + conditioning.some_blank)
    ratio = ratio.masked_fill(chance < conditioning.all_blank, 1.1)
    return codes.masked_fill(torch.rand(codes.shape, generator=generator) < ratio, blank)


def plain_batch(codes: BatchCodes, semantic_rows: int) -> TrainingBatch:
    """A batch with nothing dropped, blanked or left unread; of the four combinations the first, (a, a)."""
    B = len(codes.target)
    no = torch.zeros(B, dtype=torch.bool)
    return TrainingBatch(
        codes.target,
        codes.target,
        codes.history,
        codes.reference,
        codes.second_view,
        torch.zeros_like(codes.text),
        torch.zeros(B, dtype=torch.long),
        no,
        no[:, None].expand(B, semantic_rows),
        ~no,
    )
