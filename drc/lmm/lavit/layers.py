"""What the transformers of LaVIT's visual side have in common.

Their residual streams are float32, as under the autocast of the original; the matrix products compute in a `dtype`.
With layers of `torch.nn` that is the dtype of the weights, with the host's casting layers it may be another.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from ..vision_layers import Attend, multi_head


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, operations):
        super().__init__()
        self.heads = heads
        self.qkv = operations.Linear(width, 3 * width)
        self.proj = operations.Linear(width, width)

    def forward(self, x: Tensor, attend: Attend = F.scaled_dot_product_attention) -> Tensor:
        """[B, N, d] -> [B, N, d]"""
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        return self.proj(multi_head(query, key, value, self.heads, attend))


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
        return self.proj(multi_head(self.query(x), self.key(rows), self.value(rows), self.heads, attend))
