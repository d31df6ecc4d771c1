"""What the UNets of LaVIT's pixel decoders are conditioned on, with the picture and, for guidance, without it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import Condition
from .decoder import HighResolutionDecoder, LowResolutionDecoder


def high_resolution(decoder: HighResolutionDecoder, vectors: Sequence[Tensor]) -> tuple[Condition, Condition]:
    """Code vectors of every picture [n, code_size] -> positive and negative condition for SDXL; nothing is zeros."""
    prompt, pooled = decoder(vectors)
    return Condition(prompt, pooled), Condition(torch.zeros_like(prompt), torch.zeros_like(pooled))


def low_resolution(
    decoder: LowResolutionDecoder, vectors: Sequence[Tensor], empty_prompt: Tensor
) -> tuple[Condition, Condition]:
    """Code vectors of every picture [n, code_size] -> positive and negative condition for Stable Diffusion 1.5.

    Nothing is the embedding of the empty text [1, length, d], with hidden rows of zeros behind it.
    """
    prompt = decoder(vectors)
    B, N, _ = prompt.shape
    length = empty_prompt.shape[1]
    nothing = F.pad(empty_prompt.to(prompt), (0, 0, 0, N - length)).expand(B, -1, -1)
    every = torch.ones(B, N, dtype=torch.bool, device=prompt.device)
    its_rows = every & (torch.arange(N, device=prompt.device) < length)
    return Condition(prompt, mask=every), Condition(nothing, mask=its_rows)
