"""The one sampling loop: a language model draws the codes of pictures one after another.

All streams of the guidance and all pictures go through the model as one batch. Each picture draws from a generator of
its own, so it does not depend on its neighbours in the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from . import LMM


@dataclass(frozen=True)
class Sampling:
    temperature: float = 1.0
    top_k: int = 0  # 0: off
    top_p: float = 1.0  # 1: off


@torch.no_grad()
def generate(
    lmm: LMM,
    text: Tensor,
    vectors: Tensor,
    coefficients: Tensor,
    seeds: list[int],
    sampling: Sampling,
    on_code: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Codes [B, N] of one picture per seed.

    text [S, T] int64, vectors [S, K, d] and coefficients [S] are the streams of one instruction; text [B, S, T],
    vectors [B, S, K, d] and coefficients [B, S] give every picture an instruction of its own. `on_code(drawn, codes)`
    is called after every code with the number of codes drawn and all codes so far; it may raise to stop.
    """
    B, S, N = len(seeds), coefficients.shape[-1], lmm.picture_codes
    text, vectors = text.expand(B, S, -1), vectors.expand(B, S, -1, -1)
    text, vectors = text.flatten(0, 1), vectors.flatten(0, 1)  # B * S, ...
    prompt = lmm.prompt(text, vectors)  # B * S, L, d
    cache = lmm.cache(B * S, prompt.shape[1] + N - 1, prompt)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    weights = coefficients.float().view(-1, S, 1)
    codes = torch.zeros(B, N, dtype=torch.long, device=prompt.device)
    inputs = prompt
    for index in range(N):
        logits = lmm.logits(inputs, cache).float().view(B, S, -1)
        codes[:, index] = draw((logits * weights).sum(dim=1), sampling, generators)
        if on_code is not None:
            on_code(index + 1, codes[:, : index + 1])
        if index + 1 < N:
            inputs = lmm.follow(codes[:, index : index + 1].repeat_interleave(S, 0), index, vectors)
    return codes


def draw(logits: Tensor, sampling: Sampling, generators: list[torch.Generator]) -> Tensor:
    """One code per row of logits [B, codes] -> [B]. Temperature 0 takes the likeliest."""
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits / sampling.temperature
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if sampling.top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        beyond = shares.cumsum(dim=-1) - shares > sampling.top_p
        logits = logits.scatter(1, order, ordered.masked_fill(beyond, float("-inf")))
    chances = logits.softmax(dim=-1).cpu()
    drawn = [torch.multinomial(row, 1, generator=generator) for row, generator in zip(chances, generators, strict=True)]
    return torch.cat(drawn).to(logits.device)
