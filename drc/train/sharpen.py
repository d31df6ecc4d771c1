"""Training the tokeniser's decoder alone: the same codes, sharper pictures.

A loss on pixels is smallest for the mean of all pictures that a grid of codes may stand for, and that mean is soft. A
critic that learns to tell real pictures from rebuilt ones, patch by patch, asks for one of these pictures instead
(Esser et al., "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021). Encoder and codebook stay, so what
was learnt about codes stays true. No pretrained network takes part: those that judge must not teach.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ..lmm.mini.tokenizer import VisualTokenizer
from .precision import autocast
from .tokenizer import picture_loss

LIKENESS, VOICE = 1.0, 0.05  # how much the critic's features and its verdict weigh beside the pixels


class Critic(nn.Module):
    """Pictures [B, 3, S, S] in 0..1 -> maps of each layer; the last [B, 1, S / 8, S / 8] is above 0 for real ones."""

    def __init__(self, widths: tuple[int, ...] = (48, 96, 128)):
        super().__init__()
        inputs = (3, *widths)
        self.layers = nn.ModuleList(
            nn.Conv2d(before, width, 4, stride=2, padding=1) for before, width in zip(inputs, widths, strict=False)
        )
        self.verdict = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps, x = [], images * 2 - 1
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return [*maps, self.verdict(x)]


class DecoderObjective(nn.Module):
    """Decoder and critic in one pass: each learns from its own loss, and neither moves the other's weights."""

    def __init__(self, tokenizer: VisualTokenizer, precision: torch.dtype):
        super().__init__()
        self.tokenizer, self.precision = tokenizer, precision
        self.critic = Critic()

    def forward(self, codes: Tensor, images: Tensor, voice: float) -> tuple[Tensor, dict]:
        """Loss and log numbers for codes [B, N] of images [B, 3, size, size] in 0..1; `voice` is the critic's, 0..1."""
        grid = self.tokenizer.config.grid
        images = images.contiguous(memory_format=torch.channels_last)
        with autocast(images.device, self.precision), torch.no_grad():
            vectors = F.normalize(self.tokenizer.codebook(codes), dim=-1)
        vectors = vectors.transpose(1, 2).unflatten(2, (grid, grid)).contiguous(memory_format=torch.channels_last)
        with autocast(images.device, self.precision):
            rebuilt = self.tokenizer.decoder(vectors)
            frozen = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
            *seen, verdict = functional_call(self.critic, frozen, (rebuilt,))
            *real, real_verdict = self.critic(images)
            false_verdict = self.critic(rebuilt.detach())[-1]
        rebuilt = rebuilt.float()
        likeness = sum(F.l1_loss(one.float(), other.detach().float()) for one, other in zip(seen, real, strict=True))
        pixels = picture_loss(rebuilt, images)
        taught = pixels + voice * (LIKENESS * likeness - VOICE * verdict.float().mean())
        judged = F.relu(1 - real_verdict.float()).mean() + F.relu(1 + false_verdict.float()).mean()
        psnr = -10 * torch.log10(F.mse_loss(rebuilt.detach().clamp(0, 1), images))
        numbers = {"psnr": psnr, "pixels": pixels.detach(), "likeness": likeness.detach(), "critic": judged.detach()}
        return taught + judged, numbers
