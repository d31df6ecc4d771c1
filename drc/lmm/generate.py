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
from .llama import Cache, StaticCache

INTERVAL = 16  # codes between two looks at what the device has drawn
OUTCOMES = 2 * INTERVAL + 4  # numbers for each outcome that sampling holds at once of a picture: the times, twice


Follow = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The outcomes drawn last [B], the times of the next race [B, outcomes] and what bars outcomes [outcomes] -> the
outcomes drawn next [B]."""


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
    def key(self) -> tuple:
        """Equal for what draws alike; temperatures that lie in a tensor are never known to."""
        fixed = not isinstance(self.temperature, Tensor)
        return self.temperature if fixed else object(), self.top_k, self.top_p

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
    compiles: bool = False,
) -> Tensor:
    """Codes [B, N] of one picture per seed.

    The instruction is one for all, or what `side_by_side` made, so that every picture has its own.
    `on_code(drawn, codes)` is called after every code with the number of codes drawn and all codes so far; it may raise
    to stop. With `graph` a step is one CUDA graph, which is kept for the next drawing, and with `compiles`
    also compiled, see `drc.lmm.graph`.
    """
    B, S = len(seeds), instruction.coefficients.shape[-1]
    text, vectors = instruction.text.expand(B, S, -1), instruction.vectors.expand(B, S, -1, -1)
    text, vectors = text.flatten(0, 1), vectors.flatten(0, 1)  # B * S, ...
    prompt = lmm.prompt(text, vectors)
    return go_on(lmm, prompt, lmm.places(vectors), instruction.coefficients, seeds, sampling, on_code, graph, compiles)


def go_on(
    lmm: Autoregressive,
    prompt: Tensor,
    places: Tensor,
    coefficients: Tensor,
    seeds: list[int],
    sampling: Sampling,
    on_code: OnCode | None = None,
    graph: bool = False,
    compiles: bool = False,
) -> Tensor:
    """The same after prompts [B * S, L, d], and with what is known of the places of codes [B * S, N or 0, d]."""
    B, S, N = len(seeds), coefficients.shape[-1], lmm.picture_codes
    length = prompt.shape[1]
    cache = lmm.cache(B * S, length if graph else length + N - 1, prompt)
    drawing = Drawing(lmm, cache, length, places, coefficients.float().view(-1, S, 1))
    first = drawing.logits(prompt)
    if graph:
        follow = recorded(drawing, first, sampling, compiles)
    else:
        lmm.language.recording.drop()
        follow = following(drawing.step, sampling)
    return sample(first, follow, seeds, sampling, N, on_code=on_code)


class Drawing:
    """The pictures of one call: all streams of all pictures are sequences of one batch, `cache` knows their prompts of
    `length` tokens, and a step draws from the sum of a picture's streams, each times its coefficient [B or 1, S, 1]."""

    def __init__(self, lmm: Autoregressive, cache: Cache, length: int, places: Tensor, coefficients: Tensor):
        self.lmm, self.cache, self.length = lmm, cache, length
        self.places, self.coefficients = places, coefficients

    def logits(self, inputs: Tensor) -> Tensor:
        """Embeddings [B * S, n, d] -> logits [B, outcomes] of the code that follows them."""
        logits = self.lmm.logits(inputs, self.cache).float()
        return (logits.unflatten(0, (-1, self.coefficients.shape[1])) * self.coefficients).sum(dim=1)

    def step(self, codes: Tensor) -> Tensor:
        """The codes drawn last [B] -> logits [B, outcomes] of the next."""
        index = self.cache.position - self.length
        codes = codes[:, None].repeat_interleave(self.coefficients.shape[1], 0)
        return self.logits(self.lmm.follow(codes, index, self.places))

    def go_on_from(self, other: "Drawing") -> None:
        """Takes the place of another of the same shapes that has read its prompts, in the memory that it has."""
        self.places.copy_(other.places)
        self.coefficients.copy_(other.coefficients)
        self.cache.fill(slice(None), other.cache)
        self.cache.rewind()


def recorded(drawing: Drawing, first: Tensor, sampling: Sampling, compiles: bool) -> Follow:
    """`following` of a drawing whose prompts are read, as one CUDA graph: the one of the drawing before, where that was
    of the same shapes."""
    language, prompts, steps = drawing.lmm.language, drawing.cache, drawing.lmm.picture_codes - 1
    shapes = first.shape, drawing.places.shape, drawing.coefficients.shape
    key = StaticCache.slots_of(drawing.length, steps), prompts.tensor.dtype, shapes, sampling.key, compiles
    if (kept := language.recording.find(language, key)) is None:
        cache = StaticCache.following(prompts, steps)
        still = Drawing(drawing.lmm, cache, cache.prompt, drawing.places.clone(), drawing.coefficients.clone())
        kept = still, record(following(still.step, sampling), examples_of(first), cache.rewind, compiles)
        language.recording.keep(language, key, kept)
    still, follow = kept
    still.go_on_from(drawing)
    return follow


def following(step: Callable[[Tensor], Tensor], sampling: Sampling) -> Follow:
    """By a step, which takes the outcomes drawn last and returns logits [B, outcomes] of the next."""
    return lambda last, times, bar: draw(step(last) + bar, sampling, times)


def examples_of(first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a Follow takes, where the logits [B, outcomes] of the first outcome are these."""
    return first.argmax(dim=1), torch.ones_like(first), torch.zeros_like(first[0])


@torch.no_grad()
def sample(
    first: Tensor,
    follow: Follow,
    seeds: list[int],
    sampling: Sampling,
    limit: int,
    end: int | None = None,
    minimum: int = 0,
    on_code: OnCode | None = None,
) -> Tensor:
    """Draws [B, n] outcomes, n <= limit, one sequence per seed.

    `first` [B, outcomes] are the logits of the first; `follow` draws the others. The outcome `end`, barred before
    `minimum`, ends a sequence, which is filled up with it; when all have ended drawing stops. `on_code(drawn,
    outcomes)` is called after every step; it may raise to stop.
    """
    generators = [generator_from(seed) for seed in seeds]
    drawn = torch.zeros(len(seeds), limit, dtype=torch.long, device=first.device)
    ended = torch.zeros(len(seeds), dtype=torch.bool, device=first.device)
    free = torch.zeros_like(first[0])
    barred = free.clone()
    if end is not None:
        barred[end] = float("-inf")
    for index in range(limit):
        if index % INTERVAL == 0:
            noise = exponential_noise(generators, min(INTERVAL, limit - index), first, sampling)
            if ended.all():  # the only wait for the device, while it had the last codes to do
                return drawn[:, :index]
        times, bar = noise[index % INTERVAL], barred if index < minimum else free
        if index > 0:
            drawn[:, index] = follow(drawn[:, index - 1], times, bar)
        else:
            drawn[:, index] = draw(first + bar, sampling, times)
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
