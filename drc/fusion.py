"""FusionNetwork: style rows and semantic rows -> K latent instruction vectors.

The paper says that it encodes combinations of a style and a semantic feature into compact latent instructions; its
inside is our choice (METHOD.md, 3): a resampler whose K learned queries, laid out on a grid over the canvas, look at
the style rows and at the semantic rows in a few layers of cross-attention and feed-forward.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parsing import Count, OptionalSize, Size, divides


@dataclass(frozen=True)
class FusionConfig:
    width: Size = 256
    heads: Count = 8
    feed_forward: Size = 1024
    layers: Count = 3
    instructions: Size = 64  # K
    output: OptionalSize = 0  # width of an instruction vector, that of the language model; 0: `width`

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""
        divides({"fusion.width": (self.width, self.heads)})


class CrossAttention(nn.Module):
    def __init__(self, config: FusionConfig, operations):
        super().__init__()
        self.heads = config.heads
        self.query = operations.Linear(config.width, config.width)
        self.key = operations.Linear(config.width, config.width)
        self.value = operations.Linear(config.width, config.width)
        self.out = operations.Linear(config.width, config.width)

    def forward(self, x: Tensor, rows: Tensor, bias: Tensor) -> Tensor:
        """x [B, K, d], rows [B, P, d], bias [B, P] -> [B, K, d]."""
        query, key, value = self.split(self.query(x)), self.split(self.key(rows)), self.split(self.value(rows))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[:, None, None].to(x.dtype))
        return self.out(found.transpose(1, 2).flatten(2))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # B, heads, rows, head


class FusionLayer(nn.Module):
    """Style and semantics are looked at apart: in one softmax the many style rows outbid the few semantic ones."""

    def __init__(self, config: FusionConfig, operations):
        super().__init__()
        self.norm_query = operations.LayerNorm(config.width)
        self.style = CrossAttention(config, operations)
        self.semantics = CrossAttention(config, operations)
        self.norm_feed_forward = operations.LayerNorm(config.width)
        self.feed_forward = nn.Sequential(
            operations.Linear(config.width, config.feed_forward),
            nn.GELU(),
            operations.Linear(config.feed_forward, config.width),
        )

    def forward(self, x: Tensor, style: tuple[Tensor, Tensor], semantics: tuple[Tensor, Tensor]) -> Tensor:
        """x [B, K, d]; style and semantics are rows [B, P, d] and their bias [B, P]. Returns [B, K, d]."""
        query = self.norm_query(x)
        x = x + self.style(query, *style) + self.semantics(query, *semantics)
        return x + self.feed_forward(self.norm_feed_forward(x))


class FusionNetwork(nn.Module):
    """A dropped condition is one learned row of its type: "no style" and "no semantics" are inputs like any other."""

    def __init__(self, config: FusionConfig, operations=nn):
        super().__init__()
        self.config = config
        self.queries = operations.Embedding(config.instructions, config.width)
        self.types = operations.Embedding(2, config.width)
        self.nothing = operations.Embedding(2, config.width)
        self.norm_rows = operations.LayerNorm(config.width)
        self.layers = nn.ModuleList(FusionLayer(config, operations) for _ in range(config.layers))
        self.out = operations.Linear(config.width, config.output) if config.output else nn.Identity()
        self.norm = operations.LayerNorm(config.output or config.width)

    def forward(self, style: Tensor, semantics: Tensor, style_bias: Tensor, semantic_bias: Tensor) -> Tensor:
        """style [B, S, d] and semantics [B, M, d] -> instructions [B, K, output].

        style_bias [B, S] and semantic_bias [B, M] are added to the attention logits; -inf hides a row. Where all rows
        of a kind are hidden its learned "nothing" row takes their place.
        """
        style, semantics = self.typed(style, style_bias, 0), self.typed(semantics, semantic_bias, 1)
        every = torch.arange(self.config.instructions, device=style[0].device)
        x = self.queries(every).to(style[0].dtype).expand(len(style[0]), -1, -1)
        for layer in self.layers:
            x = layer(x, style, semantics)
        return self.norm(self.out(x))

    def typed(self, rows: Tensor, bias: Tensor, kind: int) -> tuple[Tensor, Tensor]:
        index = torch.tensor([kind], device=rows.device)
        rows = rows + self.types(index).to(rows.dtype)
        nothing = self.nothing(index).to(rows.dtype).expand(len(rows), 1, -1)
        hidden = bias.isneginf().all(dim=1, keepdim=True)
        nothing_bias = torch.zeros_like(bias[:, :1]).masked_fill(~hidden, float("-inf"))
        return self.norm_rows(torch.cat((rows, nothing), dim=1)), torch.cat((bias, nothing_bias), dim=1)
