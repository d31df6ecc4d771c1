"""Where the towers looked: the share of attention that each row of each picture got, averaged over heads and queries.

A share tells what was read, not what came of it; with no residual around the attention of a tower (see `drc.towers`)
nothing else of the source can have reached a feature.
"""

import numpy as np
import torch
from torch import Tensor

from .model import DRC
from .towers import Tower, attended

COLD, HOT = np.array([24, 26, 40]), np.array([255, 196, 64])  # colours of no attention and of the most
VEIL = 0.65  # how much of the picture the colours cover


@torch.no_grad()
def style_attention(drc: DRC, codes: Tensor, weights: Tensor) -> Tensor:
    """Codes of a history [n, N] and weights [n] >= 0 -> shares [n, R] that add up to 1."""
    disentangler = drc.disentangler
    rows = disentangler.rows(drc.lmm.embed(codes)[None])[0]  # n, R, d
    bias = attended(weights).log().repeat_interleave(rows.shape[1], dim=1)  # n, n * R
    shares = [
        attention(disentangler.style_tower, one, rows.flatten(0, 1), its_bias)
        for one, its_bias in zip(rows, bias, strict=True)
    ]
    querying = weights / weights.sum()
    return (torch.stack(shares) * querying[:, None]).sum(dim=0).unflatten(0, (len(rows), -1))


@torch.no_grad()
def semantic_attention(drc: DRC, codes: Tensor) -> Tensor:
    """Codes of a reference [N] -> shares [R] that add up to 1."""
    rows = drc.disentangler.rows(drc.lmm.meaning(codes)[None, None])[0, 0]
    return attention(drc.disentangler.semantic_tower, rows, rows, rows.new_zeros(len(rows)))


def attention(tower: Tower, queries: Tensor, source: Tensor, bias: Tensor) -> Tensor:
    """queries [Q, d], source [P, d] and bias [P] on the logits -> the mean share [P] of each source row."""
    query = tower.split(tower.query(tower.norm_query(queries))[None])  # 1, heads, Q, head
    key, _ = tower.keys_values(source[None])
    logits = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5 + bias
    return logits.float().softmax(dim=-1).mean(dim=(0, 1, 2))


def heat(picture: np.ndarray, shares: np.ndarray, least: float, most: float) -> np.ndarray:
    """The picture uint8 [H, W, 3] in grey under the colours of its shares [R]: `least` is dark, `most` glows."""
    side = round(len(shares) ** 0.5)
    height, width = picture.shape[:2]
    rows, columns = np.arange(height) * side // height, np.arange(width) * side // width
    glow = np.clip((shares - least) / max(most - least, 1e-9), 0, 1).reshape(side, side)[
        rows[:, None], columns[None], None
    ]
    grey = picture.mean(axis=2, keepdims=True)
    colour = COLD + (HOT - COLD) * glow
    return ((1 - VEIL) * grey + VEIL * colour).round().astype(np.uint8)
