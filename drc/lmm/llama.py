"""A decoder-only transformer of the LLaMA kind, in state dicts with Hugging Face's parameter names.

Touvron et al., "LLaMA" (2023): pre-RMSNorm, rotary positions, SwiGLU, no biases. It is held against
`transformers.LlamaForCausalLM` by tests/test_llama.py. Written for embeddings in, logits out, because an instruction
of DRC enters the language model as vectors that no token stands for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..parsing import Between, Count, Epsilon, Size, brief, read
from .fused import name_apart
from .graph import Recording
from .halves import Halves

PLAIN = {
    "rope_scaling": None,
    "rope_parameters": None,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
    "hidden_act": "silu",
}
"""Settings that would change what the model computes, and how it is here."""


@dataclass(frozen=True)
class LlamaConfig:
    vocab_size: Size
    hidden_size: Size
    intermediate_size: Size
    num_hidden_layers: Count
    num_attention_heads: Count
    num_key_value_heads: Count
    rms_norm_eps: Epsilon = 1e-5
    rope_theta: Annotated[float, Between(1.0, 1e12)] = 10000.0
    max_position_embeddings: Annotated[int, range(1, 2**20 + 1)] = (
        2048  # no table has this length; beyond it the model was not trained
    )

    @classmethod
    def read(cls, settings: dict) -> "LlamaConfig":
        """What a config.json of Hugging Face says; older ones leave out what later models brought.

        ValueError with the rest of a sentence where a size is missing or out of bounds, or where it asks for what this
        model has not.
        """
        settings = with_rope_theta(settings)
        for name, ours in PLAIN.items():
            if settings.get(name) not in (None, ours):
                raise ValueError(f"has {name} {brief(settings[name])}, expected {'none' if ours is None else ours}")
        given = {one.name: settings[one.name] for one in fields(cls) if settings.get(one.name) is not None}
        if "num_attention_heads" in given:
            given.setdefault("num_key_value_heads", given["num_attention_heads"])
        found = read(cls, given)
        if settings.get("head_dim") not in (None, found.head_size):
            raise ValueError(f"has head_dim {brief(settings['head_dim'])}, expected {found.head_size} for its heads")
        return found

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads


def with_rope_theta(settings: dict) -> dict:
    """What later versions of transformers write as the parameters of plain rotary positions, as earlier ones do."""
    rope = settings.get("rope_parameters")
    if not isinstance(rope, dict) or rope.keys() - {"rope_type", "rope_theta"} or rope.get("rope_type") != "default":
        return settings
    return settings | {"rope_parameters": None} | {name: rope[name] for name in ("rope_theta",) if name in rope}


class Cache:
    """What a sequence of known length needs again at every step, allocated once.

    `tensor` [layers, B, 2, heads, length, head] holds the keys and values of every layer, `layers` are views of it,
    `rotation` the rotary tables.
    """

    step: Callable[[Tensor], Tensor] | None = None
    """A quicker way, where a cache has one: embeddings [B, d] of one token each -> last hidden states [B, d]."""
    head: Callable[[Tensor], Tensor] | None = None
    """A quicker `lm_head`, where it has one: hidden states [B, d] -> logits [B, outputs]."""

    def __init__(self, config: LlamaConfig, batch: int, length: int, like: Tensor):
        self.config, heads = config, config.num_key_value_heads
        self.tensor = like.new_empty(config.num_hidden_layers, batch, 2, heads, length, config.head_size)
        self.layers = [tuple(layer.unbind(1)) for layer in self.tensor.unbind()]
        self.rotation = rotary(config, length, like)
        self.position = 0

    def place(self, length: int) -> tuple[tuple[Tensor, Tensor], Tensor | None]:
        """The rotation of the next `length` tokens, and the mask of what they may look at; None: all before them."""
        rotation = tuple(table[self.position : self.position + length] for table in self.rotation)
        masked = length > 1 and self.position > 0
        return rotation, causal_mask(length, self.position, self.tensor.device) if masked else None

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """What queries [B, heads, T, head] of the next tokens find, whose own keys and values are given, among all
        tokens so far."""
        return attention(query, *self.extend(layer, key, value), mask)

    def advance(self, length: int) -> None:
        """So many tokens went through all layers."""
        self.position += length

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, T, head] of the next tokens -> of all tokens so far."""
        first, count = self.position, key.shape[2]
        keys, values = self.layers[layer]
        keys.narrow(2, first, count).copy_(key)
        values.narrow(2, first, count).copy_(value)
        return keys.narrow(2, 0, first + count), values.narrow(2, 0, first + count)


def cache_bytes(config: LlamaConfig, batch: int, length: int, dtype: torch.dtype) -> int:
    """What the tensor of a `Cache` takes. Without making one: even on the device that takes no memory, its rotary
    tables would have torch import its decompositions, which takes seconds."""
    numbers = config.num_hidden_layers * 2 * batch * config.num_key_value_heads * length * config.head_size
    return numbers * dtype.itemsize


def pass_bytes(config: LlamaConfig, tokens: int, dtype: torch.dtype) -> int:
    """The most that so many tokens take at a time on their way through the layers, beside keys and values: numbers of a
    token that are alive where a layer has rotated queries and keys, or where it has multiplied gate and up."""
    width, heads = config.hidden_size, config.num_attention_heads + config.num_key_value_heads
    attention = 3 * width + (4 * heads + config.num_key_value_heads) * config.head_size
    return tokens * max(attention, 4 * width + 4 * config.intermediate_size) * dtype.itemsize


class StaticCache(Cache):
    """Sequences of unequal prompts that go on one token a step, all in the same slot.

    Every step has the same shapes and its position lies on the device, so that a CUDA graph can replay it. The prompts
    are padded on the left, to `prompt` slots, of which there are a few more than asked for, so that prompts of about a
    length leave the same shapes: `padding` [B] is how many slots of a sequence come before its position 0.
    """

    def __init__(self, config: LlamaConfig, batch: int, prompt: int, steps: int, like: Tensor):
        length = self.slots_of(prompt, steps)
        super().__init__(config, batch, length, like)
        prompt = length - steps
        self.tensor.zero_()  # a weight of 0 does not silence what is not a number
        self.slots = torch.arange(length, device=like.device)
        self.padding = torch.full((batch, 1), prompt, device=like.device)
        self.position = torch.full((1,), prompt, device=like.device)
        self.prompt = prompt

    @staticmethod
    def slots_of(prompt: int, steps: int) -> int:
        """CUDA's attention would copy a mask of another length at every layer."""
        return -(-(prompt + steps) // 16) * 16

    @classmethod
    def following(cls, cache: Cache, steps: int) -> "StaticCache":
        """One that holds the prompts of a cache, all of one length, and goes on for so many steps."""
        made = cls(cache.config, cache.tensor.shape[1], cache.position, steps, cache.tensor)
        made.fill(slice(None), cache)
        return made

    def fill(self, some: slice, cache: Cache) -> None:
        """Gives `some` sequences the prompt that a cache of one, or of as many, holds."""
        first = self.prompt - cache.position
        self.tensor[:, some, ..., first : self.prompt, :] = cache.tensor[..., : cache.position, :]
        self.padding[some] = first

    def rewind(self) -> None:
        """Back to where the prompts end."""
        self.position.fill_(self.prompt)

    def place(self, length: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
        rotation = tuple(table[self.position - self.padding].unsqueeze(1) for table in self.rotation)  # B, 1, 1, head
        hidden = (self.slots < self.padding) | (self.slots > self.position)  # B, length
        mask = self.tensor.new_zeros(hidden.shape).masked_fill_(hidden, float("-inf"))
        return rotation, mask[:, None, None]

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.layers[layer]
        return keys.index_copy_(2, self.position, key), values.index_copy_(2, self.position, value)


class SideBySide:
    """Static caches whose sequences are those of one batch, one cache after the other: each has as many slots as its
    own prompts need."""

    step = None

    def __init__(self, caches: list[StaticCache]):
        self.caches = caches
        self.counts = [len(cache.padding) for cache in caches]

    def place(self, length: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        rotations, masks = zip(*(cache.place(length) for cache in self.caches), strict=True)
        return tuple(torch.cat(tables) for tables in zip(*rotations, strict=True)), masks

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, masks: tuple[Tensor, ...]) -> Tensor:
        of_caches = zip(self.caches, *(one.split(self.counts) for one in (query, key, value)), masks, strict=True)
        return torch.cat([cache.attend(layer, *its) for cache, *its in of_caches])

    def advance(self, length: int) -> None:
        for cache in self.caches:
            cache.advance(length)

    def rewind(self) -> None:
        for cache in self.caches:
            cache.rewind()


Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""What queries find, given them, the keys and values of the same tokens, and a mask: among those of a cache, too."""


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Queries [B, h, T, head] among keys and values [B, key heads, L, head]; without a mask each among those before."""
    causal, grouped = mask is None and query.shape[2] > 1, query.shape[1] != key.shape[1]
    if causal and not grouped and query.is_cpu and not torch.backends.cuda.flash_sdp_enabled():
        return causal_products(query, key, value)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal, enable_gqa=grouped)


def causal_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What torch does where no fused attention is allowed, see `drc.train.machine.memory.quick_attention`, bit for bit,
    but for its question whether a token sees anything: each sees itself."""
    length, scale = query.shape[2], math.sqrt(1 / math.sqrt(query.shape[3]))
    query, key = query.to(value), key.to(value)  # as autocast has it; rotated they may be float32
    scores = (query * scale) @ (key.transpose(2, 3) * scale)
    hidden = ~causal_mask(length, 0, query.device)
    return scores.masked_fill_(hidden, float("-inf")).softmax(dim=-1) @ value


class Attention(nn.Module):
    """`q_proj`, `k_proj` and `v_proj` are one layer; a LoRA beside one of them has its name."""

    def __init__(self, config: LlamaConfig, operations, **factory):
        super().__init__()
        width, self.head = config.hidden_size, config.head_size
        self.heads, self.key_value_heads = config.num_attention_heads, config.num_key_value_heads
        rows = {"q_proj": self.heads, "k_proj": self.key_value_heads, "v_proj": self.key_value_heads}
        self.rows = {name: heads * self.head for name, heads in rows.items()}
        self.qkv_proj = operations.Linear(width, sum(self.rows.values()), bias=False, **factory)
        name_apart(self, "qkv_proj", self.rows)
        self.o_proj = operations.Linear(self.heads * self.head, width, bias=False, **factory)
        self.q_proj = self.k_proj = self.v_proj = None

    @property
    def has_lora(self) -> bool:
        return any(getattr(self, name) is not None for name in self.rows)

    def project(self, x: Tensor) -> Tensor:
        """[B * T, d] -> queries, keys and values of every head side by side."""
        together, first = self.qkv_proj(x), 0
        for name, rows in self.rows.items():
            if (lora := getattr(self, name)) is not None:
                together.narrow(-1, first, rows).add_(lora(x))  # a copy would be kept for the backward pass, too
            first += rows
        return together

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor | None, attend: Attend | None) -> Tensor:
        T = rotation[0].shape[-2]
        heads = self.project(x).view(-1, T, self.heads + 2 * self.key_value_heads, self.head).transpose(1, 2)
        turned, value = heads.split((self.heads + self.key_value_heads, self.key_value_heads), dim=1)
        query, key = rotate(turned, *rotation).split((self.heads, self.key_value_heads), dim=1)  # B, h, T, head
        if attend is None:
            value = value.contiguous()  # a view would keep all that it was projected with for the backward pass, too
        y = (attend or attention)(query, key, value, mask)
        return self.o_proj(y.transpose(1, 2).reshape(len(x), -1))


class MLP(nn.Module):
    """`gate_proj` and `up_proj` are one layer."""

    def __init__(self, config: LlamaConfig, operations, **factory):
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.gate_up_proj = operations.Linear(width, 2 * inner, bias=False, **factory)
        name_apart(self, "gate_up_proj", {"gate_proj": inner, "up_proj": inner})
        self.down_proj = operations.Linear(inner, width, bias=False, **factory)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, config: LlamaConfig, operations, **factory):
        super().__init__()
        self.self_attn = Attention(config, operations, **factory)
        self.mlp = MLP(config, operations, **factory)
        self.input_layernorm = operations.RMSNorm(config.hidden_size, eps=config.rms_norm_eps, **factory)
        self.post_attention_layernorm = operations.RMSNorm(config.hidden_size, eps=config.rms_norm_eps, **factory)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor | None, attend: Attend | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotation, mask, attend)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    def __init__(self, config: LlamaConfig, operations, **factory):
        super().__init__()
        self.embed_tokens = operations.Embedding(config.vocab_size, config.hidden_size, **factory)
        self.layers = nn.ModuleList(Layer(config, operations, **factory) for _ in range(config.num_hidden_layers))
        self.norm = operations.RMSNorm(config.hidden_size, eps=config.rms_norm_eps, **factory)


class LlamaForCausalLM(nn.Module):
    """Embeddings in, next-token logits out.

    `operations` is `torch.nn` or the host's casting layers of the same names. `outputs` is how many tokens, from the
    first on, are ever wanted as output: who draws pictures need not compute the logits of words.
    """

    def __init__(self, config: LlamaConfig, operations=nn, outputs: int | None = None, **factory):
        super().__init__()
        self.config, self.halves, self.recording = config, Halves(), Recording()
        self.model = LlamaModel(config, operations, **factory)
        self.lm_head = operations.Linear(config.hidden_size, outputs or config.vocab_size, bias=False, **factory)

    def _apply(self, *given, **named):  # what torch moves and converts weights by
        self.recording.drop()
        return super()._apply(*given, **named)

    def hidden(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Last hidden states [B, T, d] of embeddings [B, T, d]; with a cache they follow what it already holds."""
        length = embeddings.shape[1]
        if length == 1 and cache is not None and cache.step is not None:
            return cache.step(embeddings[:, 0])[:, None]
        rotation, mask = (rotary(self.config, length, embeddings), None) if cache is None else cache.place(length)
        x = embeddings.flatten(0, 1)  # tokens, of which a layer needs no more to know but in attention
        for index, layer in enumerate(self.model.layers):
            x = layer(x, rotation, mask, None if cache is None else partial(cache.attend, index))
        if cache is not None:
            cache.advance(length)
        return self.model.norm(x).unflatten(0, (-1, length))

    def forward(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits [B, T, outputs]."""
        return self.lm_head(self.hidden(embeddings, cache))


def rotary(config: LlamaConfig, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and signed sine [length, head] of the positions 0, 1, ... on the device and in the dtype of `like`."""
    half = torch.arange(0, config.head_size, 2, device=like.device, dtype=torch.float32) / config.head_size
    angle = torch.outer(torch.arange(length, device=like.device, dtype=torch.float32), config.rope_theta**-half)
    cosine, sine = angle.cos().repeat(1, 2), torch.cat((-angle.sin(), angle.sin()), dim=1)
    return cosine.to(like.dtype), sine.to(like.dtype)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turns the pairs (x[i], x[i + head / 2]) of the last dimension; `sine` brings their signs."""
    return torch.addcmul(x * cosine, x.roll(x.shape[-1] // 2, dims=-1), sine)


def causal_mask(length: int, position: int, device: torch.device) -> Tensor:
    """True where a new token may look: [length, position + length]."""
    return torch.ones(length, position + length, dtype=torch.bool, device=device).tril(position)
