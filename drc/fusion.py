"""FusionNetwork: style rows and semantic rows -> K latent instruction vectors.

The paper says that it encodes combinations of a style and a semantic feature into compact latent instructions; its
inside is our choice (Q8): a resampler whose K learned queries, laid out on a grid over the canvas, look at
[style rows + type 0; semantic rows + type 1] in a few layers of cross-attention and feed-forward.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class FusionConfig:
    width: int = 256
    heads: int = 8
    feed_forward: int = 1024
    layers: int = 3
    instructions: int = 64  # K


class FusionLayer(nn.Module):
    def __init__(self, config: FusionConfig, operations):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm_query = operations.LayerNorm(width)
        self.query = operations.Linear(width, width)
        self.key = operations.Linear(width, width)
        self.value = operations.Linear(width, width)
        self.out = operations.Linear(width, width)
        self.norm_feed_forward = operations.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            operations.Linear(width, config.feed_forward), nn.GELU(), operations.Linear(config.feed_forward, width)
        )

    def forward(self, x: Tensor, rows: Tensor, bias: Tensor) -> Tensor:
        """x [B, K, d], rows [B, P, d], bias [B, 1, 1, P] -> [B, K, d]."""
        query = self.split(self.query(self.norm_query(x)))
        key, value = self.split(self.key(rows)), self.split(self.value(rows))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = x + self.out(found.transpose(1, 2).flatten(2))
        return x + self.feed_forward(self.norm_feed_forward(x))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # B, heads, rows, head


class FusionNetwork(nn.Module):
    """A dropped condition is one learned row of its type, so that "no style" and "no semantics" are inputs like any other."""

    def __init__(self, config: FusionConfig, operations=nn):
        super().__init__()
        self.config = config
        self.queries = operations.Embedding(config.instructions, config.width)
        self.types = operations.Embedding(2, config.width)
        self.nothing = operations.Embedding(2, config.width)
        self.norm_rows = operations.LayerNorm(config.width)
        self.layers = nn.ModuleList(FusionLayer(config, operations) for _ in range(config.layers))
        self.norm = operations.LayerNorm(config.width)

    def forward(self, style: Tensor, semantics: Tensor, style_bias: Tensor, semantic_bias: Tensor) -> Tensor:
        """style [B, S, d] and semantics [B, M, d] -> instructions [B, K, d].

        style_bias [B, S] and semantic_bias [B, M] are added to the attention logits; -inf hides a row. Where all rows
        of a kind are hidden its learned "nothing" row takes their place.
        """
        style, style_bias = self.typed(style, style_bias, 0)
        semantics, semantic_bias = self.typed(semantics, semantic_bias, 1)
        rows = self.norm_rows(torch.cat((style, semantics), dim=1))
        bias = torch.cat((style_bias, semantic_bias), dim=1)[:, None, None].to(rows.dtype)
        every = torch.arange(self.config.instructions, device=rows.device)
        x = self.queries(every).to(rows.dtype).expand(len(rows), -1, -1)
        for layer in self.layers:
            x = layer(x, rows, bias)
        return self.norm(x)

    def typed(self, rows: Tensor, bias: Tensor, kind: int) -> tuple[Tensor, Tensor]:
        index = torch.tensor([kind], device=rows.device)
        rows = rows + self.types(index).to(rows.dtype)
        nothing = self.nothing(index).to(rows.dtype).expand(len(rows), 1, -1)
        hidden = bias.isneginf().all(dim=1, keepdim=True)
        nothing_bias = torch.zeros_like(bias[:, :1]).masked_fill(~hidden, float("-inf"))
        return torch.cat((rows, nothing), dim=1), torch.cat((bias, nothing_bias), dim=1)


def plane(side: int, width: int) -> Tensor:
    """Two-dimensional sine positions [side * side, width] of the cell centres of a canvas, whatever its grid."""
    centre = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    frequency = 2 ** torch.linspace(0, 3.5, width // 4)  # from half a wave to six waves across the canvas
    angle = torch.outer(centre, frequency) * torch.pi
    wave = torch.cat((angle.sin(), angle.cos()), dim=1)  # side, width / 2
    down = wave[:, None].expand(side, side, -1)
    across = wave[None].expand(side, side, -1)
    return torch.cat((down, across), dim=2).reshape(side * side, width)
