"""What the transformers of LaVIT's visual side have in common.

Their residual streams are float32, as under the autocast of the original; the matrix products compute in a `dtype`.
With layers of `torch.nn` that is the dtype of the weights, with the host's casting layers it may be another.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

Attend = Callable[
    [Tensor, Tensor, Tensor], Tensor
]  # query, key, value [B, heads, rows, head] -> [B, heads, rows, head]


class MLP(nn.Module):
    def __init__(self, width: int, hidden: int, operations):
        super().__init__()
        self.fc1 = operations.Linear(width, hidden)
        self.fc2 = operations.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, operations):
        super().__init__()
        self.heads = heads
        self.qkv = operations.Linear(width, 3 * width)
        self.proj = operations.Linear(width, width)

    def forward(self, x: Tensor, attend: Attend = F.scaled_dot_product_attention) -> Tensor:
        """[B, N, d] -> [B, N, d]"""
        query, key, value = (split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return self.proj(join(attend(query, key, value)))


class CrossAttention(nn.Module):
    def __init__(self, width: int, heads: int, operations):
        super().__init__()
        self.heads = heads
        self.query = operations.Linear(width, width)
        self.key = operations.Linear(width, width)
        self.value = operations.Linear(width, width)
        self.proj = operations.Linear(width, width)

    def forward(self, x: Tensor, rows: Tensor, attend: Attend) -> Tensor:
        """x [B, N, d] looks at rows [B, P, d] -> [B, N, d]"""
        query, key, value = self.query(x), self.key(rows), self.value(rows)
        return self.proj(join(attend(*(split(part, self.heads) for part in (query, key, value)))))


def split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # B, heads, rows, head


def join(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)  # B, rows, d
