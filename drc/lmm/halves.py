"""Matrices whose numbers 16 bits hold exactly, read as such: the same numbers, half of the way from memory.

Weights are published in 16 bits and compute in 32. A step of a drawing reads all of them for a few rows, which takes as
long as memory needs to hand them over. FBGEMM, which torch brings for processors with AVX2, multiplies packed 16-bit
matrices with 32-bit numbers in 32 bits. So nothing is rounded that was not before; only the order of sums may be
another. torch has announced that it will close this door. Where there is none, matrices are read as they are.
"""

import warnings
from functools import cache
from itertools import chain
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from .integers import VECTORS

FEW = 32
"""Rows up to which half of the bytes is quicker; for more it is the processor that takes the time."""
PACKED: WeakKeyDictionary[nn.Module, tuple[list[int], list[list[Tensor]]]] = WeakKeyDictionary()
"""Of models, the sums of their matrices and what was packed, which takes as long as ten steps. It is kept in no model,
because a copy of what is packed would be a pointer to memory that it does not own."""


@cache
def has_product() -> bool:
    """Whether torch has it, and it works on this processor."""
    if torch.backends.cpu.get_cpu_capability() not in VECTORS:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says once that this door will close
        try:
            return product(torch.tensor([[1.0, 2.0]]), pack(torch.tensor([[3.0, 4.0]]))).item() == 11.0
        except (AttributeError, RuntimeError, TypeError):  # it is closed, was built without, or wants a bias
            return False


def packed(model: nn.Module, groups: list[tuple[Tensor, ...]]) -> list[list[Tensor]] | None:
    """Matrices [out, in] of a model for `product`, packed unless they are as they were; None where there is no such
    product, or 16 bits do not hold every number."""
    matrices = list(chain.from_iterable(groups))
    if not has_product() or not all(matrix.is_cpu and matrix.dtype == torch.float32 for matrix in matrices):
        return None
    sums = [matrix.view(torch.int32).sum().item() for matrix in matrices]  # of bits, so that a change is noticed
    known, found = PACKED.pop(model, (None, None))
    if known != sums:
        if not all(torch.equal(matrix.half().float(), matrix) for matrix in matrices):
            return None
        found = [[pack(matrix) for matrix in group] for group in groups]
    PACKED[model] = sums, found
    return found


def pack(matrix: Tensor) -> Tensor:
    return torch.fbgemm_pack_gemm_matrix_fp16(matrix.contiguous())


def product(rows: Tensor, matrix: Tensor) -> Tensor:
    """Rows [n, in] times a packed matrix [out, in] -> [n, out]."""
    return torch.fbgemm_linear_fp16_weight_fp32_activation(rows, matrix, None)


def product_into(rows: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    return out.copy_(product(rows, matrix))
