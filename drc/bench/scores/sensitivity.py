"""Does a model listen to history and reference? What a wrong one adds to the loss on the cases of a test."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...lmm.pictures import codes_of
from ...model import DRC
from ...pixels import resized
from ...train.data.batches import BatchCodes
from ...train.objectives.stages import Stage2
from ...train.validation import gaps
from ..cases.domain import Case, Domain

BATCH = 20


def sensitivity(drc: DRC, domain: Domain, cases: Sequence[Case], history: str) -> dict[str, float]:
    """Mean over batches of `drc.train.validation.gaps`; the wrong reference or history is that of the next case."""
    found, objective = [], Stage2(drc)
    device = next(drc.parameters()).device
    for first in range(0, len(cases) - 1, BATCH):
        some = cases[first : first + BATCH]
        rows = [[case.target, case.reference, *case.given(history)] for case in some]
        batch = as_batch(drc, domain.images(rows, device))
        found.append(gaps(objective, batch, drc.lmm.blank_code, drc.config.tower.rows, device))
    return {name: float(np.mean([numbers[name] for numbers in found])) for name in found[0]}


@torch.no_grad()
def as_batch(drc: DRC, images: Tensor) -> BatchCodes:
    """Target, reference and history of every case [B, 2 + n, 3, S, S] -> a batch without text."""
    squares = resized(images.flatten(0, 1), drc.lmm.image_size)
    codes = codes_of(drc.lmm, squares, images.device).cpu().unflatten(0, images.shape[:2])
    text = torch.zeros(len(images), drc.lmm.text_slots, dtype=torch.long)
    return BatchCodes(codes[:, 0], codes[:, 2:], codes[:, 1], codes[:, 1], text)
