"""StyleTower and SemanticTower: the dual-tower disentangler of DRC (Xu et al., ACM MM 2025, stage 1; METHOD.md, 2).

The paper gives one cross-attention layer followed by one feed-forward layer, and

    F_sty^a = StyleTower(query = E_a, key = value = E_s)        F_sem^a = SemanticTower(query = E_a, key = value = E_m)

What it leaves open is our choice, a field of TowerConfig each. There is no residual around the cross-attention: values
carry content and queries only route, so a feature holds nothing but what its source supplied. The position of the
query row is added to the output, since a position on the canvas is not content of the anchor. Query and key weights
start equal, so that at first a row looks at the rows that resemble it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parsing import Count, OptionalSize, Size, divides, stored_as
from .progress import OnCount

GROUP_LOGITS = 2**20  # attention logits per head that one group of pictures may take


@dataclass(frozen=True)
class TowerConfig:
    width: Size = 256
    heads: Count = 4
    feed_forward: Size = 512
    grid: Count = 16  # codes along one side of a picture; grid * grid is the most that a picture has
    merge: Count = 2  # merge x merge neighbouring codes make one row
    query_residual: bool = False
    embedding: OptionalSize = 0  # width of a code's embedding; 0: that of the towers
    positions: bool = stored_as("places", True)  # whether the order of the codes tells where they lie on the canvas

    @property
    def rows(self) -> int:
        """Rows of one picture."""
        return (self.grid // self.merge) ** 2

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""
        divides({"tower.width": (self.width, self.heads), "tower.grid": (self.grid, self.merge)})


class Rows(nn.Module):
    """Code embeddings of a picture -> its rows: neighbouring codes folded together, plus their position on the canvas.

    A tokeniser that drops patches tells no positions; each of its codes is a row.
    """

    def __init__(self, config: TowerConfig, operations=nn):
        super().__init__()
        self.config = config
        self.fold = operations.Linear((config.embedding or config.width) * config.merge**2, config.width)
        if config.positions:
            self.place = operations.Embedding(config.rows, config.width)

    def forward(self, embeddings: Tensor) -> Tensor:
        """[B, n, grid * grid, e] -> [B, n, R, d]; without positions any number of codes."""
        if not self.config.positions:
            return self.fold(embeddings)
        B, n, _, width = embeddings.shape
        merge, side = self.config.merge, self.config.grid // self.config.merge
        x = embeddings.view(B, n, side, merge, side, merge, width)
        x = x.transpose(3, 4).reshape(B, n, side * side, merge * merge * width)
        return self.fold(x) + self.positions(x)

    def positions(self, like: Tensor) -> Tensor:
        """[R, d] for rows `like` [..., R, d]; zeros where there are none."""
        if not self.config.positions:
            return torch.zeros_like(like[(0,) * (like.ndim - 2)])
        return self.place(torch.arange(self.config.rows, device=like.device)).to(like.dtype)


class Tower(nn.Module):
    """One cross-attention, one feed-forward. Both towers are this class, each with weights of its own."""

    def __init__(self, config: TowerConfig, operations=nn):
        super().__init__()
        self.config = config
        width = config.width
        self.norm_query = operations.LayerNorm(width)
        self.norm_key = operations.LayerNorm(width)
        self.query = operations.Linear(width, width)
        self.key = operations.Linear(width, width)
        self.value = operations.Linear(width, width)
        self.out = operations.Linear(width, width)
        self.norm_feed_forward = operations.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            operations.Linear(width, config.feed_forward), nn.GELU(), operations.Linear(config.feed_forward, width)
        )

    def forward(self, queries: Tensor, source: Tensor, positions: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """What each query row finds in the source: [B, Q, d], [B, P, d], positions [Q, d] -> [B, Q, d].

        Where padding_mask [B, P] is true there is no source row.
        """
        bias = None if padding_mask is None else mask_bias(padding_mask, queries)
        return self.attend(queries, *self.keys_values(source), positions, bias)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, P, head] of source rows [B, P, d]."""
        source = self.norm_key(source)
        return self.split(self.key(source)), self.split(self.value(source))

    def attend(
        self, queries: Tensor, key: Tensor, value: Tensor, positions: Tensor, bias: Tensor | None = None
    ) -> Tensor:
        """bias [Q, P] or [B, 1, Q, P] is added to the attention logits; -inf hides a source row from a query row."""
        query = self.split(self.query(self.norm_query(queries)))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = self.out(found.transpose(1, 2).flatten(2)) + positions
        if self.config.query_residual:
            x = x + queries
        return x + self.feed_forward(self.norm_feed_forward(x))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.config.heads, -1)).transpose(1, 2)  # B, heads, rows, head


class StyleTower(Tower):
    """Style of a set of pictures: each attends to all the others, and what was found stands side by side (METHOD.md,
    2)."""

    def of_set(
        self,
        rows: Tensor,
        positions: Tensor,
        weights: Tensor,
        on_pictures: OnCount | None = None,
        padding_mask: Tensor | None = None,
    ) -> Tensor:
        """rows [B, n, R, d], positions [R, d], weights [n] >= 0 -> style rows [B, n, R, d].

        None attends to a picture of weight 0, nor to a row where padding_mask [B, n, R] is true. One picture alone
        attends to itself. Pictures attend in groups, so that working memory stays the same however long the history is.
        `on_pictures` is told how many are done.
        """
        B, n, R, _ = rows.shape
        key, value = self.keys_values(rows.flatten(1, 2))
        bias = attended(weights).log().to(rows.dtype)  # log 0 = -inf hides the picture
        padding_bias = 0.0 if padding_mask is None else mask_bias(padding_mask.flatten(1), rows)  # B, 1, 1, n * R
        group = max(1, GROUP_LOGITS // (n * R * R))
        style = []
        for queries, its_bias in zip(rows.split(group, dim=1), bias.split(group), strict=True):
            row_bias = its_bias.repeat_interleave(R, 0).repeat_interleave(R, 1) + padding_bias  # group * R, n * R
            tiled = positions.repeat(queries.shape[1], 1)
            style.append(self.attend(queries.flatten(1, 2), key, value, tiled, row_bias).unflatten(1, (-1, R)))
            if on_pictures is not None:
                on_pictures(min(n, len(style) * group))
        return torch.cat(style, dim=1)


class SemanticTower(Tower):
    """Semantics of one picture: in training it attends to another view of it, when drawing to itself (METHOD.md, 2)."""


def attended(weights: Tensor) -> Tensor:
    """Weights [n] >= 0 of a history -> how much picture i attends to picture j [n, n]: none to itself, unless it is the
    only one that counts."""
    shares = weights.expand(len(weights), -1).clone()
    if (weights > 0).sum() > 1:
        shares.fill_diagonal_(0)
    return shares


def mask_bias(padding_mask: Tensor, like: Tensor) -> Tensor:
    """Attention bias [B, 1, 1, P] in the dtype of `like`: -inf where padding_mask [B, P] is true."""
    return torch.zeros_like(padding_mask, dtype=like.dtype).masked_fill(padding_mask, float("-inf"))[:, None, None]
