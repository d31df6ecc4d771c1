"""Training the visual tokeniser: rebuild the picture through the codes.

The eye reads an emoji's colour before its edge, and a plain pixel loss loses hue first, so brightness and colour are
weighed apart and colour counts more.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...lmm.mini.tokenizer import VisualTokenizer
from ...lmm.nearest import nearest
from ..machine.precision import autocast, precision_of

FREE_STEPS = 300  # without codes: directions worth being codes must exist before the first codebook is drawn from them
REVIVE_EVERY = 25  # steps between two replacements of codes that nobody uses
REVIVE_UNTIL = 0.6  # share of the training after which the codebook is left alone
LOOK = 0.1  # weight of what the eye says against pixels


class TokenizerObjective(nn.Module):
    """The tokeniser with what only its training needs: how often each code was used lately.

    `look` says how far rebuilt pictures [B, 3, size, size] are from their originals to the eye; nothing when left out.
    """

    def __init__(self, tokenizer: VisualTokenizer, steps: int, look: Callable[[Tensor, Tensor], Tensor] | None = None):
        super().__init__()
        self.tokenizer = tokenizer
        self.steps = steps
        self.look = look
        self.register_buffer("usage", torch.ones(tokenizer.config.codes))

    def forward(self, images: Tensor, step: int) -> tuple[Tensor, dict]:
        """Loss and log numbers for images [B, 3, size, size] in 0..1."""
        precision = precision_of("automatic", images.device)
        with autocast(images.device, precision):
            vectors = self.tokenizer.encoder(images.contiguous(memory_format=torch.channels_last))
        vectors = F.normalize(vectors.float(), dim=1)
        quantized, code_loss = (vectors, 0.0) if step < FREE_STEPS else self.quantize(vectors, step)
        with autocast(images.device, precision):
            rebuilt = self.tokenizer.decoder(quantized)
        rebuilt = rebuilt.float()
        mean_square = F.mse_loss(rebuilt.detach().clamp(0, 1), images)
        numbers = {"psnr": -10 * torch.log10(mean_square), "used": (self.usage > 0.1).float().mean()}
        loss = picture_loss(rebuilt, images) + code_loss
        if self.look is not None:
            with autocast(images.device, precision):
                distance = self.look(rebuilt, images)
            loss, numbers["look"] = loss + LOOK * distance, distance.detach()
        return loss, numbers

    def quantize(self, vectors: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Straight-through codes of unit vectors [B, c, g, g], and the loss that pulls codes and vectors together."""
        flat = vectors.detach().permute(0, 2, 3, 1).flatten(0, 2)  # B * g * g, c
        codebook = self.tokenizer.codebook
        with torch.no_grad():
            unused = torch.full_like(self.usage, step == FREE_STEPS, dtype=torch.bool)
            if step % REVIVE_EVERY == 0 and step < REVIVE_UNTIL * self.steps:
                unused |= self.usage < 0.05
            rows = torch.randint(len(flat), (int(unused.sum()),), device=flat.device)
            codebook.weight[unused] = flat[rows]
            self.usage[unused] = 1.0
            codes = nearest(flat, F.normalize(codebook.weight, dim=-1))
            counts = torch.bincount(codes, minlength=len(self.usage)).float()
            self.usage.lerp_(counts, 0.02)
        chosen = F.normalize(codebook(codes), dim=-1).view(vectors.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2)
        pull = (chosen - vectors.detach()).square().sum(1).mean() + 0.25 * (vectors - chosen.detach()).square().sum(
            1
        ).mean()
        return vectors + (chosen - vectors).detach(), 0.1 * pull


def picture_loss(rebuilt: Tensor, images: Tensor) -> Tensor:
    """Brightness, colour (three times as heavy) and edges, each as a mean absolute difference; [B, 3, H, W] twice."""
    difference = rebuilt - images
    red, green, blue = difference.unbind(1)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    colour = (blue - brightness).abs().mean() + (red - brightness).abs().mean()
    edges = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    edges = edges + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
    return brightness.abs().mean() + 1.5 * colour + 0.5 * edges + 2 * difference.square().mean()
