"""What transformers that see have in common."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Query [B, heads, N, head], key and value [B, heads, P, head] -> [B, heads, N, head]."""


class MLP(nn.Module):
    """Two layers with a GELU between them, the exact one."""

    def __init__(self, width: int, hidden: int, operations):
        super().__init__()
        self.fc1 = operations.Linear(width, hidden)
        self.fc2 = operations.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


def multi_head(
    query: Tensor, key: Tensor, value: Tensor, heads: int, attend: Attend = F.scaled_dot_product_attention
) -> Tensor:
    """query [B, N, d], key and value [B, P, d] -> [B, N, d]"""
    query, key, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return attend(query, key, value).transpose(1, 2).flatten(2)
