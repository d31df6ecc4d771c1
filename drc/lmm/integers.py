"""Matrices as 8-bit integers, each row with a scale of its own.

As small as float8 and several times as exact: the root mean square of the error is about 0.9 % of that of the weights,
in float8 3 to 6 %. Where torch has a product of few rows with integers, they are read as they are: on a processor that
is five to twelve times as fast as turning them into 16 or 32 bits first, which is what happens everywhere else. There
they are cast for the product like any other type, and what comes out is scaled, so a host that moves and casts weights
needs to know nothing of it.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOST = 127
ROOM = 2.0**-7
"""Float16 ends at 65,504, which a row of integers times numbers of a hidden state may pass before it is scaled."""
FEW = 32
"""Rows up to which the product with integers is the quicker one."""
STEP = 32
"""It reads so many numbers at a time, and beyond the end of a row that is no multiple of them."""
VECTORS = ("AVX2", "AVX512")
"""What processors are called for which it was written, by torch; for others it is slow."""


def is_kept_as_integers(layer: nn.Module) -> bool:
    return getattr(layer, "row_scales", None) is not None


def keep_as_integers(layer: nn.Linear) -> None:
    """From now on; a bias would be scaled, too, so a layer that has one stays as it is."""
    if layer.bias is not None:
        return
    weight = layer.weight.detach().float()
    # In bfloat16, as most compute in it: what scales is then exactly what was divided by.
    scales = (weight.abs().amax(dim=1) / MOST).clamp(min=torch.finfo(torch.bfloat16).tiny).bfloat16()
    integers = (weight / scales.float()[:, None]).round().clamp(-MOST, MOST).to(torch.int8)
    layer.weight = nn.Parameter(integers, requires_grad=False)
    layer.register_buffer("row_scales", scales, persistent=False)
    layer.__class__ = of_integers(type(layer))


class OfIntegers(nn.Module):
    """Stands before a kind of layer, which is the host's, that casts its weights itself."""

    def forward(self, x: Tensor) -> Tensor:
        if reads_integers(x, self.weight):
            return read_as_they_are(x, self.weight, self.row_scales)
        room = room_of(x)
        y = super().forward(x if room == 1.0 else x * room)
        return y.mul_((self.row_scales / room).to(y))


@cache
def has_product() -> bool:
    known = hasattr(torch, "_weight_int8pack_mm")  # it is not of torch's public interface
    return known and torch.backends.cpu.get_cpu_capability() in VECTORS


@cache
def of_integers(kind: type[nn.Module]) -> type[nn.Module]:
    return type(kind.__name__, (OfIntegers, kind), {})


def reads_integers(x: Tensor, weight: Tensor) -> bool:
    """Whether torch has a product for them that is quicker than one of numbers that are cast."""
    here = x.is_cpu and weight.is_cpu and weight.dtype == torch.int8 and has_product()
    few = x.numel() <= FEW * x.shape[-1] and x.shape[-1] % STEP == 0
    return here and few and not (x.requires_grad and torch.is_grad_enabled())


def read_as_they_are(x: Tensor, weight: Tensor, scales: Tensor) -> Tensor:
    """In bfloat16, whose rounding is a fifth of that of the integers; in float32 the product is slower than a cast."""
    rows = x.reshape(-1, x.shape[-1]).bfloat16().contiguous()
    return torch._weight_int8pack_mm(rows, weight, scales).to(x.dtype).view(*x.shape[:-1], -1)


def room_of(x: Tensor) -> float:
    return ROOM if x.dtype == torch.float16 else 1.0


def product(x: Tensor, layer: nn.Linear, first: int) -> Tensor:
    """`x` times the rows of a layer from `first` on, in whatever type they are kept."""
    weight = layer.weight[first:]
    if not is_kept_as_integers(layer):
        return F.linear(x, weight.to(x))
    scales = layer.row_scales[first:]
    if reads_integers(x, weight):
        return read_as_they_are(x, weight, scales)
    return F.linear(x * room_of(x), weight.to(x)).mul_((scales / room_of(x)).to(x))
