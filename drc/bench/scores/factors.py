"""Which parts of a style and of a meaning a model drew right, where pictures exist that differ in one part alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CANVAS = 32


def canvas(images: Tensor) -> Tensor:
    """Pictures [B, 3, S, S] in 0..1 -> colours of 32 x 32 boxes [B, 3072].

    Pictures that differ in one part alone lie on each other everywhere else, so that here, unlike between different
    pictures, the nearest one in plain colours is the right one.
    """
    return F.avg_pool2d(images, images.shape[-1] // CANVAS).flatten(1)


def factor_scores(
    drawn: Tensor, seen: Tensor, targets: Sequence[int], rivals: Sequence[Mapping[str, Sequence[int]]]
) -> dict[str, np.ndarray]:
    """Factor -> one number for each output: 1 where the true target is nearer than every rival, 0 where one is as near.

    drawn: vectors [outputs, f] of what was drawn, of `canvas` or of a judge. seen: vectors of pictures, which targets
    and rivals index. rivals: for each output, by factor, the pictures that differ from its target in that factor alone;
    without any for a factor its number is nan.
    """
    names = dict.fromkeys(name for its_rivals in rivals for name in its_rivals)
    result = {name: np.full(len(targets), np.nan) for name in names}
    for output, (target, its_rivals) in enumerate(zip(targets, rivals, strict=True)):
        for name, rows in its_rivals.items():
            if len(rows):
                distance = torch.linalg.vector_norm(seen[[target, *rows]] - drawn[output], dim=1)
                result[name][output] = bool((distance[0] < distance[1:]).all())
    return result
