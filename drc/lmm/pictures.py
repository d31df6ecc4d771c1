"""Many pictures through the vision part of an LMM, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from . import LMM

PICTURES = 16
"""At once, so that working memory does not grow with their number."""
MEMORY_PER_PIXEL = 512
"""Bytes of it that each takes: three times what the visual tokeniser takes on a CPU, for the workspace of a GPU."""


def codes_of(
    lmm: LMM,
    squares: Iterable[Tensor],
    device: torch.device | str,
    on_pictures: Callable[[int], None] | None = None,
) -> Tensor:
    """Pictures [3, size, size] in 0..1, made as they are needed, -> codes [n, N] on `device`; `on_pictures` is told how
    many are done."""
    squares, found, done = iter(squares), [], 0
    while some := list(islice(squares, PICTURES)):
        found.append(lmm.tokenize(torch.stack(some).to(device)))
        done += len(some)
        if on_pictures is not None:
            on_pictures(done)
    return torch.cat(found)
