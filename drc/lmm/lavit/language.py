"""The language model of LaVIT-7B-v2: LLaMA-2-7B whose vocabulary ends in the codes of pictures.

    0 .. 31999      text
    32000, 32001    image start, image end
    32002 ..        codes of the visual tokeniser; 48385 is the last

A prompt is text and codes of pictures in any order, and then image start. There is no beginning of sequence, and the
pictures in it have neither start nor end. Sizes, ids and guidance follow jy0205/LaVIT, models/lavit_for_generation.py.
Two things are ours:

    The limit of new codes is the one that is asked for. LaVIT overwrites it with the length of a prompt of ids.
    Only codes and image end are drawn. LaVIT also draws some special tokens, and drops them.
"""

import torch
from torch import Tensor

from .. import OnCode
from ..generate import OUTCOMES, Follow, Sampling, examples_of, following, sample
from ..graph import record
from ..integers import product
from ..llama import Cache, LlamaForCausalLM, SideBySide, StaticCache, cache_bytes, pass_bytes

IMAGE_START, IMAGE_END, FIRST_CODE = 32000, 32001, 32002
MOST_CODES = 256  # what the token decoder has positions for
END = 0  # among the outcomes of a step: image end, then the codes, as their rows lie in the head

Stream = tuple[float, list[Tensor]]


class LavitLanguage(LlamaForCausalLM):
    dtype: torch.dtype | None = None
    """What it computes in, with layers that cast their weights; None: what the weights are kept in."""

    def embed(self, ids: Tensor) -> Tensor:
        """Ids of any shape -> their rows of the input table [..., d]."""
        return self.model.embed_tokens(ids).to(self.dtype)

    def prompt(self, parts: list[Tensor]) -> Tensor:
        """Text ids and `code_ids` in the order given -> embeddings [T, d], image start last."""
        return self.embed(torch.cat((*parts, parts[0].new_tensor([IMAGE_START]))))

    def logits(self, hidden: Tensor) -> Tensor:
        """Last hidden states [..., d] -> logits [..., 1 + codes] of image end and the codes, never those of words.

        LaVIT guides with logarithms of probabilities over the whole vocabulary. Their normaliser is one number for a
        token of a stream, so after guidance it is one number for all outcomes of a step, and no draw depends on it.
        """
        return product(hidden, self.lm_head, IMAGE_END).float()


def code_ids(codes: Tensor) -> Tensor:
    """Codes of the visual tokeniser, from 0 -> ids of the language model."""
    return codes + FIRST_CODE


def guided(language: LavitLanguage, prompts: list[Tensor], guidance: float) -> list[Stream]:
    """The streams of LaVIT's classifier-free guidance, u + g (c - u) = g c + (1 - g) u; none but c when g is 1.

    u has seen nothing but image start and the codes drawn so far.
    """
    if guidance == 1:
        return [(1.0, prompts)]
    start = language.embed(torch.tensor([IMAGE_START], device=prompts[0].device))
    return [(guidance, prompts), (1 - guidance, [start])]


@torch.no_grad()
def draw_codes(
    language: LavitLanguage,
    streams: list[Stream],
    seeds: list[int],
    sampling: Sampling,
    limit: int = MOST_CODES,
    minimum: int = 20,
    on_code: OnCode | None = None,
    graph: bool = False,
    compiles: bool = False,
) -> list[Tensor]:
    """Codes [n] of one picture per seed, minimum <= n <= limit.

    A stream is a coefficient and prompts [T, d], one for every picture or one for all; a step draws from the sum of
    the streams' logits, each times its coefficient. `on_code(drawn, codes)` is called after every step with the number
    of codes drawn and all codes [B, drawn] so far, -1 where a picture has ended; it may raise to stop. With `graph` a
    step is one CUDA graph, kept for the next drawing, and with `compiles` compiled before; the whole language model
    must then lie on a CUDA device and stay there.

    A seed draws the same codes in any batch, as far as products of matrices of different heights round alike. Raises
    ValueError when limits or prompts are more than the model has positions for.
    """
    if not 1 <= minimum <= limit <= MOST_CODES:
        raise ValueError(
            f"the picture shall have {minimum} to {limit} codes, but a picture has 1 to {MOST_CODES}; "
            "change minimum or limit"
        )
    if graph:
        drawing, follow = recorded(language, streams, len(seeds), limit, sampling, compiles)
    else:
        language.recording.drop()
        drawing = Drawing(language, streams, len(seeds), limit)
        follow = following(drawing.step, sampling)

    def on_outcome(count: int, drawn: Tensor) -> None:
        on_code(count, drawn - 1)

    drawn = sample(drawing.first, follow, seeds, sampling, limit, END, minimum, on_code and on_outcome)
    return [sequence[sequence != END] - 1 for sequence in drawn]


def drawing_bytes(language: LavitLanguage, prompts: list[int], pictures: int, limit: int) -> int:
    """Memory that a Drawing takes beside the weights, of whose streams the longest prompts have so many tokens: the
    caches of all sequences, and for a while that of one prompt with its pass, or the outcomes of a step; and the
    largest layer once more where weights are kept in another type than they compute in."""
    config, stored = language.config, language.lm_head.weight.dtype
    dtype = language.dtype or stored
    outcomes = OUTCOMES * pictures * (config.vocab_size - IMAGE_END) * 4
    prompt = cache_bytes(config, 1, max(prompts), dtype) + pass_bytes(config, max(prompts), dtype)
    caches = sum(
        cache_bytes(config, len(some) * pictures, StaticCache.slots_of(max(some), limit), dtype)
        for some in of_a_length(prompts, limit)
    )
    cast = 0 if stored == dtype else 2 * config.intermediate_size * config.hidden_size * dtype.itemsize
    return caches + max(prompt, outcomes) + cast


def of_a_length(prompts: list[int], limit: int) -> list[list[int]]:
    """The lengths of the prompts of streams, in their order, parted where the next needs less than half of the slots of
    those before, or more than twice as many: much less memory for a few more operations."""
    groups = [[prompts[0]]]
    for one in prompts[1:]:
        fewer, more = sorted(StaticCache.slots_of(length, limit) for length in (one, max(groups[-1])))
        if 2 * fewer < more:
            groups.append([])
        groups[-1].append(one)
    return groups


def lengths_of(language: LavitLanguage, streams: list[Stream], limit: int) -> list[int]:
    """Of the longest prompt of every stream; ValueError where the language model has not as many positions."""
    lengths = [max(map(len, prompts)) for _, prompts in streams]
    most = language.config.max_position_embeddings
    if max(lengths) + limit > most:
        raise ValueError(
            f"the prompt takes {max(lengths)} tokens and the picture up to {limit}, but this model reads at most "
            f"{most}; use fewer pictures or a shorter text"
        )
    return lengths


def layout_of(lengths: list[int], limit: int) -> tuple[tuple[int, int], ...]:
    """How many streams each cache of a Drawing has, and how many slots: equal where it can draw for another."""
    return tuple((len(some), StaticCache.slots_of(max(some), limit)) for some in of_a_length(lengths, limit))


def recorded(
    language: LavitLanguage, streams: list[Stream], pictures: int, limit: int, sampling: Sampling, compiles: bool
) -> tuple["Drawing", Follow]:
    """A Drawing, and what draws its outcomes as one CUDA graph: those of the drawing before, where it was laid out
    alike."""
    layout = layout_of(lengths_of(language, streams, limit), limit)
    key = layout, pictures, limit, streams[0][1][0].dtype, sampling.key, compiles
    if (kept := language.recording.find(language, key)) is not None:
        kept[0].begin(streams)
        return kept
    drawing = Drawing(language, streams, pictures, limit)
    follow = record(following(drawing.step, sampling), examples_of(drawing.first), drawing.cache.rewind, compiles)
    language.recording.keep(language, key, (drawing, follow))
    return drawing, follow


class Drawing:
    """The pictures of one call: all streams of all pictures are sequences of one batch, and of one static cache but
    where the prompts of streams are of very different lengths.

    `first` [B, 1 + codes] are the logits of the first outcome. A prompt goes through the model alone, once for all
    pictures that share it: it needs no padding, and its numbers do not depend on the neighbours.
    """

    def __init__(self, language: LavitLanguage, streams: list[Stream], pictures: int, limit: int):
        self.language, self.pictures = language, pictures
        lengths, like = lengths_of(language, streams, limit), streams[0][1][0]
        self.coefficients = torch.empty(len(streams), 1, 1, device=like.device)
        self.caches = [
            StaticCache(language.config, len(some) * pictures, max(some), limit, like)
            for some in of_a_length(lengths, limit)
        ]
        self.cache = self.caches[0] if len(self.caches) == 1 else SideBySide(self.caches)
        self.begin(streams)

    def begin(self, streams: list[Stream]) -> None:
        """Reads prompts of the same layout, see `layout_of`, in place of those before."""
        self.coefficients.copy_(torch.tensor([coefficient for coefficient, _ in streams]).view(-1, 1, 1))
        logits, rest = [], [prompts for _, prompts in streams]
        for cache in self.caches:
            for first in range(0, len(cache.padding), self.pictures):
                logits.append(self.read(rest.pop(0), cache, first))
        self.first = self.together(torch.cat(logits))
        self.cache.rewind()

    def read(self, prompts: list[Tensor], cache: StaticCache, first: int) -> Tensor:
        """Reads the prompts of a stream into a cache, from `first` on -> logits [B, 1 + codes] of the first outcome."""
        logits, share = [], self.pictures // len(prompts)  # pictures to a prompt
        for prompt in prompts:
            memory = Cache(self.language.config, 1, len(prompt), prompt)
            last = self.language.hidden(prompt[None], memory)[:, -1]  # 1, d
            logits.append(self.language.logits(last).expand(share, -1))
            cache.fill(slice(first, first + share), memory)
            first += share
        return torch.cat(logits)

    def step(self, drawn: Tensor) -> Tensor:
        """The outcomes drawn last [B] -> logits [B, 1 + codes] of the next."""
        ids = (drawn + IMAGE_END).repeat(len(self.coefficients))  # streams * B
        hidden = self.language.hidden(self.language.embed(ids)[:, None], self.cache)
        return self.together(self.language.logits(hidden[:, 0]))

    def together(self, logits: Tensor) -> Tensor:
        """Logits [streams * B, outcomes] -> their weighted sum [B, outcomes]."""
        return (logits.view(len(self.coefficients), self.pictures, -1) * self.coefficients).sum(dim=0)
