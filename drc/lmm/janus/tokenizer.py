"""The visual tokeniser of Janus-Pro: a picture becomes a grid of codes, and codes become a picture again.

The VQ autoencoder of LlamaGen (Sun et al., 2024) with the names that `transformers` gives its weights. Codes are looked
up by direction: encoder output and codebook are both l2-normalised, as in the original. `transformers` compares raw
vectors when it encodes, and so finds other codes where the rows of the codebook are not of length 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..nearest import nearest
from .config import GROUPS, TokenizerConfig

AT_ONCE = 2  # pictures; a picture of 384 x 384 is enough work for a graphics card
MEMORY_PER_PIXEL = 32  # bytes for each channel of the finest level: the six tensors that live at once, and workspace


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, operations):
        super().__init__()
        self.norm1 = operations.GroupNorm(GROUPS, inputs, eps=1e-6)
        self.conv1 = operations.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = operations.GroupNorm(GROUPS, outputs, eps=1e-6)
        self.conv2 = operations.Conv2d(outputs, outputs, 3, padding=1)
        self.nin_shortcut = operations.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(y)))


class Attention(nn.Module):
    """Every position of the grid attends to all, with one head."""

    def __init__(self, width: int, operations):
        super().__init__()
        self.norm = operations.GroupNorm(GROUPS, width, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (operations.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        query, key, value = (
            part(y).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v)
        )  # B, positions, width
        found = F.scaled_dot_product_attention(query, key, value)
        return x + self.proj_out(found.transpose(1, 2).view_as(x))


class Middle(nn.Module):
    def __init__(self, width: int, operations):
        super().__init__()
        self.block_1 = Block(width, width, operations)
        self.attn_1 = Attention(width, operations)
        self.block_2 = Block(width, width, operations)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Downsample(nn.Module):
    def __init__(self, width: int, operations):
        super().__init__()
        self.conv = operations.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, width: int, operations):
        super().__init__()
        self.conv = operations.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """Blocks of one size, each with an attention behind it at the coarsest level; then the way to the next level."""

    def __init__(self, inputs: int, outputs: int, blocks: int, attends: bool, operations):
        super().__init__()
        widths = [inputs, *[outputs] * blocks]
        self.block = nn.ModuleList(Block(*pair, operations) for pair in zip(widths, widths[1:], strict=False))
        self.attn = nn.ModuleList(Attention(outputs, operations) for _ in range(blocks if attends else 0))

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[index](x)
        for resize in ("downsample", "upsample"):
            if hasattr(self, resize):
                x = getattr(self, resize)(x)
        return x


class Encoder(nn.Module):
    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        widths = [config.base * one for one in config.multipliers]
        last = len(widths) - 1
        self.conv_in = operations.Conv2d(3, config.base, 3, padding=1)
        self.down = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(zip([config.base, *widths], widths, strict=False)):
            level = Level(inputs, outputs, config.blocks, index == last, operations)
            if index < last:
                level.downsample = Downsample(outputs, operations)
            self.down.append(level)
        self.mid = Middle(widths[-1], operations)
        self.norm_out = operations.GroupNorm(GROUPS, widths[-1], eps=1e-6)
        self.conv_out = operations.Conv2d(widths[-1], config.latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        widths = [config.base * one for one in reversed(config.multipliers)]  # the coarsest level comes first
        last = len(widths) - 1
        self.conv_in = operations.Conv2d(config.latent, widths[0], 3, padding=1)
        self.mid = Middle(widths[0], operations)
        self.up = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(zip([widths[0], *widths], widths, strict=False)):
            level = Level(inputs, outputs, config.blocks + 1, index == 0, operations)
            if index < last:
                level.upsample = Upsample(outputs, operations)
            self.up.append(level)
        self.norm_out = operations.GroupNorm(GROUPS, widths[-1], eps=1e-6)
        self.conv_out = operations.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid(self.conv_in(x))
        for level in self.up:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class Codebook(nn.Module):
    """Codes and directions: what is compared and what is decoded are unit vectors."""

    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        self.embedding = operations.Embedding(config.codes, config.code_size)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [...] -> directions [..., code_size], in float32."""
        return F.normalize(self.embedding(codes).float(), dim=-1)

    def nearest(self, vectors: Tensor) -> Tensor:
        """Vectors [..., code_size] of any length -> codes [...]."""
        every_code = torch.arange(self.embedding.num_embeddings, device=vectors.device)
        return nearest(F.normalize(vectors.float(), dim=-1), self(every_code))


class VisualTokenizer(nn.Module):
    """Pictures [B, 3, size, size] in 0..1 <-> codes [B, grid * grid], row by row from the top left: a `Vision`."""

    def __init__(self, config: TokenizerConfig, image_size: int, operations=nn):
        super().__init__()
        self.config, self.image_size = config, image_size
        self.encoder = Encoder(config, operations)
        self.decoder = Decoder(config, operations)
        self.quantize = Codebook(config, operations)
        self.quant_conv = operations.Conv2d(config.latent, config.code_size, 1)
        self.post_quant_conv = operations.Conv2d(config.code_size, config.latent, 1)
        self.grid = image_size // config.patch_size
        self.picture_codes, self.codebook_size = self.grid**2, config.codes

    def memory(self, pictures: int) -> int:
        """Bytes that so many pictures take on their way, beside the weights."""
        return min(pictures, AT_ONCE) * self.image_size**2 * self.config.base * MEMORY_PER_PIXEL

    def encode(self, images: Tensor) -> Tensor:
        return torch.cat([self.codes_of(some) for some in images.split(AT_ONCE)])

    def codes_of(self, images: Tensor) -> Tensor:
        vectors = self.quant_conv(self.encoder(images * 2 - 1))  # B, code_size, grid, grid
        return self.quantize.nearest(vectors.flatten(2).transpose(1, 2))

    def decode(self, codes: Tensor) -> Tensor:
        return torch.cat([self.picture_of(some) for some in codes.split(AT_ONCE)])

    def picture_of(self, codes: Tensor) -> Tensor:
        vectors = self.quantize(codes).transpose(1, 2).unflatten(2, (self.grid, self.grid))
        return ((self.decoder(self.post_quant_conv(vectors)).float() + 1) / 2).clamp(0, 1)
