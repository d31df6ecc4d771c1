"""One token of every sequence through a LLaMA on a CPU, with the numbers of `LlamaForCausalLM.hidden`: bit for bit, but
where 16 bits hold its matrices exactly and they are read as such, which may take sums in another order.

A step of a small model is mostly Python and small operations. So whatever is the same in every step is laid out once
for a drawing: the weights, room for what comes and goes, and views of both. What remains for a layer is written down
here a second time; tests/test_steps.py holds it against the layers.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import halves
from .llama import Cache, Layer, LlamaForCausalLM

MOST_BYTES = 2**30  # of weights, which memory hands over in about a tenth of a second; layers hear Cancel one by one


def cache_of(language: LlamaForCausalLM, batch: int, length: int, like: Tensor) -> Cache:
    """Steps where they serve, or a Cache."""
    if serves(language, like):
        return Steps(language, batch, length, like)
    return Cache(language.config, batch, length, like)


def serves(language: LlamaForCausalLM, like: Tensor) -> bool:
    """Whether every layer is a plain product of weights that lie in the memory of the CPU as they are, and a step is
    so short that Cancel need not be heard in it."""
    if not like.is_cpu or torch.is_autocast_enabled("cpu") or torch.is_grad_enabled():
        return False
    weights = [*language.model.layers.parameters(), *language.model.norm.parameters()]
    if sum(weight.nbytes for weight in weights) > MOST_BYTES:
        return False
    plain = all(weight.is_cpu and weight.dtype == like.dtype == torch.float32 for weight in weights)
    return plain and not any(layer.self_attn.has_lora for layer in language.model.layers)


class Steps(Cache):
    """A Cache that knows the weights, so that `step` takes every sequence one token further."""

    def __init__(self, language: LlamaForCausalLM, batch: int, length: int, like: Tensor):
        config, layers = language.config, language.model.layers
        super().__init__(config, batch, length, like)
        self.norms = [(layer.input_layernorm.weight, layer.post_attention_layernorm.weight) for layer in layers]
        matrices = [matrices_of(layer) for layer in layers]
        if batch > halves.FEW or not self.read_halves(language, matrices):
            self.product, self.product_into = torch.mm, mm_into
            self.matrices = [[one.t() for one in its] for its in matrices]
        self.norm, self.epsilon = language.model.norm.weight, like.new_tensor(config.rms_norm_eps)
        queries, keys = config.num_attention_heads, config.num_key_value_heads
        self.grouped, half = queries != keys, config.head_size // 2
        self.written = self.tensor.flatten(2, 3)  # layers, B, 2 * heads, length, head: keys and values side by side
        self.share = 1 / config.hidden_size  # of a number in a mean
        self.exact = config.hidden_size & (config.hidden_size - 1) == 0  # a product with a power of two
        self.squares, self.normal = like.new_empty(2, batch, config.hidden_size).unbind()
        self.scale = like.new_empty(batch, 1)
        self.heads = like.new_empty(batch, queries + 2 * keys, config.head_size)
        self.query = self.heads[:, :queries, None]
        self.turned, self.fresh = self.heads[:, : queries + keys], self.heads[:, queries:]
        self.projected = self.heads.flatten(1)
        self.rolled = like.new_empty(self.turned.shape)
        self.swaps = tuple(zip(self.rolled.split(half, -1), reversed(self.turned.split(half, -1)), strict=True))
        self.gate_up = like.new_empty(batch, 2 * config.intermediate_size)
        self.gate, self.up = self.gate_up.chunk(2, dim=1)
        self.inner = like.new_empty(batch, config.intermediate_size)

    def read_halves(self, language: LlamaForCausalLM, matrices: list[tuple[Tensor, ...]]) -> bool:
        """Multiplies with matrices of 16 bits, where these hold the same numbers; whether they do."""
        head = language.lm_head
        packed = language.halves.of([*matrices, (head.weight,)]) if isinstance(head, nn.Linear) else None
        if packed is not None:
            *self.matrices, (last,) = packed
            self.product, self.product_into = halves.product, halves.product_into
            self.head = partial(halves.product, matrix=last)
        return packed is not None

    @torch.inference_mode()  # another third of what operations cost
    def step(self, x: Tensor) -> Tensor:
        """The embeddings [B, d] of one token of every sequence -> last hidden states [B, d], valid until the next
        step."""
        so_far = self.tensor.narrow(4, 0, self.position + 1)
        layers = zip(
            self.norms,
            self.matrices,
            so_far.select(2, 0).unbind(),
            so_far.select(2, 1).unbind(),
            self.written.select(3, self.position).unbind(),
            strict=True,
        )
        cosine, sine = (table[self.position] for table in self.rotation)
        for (before, after), (qkv, o, gate_up, down), keys, values, written in layers:
            self.product_into(self.normalised(x, before), qkv, self.projected)
            for half, other in self.swaps:  # quicker than a roll
                half.copy_(other)
            self.turned.mul_(cosine).addcmul_(self.rolled, sine)
            written.copy_(self.fresh)
            y = F.scaled_dot_product_attention(self.query, keys, values, enable_gqa=self.grouped)
            x = x + self.product(y.reshape(x.shape[0], -1), o)
            self.product_into(self.normalised(x, after), gate_up, self.gate_up)
            torch.mul(F.silu(self.gate), self.up, out=self.inner)
            x = x + self.product(self.inner, down)
        self.position += 1
        return self.normalised(x, self.norm)

    def normalised(self, x: Tensor, weight: Tensor) -> Tensor:
        """RMSNorm. A mean costs as much as all else in it; where its division is exact, a sum does."""
        torch.mul(x, x, out=self.squares)
        if self.exact:
            torch.sum(self.squares, -1, True, out=self.scale)
            torch.add(self.epsilon, self.scale, alpha=self.share, out=self.scale)
        else:
            torch.mean(self.squares, -1, True, out=self.scale)
            self.scale.add_(self.epsilon)
        return torch.mul(x, self.scale.rsqrt_(), out=self.normal).mul_(weight)


def mm_into(rows: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """Rows [n, in] times a matrix [in, out] -> [n, out]."""
    return torch.mm(rows, matrix, out=out)


def matrices_of(layer: Layer) -> tuple[Tensor, ...]:
    """In the order of their use."""
    attention, mlp = layer.self_attn, layer.mlp
    return attention.qkv_proj.weight, attention.o_proj.weight, mlp.gate_up_proj.weight, mlp.down_proj.weight
