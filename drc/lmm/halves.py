"""Matrices whose numbers 16 bits hold exactly, read as such: the same numbers, half of the way from memory.

Weights are published in 16 bits and compute in 32. A step of a drawing reads all of them for a few rows, which takes as
long as memory needs to hand them over. FBGEMM, which torch brings for processors with AVX2, multiplies packed 16-bit
matrices with 32-bit numbers in 32 bits. So nothing is rounded that was not before; only the order of sums may be
another. torch has announced that it will close this door. Where there is none, matrices are read as they are.
"""

import warnings
from functools import cache
from itertools import chain

import torch
from torch import Tensor

from .integers import VECTORS

FEW = 32
"""Rows up to which half of the bytes is quicker; for more it is the processor that takes the time."""


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


class Halves:
    """The packed matrices of a model, which are kept from one drawing to the next: packing takes as long as ten steps.

    A copy of the model packs its own, because a copy of what is packed would be a pointer to memory of others.
    """

    def __init__(self):
        self.sums: list[int] | None = None
        self.groups: list[list[Tensor]] | None = None

    def __reduce__(self):  # of copies, too
        return Halves, ()

    def of(self, groups: list[tuple[Tensor, ...]]) -> list[list[Tensor]] | None:
        """Matrices [out, in] for `product`, packed unless they are as they were; None where there is no such product,
        or 16 bits do not hold every number."""
        matrices = list(chain.from_iterable(groups))
        if not has_product() or not all(matrix.is_cpu and matrix.dtype == torch.float32 for matrix in matrices):
            return None
        sums = [matrix.view(torch.int32).sum().item() for matrix in matrices]  # of bits, so that a change is noticed
        if self.sums != sums:
            exact = all(torch.equal(matrix.half().float(), matrix) for matrix in matrices)
            self.groups = [[pack(matrix) for matrix in group] for group in groups] if exact else None
            self.sums = sums
        return self.groups


def pack(matrix: Tensor) -> Tensor:
    return torch.fbgemm_pack_gemm_matrix_fp16(matrix.contiguous())


def product(rows: Tensor, matrix: Tensor) -> Tensor:
    """Rows [n, in] times a packed matrix [out, in] -> [n, out]."""
    return torch.fbgemm_linear_fp16_weight_fp32_activation(rows, matrix, None)


def product_into(rows: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    return out.copy_(product(rows, matrix))
