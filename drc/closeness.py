"""How close the pictures of a history are to a reference in meaning, and weights that follow it (METHOD.md, 2)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .model import DRC
from .progress import OnCount


@torch.no_grad()
def closeness(model: DRC, codes: Tensor, reference: Tensor, on_pictures: OnCount | None = None) -> Tensor:
    """Codes of a history [n, N] and of a reference [N] -> [n], -1 to 1: how near to a row of the reference the nearest
    semantic row of the picture is, by cosine, the mean of all rows. `on_pictures` is told how many are done."""
    rows = F.normalize(model.semantics(reference).rows.float(), dim=-1)
    found = []
    for picture in codes:
        others = F.normalize(model.semantics(picture).rows.float(), dim=-1)
        found.append((rows @ others.T).amax(dim=1).mean())
        if on_pictures is not None:
            on_pictures(len(found))
    return torch.stack(found)


def weights_of(close: Tensor) -> Tensor:
    """Closeness [n] -> weights [n], 1 for the closest, e times less for each standard deviation that one is behind."""
    spread = close.std(unbiased=False)
    return ((close - close.max()) / spread).exp() if spread > 0 else torch.ones_like(close)
