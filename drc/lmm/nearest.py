"""The code of a vector: the nearest of many directions."""

import math

import torch
from torch import Tensor

PART = 128  # vectors at once on a CPU, whose scores then stay in its cache
BLOCK = 64  # scores of which only the greatest is looked for, which is many times as quick as to ask where it is


def nearest(vectors: Tensor, directions: Tensor) -> Tensor:
    """Vectors [..., size] and directions [codes, size], both float32 -> codes [...]: those of the greatest product, the
    first among equals. In float32 under any autocast, as many are nearly as near."""
    with torch.autocast(vectors.device.type, enabled=False):
        if not vectors.is_cpu:
            return (vectors @ directions.T).argmax(dim=-1)
        parts = vectors.flatten(0, -2).split(PART)
        return torch.cat([first_greatest(part @ directions.T) for part in parts]).view(vectors.shape[:-1])


def first_greatest(scores: Tensor) -> Tensor:
    """`scores.argmax(dim=-1)` of scores [n, codes]: the block that holds the greatest, then its position in there."""
    size = math.gcd(scores.shape[1], BLOCK)
    blocks = scores.unflatten(1, (-1, size))
    block = blocks.amax(dim=-1).argmax(dim=-1)
    rows = torch.arange(len(scores), device=scores.device)
    return block * size + blocks[rows, block].argmax(dim=-1)
