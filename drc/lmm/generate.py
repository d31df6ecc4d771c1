"""The one sampling loop: a language model draws the codes of pictures one after another.

All streams of the guidance and all pictures go through the model as one batch. Each picture draws from a generator of
its own, so it does not depend on its neighbours in the batch.

Sampling is the exponential race, another form of the Gumbel-max trick: every outcome gets a time from the exponential
distribution, divided by its probability, and the first to arrive has won with exactly its probability
(torch.multinomial does the same). The times do not depend on the model. So they come from the CPU before they are
needed, are the same on every device, and the device never has to be waited for. A time belongs to an outcome, not to
its rank among the likeliest: two that are almost equally likely may change ranks by rounding, and the winner stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..instruction import InContext, Instruction
from ..seeds import generator_from
from . import Autoregressive, OnCode
from .graph import record
from .llama import StaticCache

INTERVAL = 16  # codes between two looks at what the device has drawn
OUTCOMES = 2 * INTERVAL + 4  # numbers for each outcome that sampling holds at once of a picture: the times, twice


@dataclass(frozen=True)
class Sampling:
    temperature: float | Tensor = 1.0  # a tensor [B, 1] has one above 0 for each picture
    top_k: int = 0  # 0: off
    top_p: float = 1.0  # 1: off

    def of(self, instruction: Instruction | InContext) -> "Sampling":
        """With the temperature of what is to be drawn, where it is left to that: where it is below 0."""
        automatic = not isinstance(self.temperature, Tensor) and self.temperature < 0
        return replace(self, temperature=instruction.temperature) if automatic else self

    @property
    def takes_the_likeliest(self) -> bool:
        return not isinstance(self.temperature, Tensor) and self.temperature == 0


@torch.no_grad()
def generate(
    lmm: Autoregressive,
    instruction: Instruction,
    seeds: list[int],
    sampling: Sampling,
    on_code: OnCode | None = None,
    graph: bool = False,
) -> Tensor:
    """Codes [B, N] of one picture per seed.

    The instruction is one for all, or what `side_by_side` made, so that every picture has its own.
    `on_code(drawn, codes)` is called after every code with the number of codes drawn and all codes so far; it may raise
    to stop. With `graph` a step is one CUDA graph, for an LMM whose `follow` does not ask which code it is; see
    `drc.lmm.graph`.
    """
    B, S = len(seeds), instruction.coefficients.shape[-1]
    text, vectors = instruction.text.expand(B, S, -1), instruction.vectors.expand(B, S, -1, -1)
    text, vectors = text.flatten(0, 1), vectors.flatten(0, 1)  # B * S, ...
    prompt = lmm.prompt(text, vectors)
    return go_on(lmm, prompt, vectors, instruction.coefficients, seeds, sampling, on_code, graph)


def go_on(
    lmm: Autoregressive,
    prompt: Tensor,
    vectors: Tensor,
    coefficients: Tensor,
    seeds: list[int],
    sampling: Sampling,
    on_code: OnCode | None = None,
    graph: bool = False,
) -> Tensor:
    """The same after prompts [B * S, L, d] and their instruction vectors [B * S, K, d]."""
    B, S, N = len(seeds), coefficients.shape[-1], lmm.picture_codes
    length = prompt.shape[1]
    cache = lmm.cache(B * S, length if graph else length + N - 1, prompt)
    weights = coefficients.float().view(-1, S, 1)

    def logits(inputs: Tensor) -> Tensor:
        return (lmm.logits(inputs, cache).float().view(B, S, -1) * weights).sum(dim=1)

    def step(codes: Tensor) -> Tensor:
        index = cache.position - length
        return logits(lmm.follow(codes.view(B, 1).repeat_interleave(S, 0), index, vectors))

    first = logits(prompt)
    if graph:
        cache = StaticCache.following(cache, N - 1)
        step = record(step, first.argmax(dim=1), lambda: cache.position.fill_(length))
    return sample(first, step, seeds, sampling, N, on_code=on_code)


@torch.no_grad()
def sample(
    logits: Tensor,
    step: Callable[[Tensor], Tensor],
    seeds: list[int],
    sampling: Sampling,
    limit: int,
    end: int | None = None,
    minimum: int = 0,
    on_code: OnCode | None = None,
) -> Tensor:
    """Draws [B, n] outcomes, n <= limit, one sequence per seed.

    logits [B, outcomes] are those of the first; `step` takes what was drawn last, [B], and returns the logits of the
    next. The outcome `end`, barred before `minimum`, ends a sequence, which is filled up with it; when all have ended
    drawing stops. `on_code(drawn, outcomes)` is called after every step; it may raise to stop.
    """
    generators = [generator_from(seed) for seed in seeds]
    drawn = torch.zeros(len(seeds), limit, dtype=torch.long, device=logits.device)
    ended = torch.zeros(len(seeds), dtype=torch.bool, device=logits.device)
    bar = torch.zeros_like(logits[0])
    if end is not None:
        bar[end] = float("-inf")
    for index in range(limit):
        if index % INTERVAL == 0:
            noise = exponential_noise(generators, min(INTERVAL, limit - index), logits, sampling)
            if ended.all():  # the only wait for the device, while it had the last codes to do
                return drawn[:, :index]
        if index > 0:
            logits = step(drawn[:, index - 1])
        drawn[:, index] = draw(logits + bar if index < minimum else logits, sampling, noise[index % INTERVAL])
        if end is not None:
            drawn[:, index].masked_fill_(ended, end)
            ended |= drawn[:, index] == end
        if on_code is not None:
            on_code(index + 1, drawn[:, : index + 1])
    return drawn


def exponential_noise(generators: list[torch.Generator], steps: int, logits: Tensor, sampling: Sampling) -> Tensor:
    """The times [steps, B, outcomes] of the next steps' races for logits [B, outcomes]."""
    noise = torch.empty(steps, *logits.shape)
    if not sampling.takes_the_likeliest:
        for sequence, generator in enumerate(generators):
            for step in range(steps):
                noise[step, sequence].exponential_(generator=generator)
    return noise.to(logits.device)


def draw(logits: Tensor, sampling: Sampling, noise: Tensor) -> Tensor:
    """One outcome per sequence of logits [B, outcomes] -> [B], by the exponential race with noise [B, outcomes].

    Temperature 0 takes the likeliest.
    """
    if sampling.takes_the_likeliest:
        return logits.argmax(dim=-1)
    return (warp(logits, sampling).softmax(dim=-1) / noise).argmax(dim=-1)


def warp(logits: Tensor, sampling: Sampling) -> Tensor:
    """Logits [B, outcomes] at the temperature, minus infinity for what is not drawn from."""
    logits = logits / sampling.temperature
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if sampling.top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        beyond = shares.cumsum(dim=-1) - shares > sampling.top_p
        logits = logits.scatter(1, order, ordered.masked_fill(beyond, float("-inf")))
    return logits
