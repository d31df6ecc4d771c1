"""What a judge is: it sees style and meaning of a picture as vectors; the product of two tells how alike they are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Features:
    """Unit vectors [pictures, channels]."""

    style: Tensor
    meaning: Tensor

    @property
    def joint(self) -> Tensor:
        return torch.cat((self.style, self.meaning), dim=-1) * 0.5**0.5

    def __getitem__(self, rows) -> "Features":
        return Features(self.style[rows], self.meaning[rows])


class Judge:
    """`version` changes when what it says does. `distance` is there where a judge can tell one."""

    name: str
    version: str
    distance: Callable[[Tensor, Tensor], Tensor] | None = None

    def __call__(self, images: Tensor) -> Features:
        """Pictures [B, 3, S, S] in 0..1, on any device -> features on the CPU."""
        raise NotImplementedError


@dataclass(frozen=True)
class Seen:
    """Pictures of a domain as a judge saw them: features, or other vectors, row by row of `rows`, which are sorted."""

    rows: np.ndarray
    features: Features | Tensor

    def __getitem__(self, rows) -> Features | Tensor:
        return self.features[torch.as_tensor(np.searchsorted(self.rows, np.asarray(rows)))]
