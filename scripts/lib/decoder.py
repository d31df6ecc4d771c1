"""Training the tokeniser's decoder alone: codes keep their meaning, so whatever draws or knows codes stays as it is.

Some codes of a picture are now and then those of a neighbour, as drawn ones are never quite right: so the decoder
learns to draw even ink and straight lines from codes that only nearly say so.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.train.machine.precision import autocast, precision_of
from drc.train.objectives.tokenizer import LOOK, picture_loss

NEIGHBOURS = 8  # codes that one may be taken for
MISTAKEN = 0.2  # of a picture's codes at most
UNTOUCHED = 0.3  # share of the pictures whose codes are right
LOOKED_AT = 4  # one picture in so many, as looking costs twice what the decoder does


class DecoderObjective(nn.Module):
    """`look` says how far rebuilt pictures [B, 3, size, size] are from their originals to the eye; `decoder` learns in
    place of the tokeniser's own, where it is given."""

    def __init__(
        self, tokenizer: VisualTokenizer, look: Callable[[Tensor, Tensor], Tensor], decoder: nn.Module | None = None
    ):
        super().__init__()
        self.tokenizer, self.look, self.decoder = tokenizer, look, decoder or tokenizer.decoder
        tokenizer.encoder.requires_grad_(False)
        tokenizer.codebook.requires_grad_(False)
        every = tokenizer.directions(tokenizer.codebook.weight.device, torch.float32)
        likeness = (every @ every.T).fill_diagonal_(-1)
        self.register_buffer("neighbours", likeness.topk(NEIGHBOURS).indices, persistent=False)  # [codes, NEIGHBOURS]

    def forward(self, codes: Tensor, images: Tensor) -> tuple[Tensor, dict]:
        """Loss and log numbers for codes [B, N] of images [B, 3, size, size] in 0..1."""
        precision = precision_of("automatic", images.device)
        vectors = self.tokenizer.vectors(self.mistake(codes)).contiguous(memory_format=torch.channels_last)
        with autocast(images.device, precision):
            rebuilt = self.decoder(vectors)
        rebuilt = rebuilt.float()
        with autocast(images.device, precision):
            distance = self.look(rebuilt[::LOOKED_AT], images[::LOOKED_AT])
        mean_square = F.mse_loss(rebuilt.detach().clamp(0, 1), images)
        loss = picture_loss(rebuilt, images) + LOOK * distance
        return loss, {"psnr": -10 * torch.log10(mean_square), "look": distance.detach()}

    def mistake(self, codes: Tensor) -> Tensor:
        """Codes of which some are taken for a neighbour."""
        share = MISTAKEN * torch.rand(len(codes), 1, device=codes.device)
        share = share * (torch.rand(len(codes), 1, device=codes.device) > UNTOUCHED)
        other = self.neighbours[codes, torch.randint(NEIGHBOURS, codes.shape, device=codes.device)]
        return torch.where(torch.rand(codes.shape, device=codes.device) < share, other, codes)
