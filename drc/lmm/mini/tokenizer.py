"""The visual tokeniser of the embedded model: a picture becomes a grid of codes, and codes become a picture again.

A small convolutional VQ autoencoder. The codes are looked up by direction: encoder output and codebook are both
l2-normalised (Yu et al., "Vector-quantized Image Modeling with Improved VQGAN", 2022). `diffusers.VQModel` does not
serve here: it looks up by plain distance and cannot be built from the host's casting layers. There is no
normalisation layer, so a code depends on its neighbourhood alone and the same drawing in another corner gets the
same codes.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...parsing import Count, Size
from ..nearest import nearest
from ..pictures import MEMORY_PER_PIXEL


@dataclass(frozen=True)
class TokenizerConfig:
    image_size: Annotated[int, range(8, 1024 + 1, 8)] = 128
    codes: Annotated[int, range(2, 2**15)] = 4096  # they are kept in 16 bits
    code_size: Size = 16
    coarse_width: Size = 192
    fine_width: Size = 96
    pixel_width: Size = 48
    coarse_blocks: Count = 3
    fine_blocks: Count = 3

    @property
    def grid(self) -> int:
        """Codes along one side of a picture: one per 8 x 8 pixels."""
        return self.image_size // 8


class Block(nn.Module):
    def __init__(self, width: int, operations):
        super().__init__()
        self.conv1 = operations.Conv2d(width, width, 3, padding=1)
        self.conv2 = operations.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class Encoder(nn.Module):
    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        fine, coarse = config.fine_width, config.coarse_width
        self.stem = operations.Conv2d(3 * 4 * 4, fine, 3, padding=1)
        self.fine = nn.Sequential(*(Block(fine, operations) for _ in range(config.fine_blocks - 1)))
        self.down = operations.Conv2d(fine, coarse, 4, stride=2, padding=1)
        self.coarse = nn.Sequential(*(Block(coarse, operations) for _ in range(config.coarse_blocks)))
        self.out = operations.Conv2d(coarse, config.code_size, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = F.pixel_unshuffle(images * 2 - 1, 4)  # B, 48, 4g, 4g with g = grid / 2
        x = self.fine(self.stem(x))
        x = self.coarse(self.down(F.silu(x)))
        return self.out(F.silu(x))  # B, code_size, grid, grid


class Decoder(nn.Module):
    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        fine, coarse, pixel = config.fine_width, config.coarse_width, config.pixel_width
        self.stem = operations.Conv2d(config.code_size, coarse, 3, padding=1)
        self.coarse = nn.Sequential(*(Block(coarse, operations) for _ in range(config.coarse_blocks)))
        self.up = operations.Conv2d(coarse, fine * 4, 1)
        self.fine = nn.Sequential(*(Block(fine, operations) for _ in range(config.fine_blocks)))
        self.pixel = operations.Conv2d(fine, pixel * 4, 3, padding=1)
        self.out = operations.Conv2d(pixel, 3 * 4, 3, padding=1)

    def features(self, vectors: Tensor) -> Tensor:
        """[B, code_size, grid, grid] -> [B, pixel_width, 4 grid, 4 grid]."""
        x = self.coarse(self.stem(vectors))
        x = self.fine(F.pixel_shuffle(self.up(F.silu(x)), 2))
        return F.silu(F.pixel_shuffle(self.pixel(F.silu(x)), 2))

    def forward(self, vectors: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.out(self.features(vectors)), 2)  # B, 3, size, size
        return (x + 1) / 2


class VisualTokenizer(nn.Module):
    """Pictures [B, 3, size, size] in 0..1 <-> codes [B, grid * grid], row by row from the top left."""

    def __init__(self, config: TokenizerConfig, operations=nn):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, operations)
        self.decoder = Decoder(config, operations)
        self.codebook = operations.Embedding(config.codes, config.code_size)
        self.picture_codes, self.codebook_size = config.grid**2, config.codes

    @property
    def image_size(self) -> int:
        return self.config.image_size

    def memory(self, pictures: int) -> int:
        """Bytes that so many pictures take on their way, beside the weights."""
        return pictures * self.image_size**2 * MEMORY_PER_PIXEL

    def directions(self, device: torch.device, dtype: torch.dtype) -> Tensor:
        """The codebook as unit vectors [codes, code_size]."""
        every_code = torch.arange(self.config.codes, device=device)
        return F.normalize(self.codebook(every_code).to(dtype), dim=-1)

    def encode(self, images: Tensor) -> Tensor:
        vectors = self.encoder(images).flatten(2).transpose(1, 2).float()  # B, grid * grid, code_size
        return nearest(vectors, self.directions(images.device, torch.float32))

    def vectors(self, codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """What a decoder reads of codes [B, grid * grid]: unit vectors [B, code_size, grid, grid]."""
        grid = self.config.grid
        vectors = F.normalize(self.codebook(codes).to(dtype), dim=-1)
        return vectors.transpose(1, 2).unflatten(2, (grid, grid))

    def decode(self, codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.decoder(self.vectors(codes, dtype)).clamp(0, 1)
