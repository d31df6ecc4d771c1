"""LaVIT's dynamic visual tokeniser: the patches of a picture -> as many codes as it needs.

A selector decides which patches are kept, a merger moves what the dropped ones hold into the kept ones, a quantiser
names each kept patch by the nearest of 16384 codes (Jin et al., ICLR 2024). Where the kept patches lie is not told.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..vision_layers import MLP
from .config import TokenizerConfig
from .layers import CrossAttention, SelfAttention

SOFTMAX_EPS = 1e-6


class TokenSelector(nn.Module):
    """Features [B, N, d] -> log-probabilities [B, N, 2] that a patch is kept and that it is dropped."""

    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        width = config.width
        self.in_conv = nn.Sequential(
            operations.LayerNorm(width, eps=config.layer_norm_eps), operations.Linear(width, width), nn.GELU()
        )
        self.out_conv = nn.Sequential(
            operations.Linear(width, width // 2),
            nn.GELU(),
            operations.Linear(width // 2, width // 4),
            nn.GELU(),
            operations.Linear(width // 4, 2),
            nn.LogSoftmax(dim=-1),
        )

    def forward(self, features: Tensor) -> Tensor:
        own, shared = self.in_conv(features).chunk(2, dim=-1)
        shared = shared.mean(dim=1, keepdim=True).expand_as(own)  # what all patches of the picture know
        return self.out_conv(torch.cat((own, shared), dim=-1))


class MergerBlock(nn.Module):
    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        width, heads, eps = config.width, config.heads, config.layer_norm_eps
        self.norm0 = operations.LayerNorm(width, eps=eps)
        self.token_causal_attn = SelfAttention(width, heads, operations)
        self.norm1 = operations.LayerNorm(width, eps=eps)
        self.token_cross_attn = CrossAttention(width, heads, operations)
        self.norm2 = operations.LayerNorm(width, eps=eps)
        self.mlp = MLP(width, config.feed_forward, operations)

    def forward(self, x: Tensor, sources: Tensor, keep: Tensor) -> Tensor:
        """x [B, N, d] in float32, sources [B, N, d] of which the dropped are looked at, keep [B, N]."""
        dtype = sources.dtype
        to_kept = partial(masked_attention, policy=causal_policy(keep))
        to_dropped = partial(masked_attention, policy=dropped_policy(keep))
        x = x + self.token_causal_attn(self.norm0(x).to(dtype), to_kept)
        x = x + self.token_cross_attn(self.norm1(x).to(dtype), sources, to_dropped)
        return x + self.mlp(self.norm2(x).to(dtype))


class Merger(nn.Module):
    """Features [B, N, d] in float32 and what is kept [B, N] -> merged features [B, N, d] in `dtype`.

    Every patch has a row there, and only those of the kept ones mean something.
    """

    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        self.ln_vision = operations.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.blocks = nn.ModuleList(MergerBlock(config, operations) for _ in range(config.layers))
        self.norm = operations.LayerNorm(config.width, eps=config.layer_norm_eps)

    def forward(self, features: Tensor, keep: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        x, sources = features, self.ln_vision(features).to(dtype)
        for block in self.blocks:
            x = block(x, sources, keep)
        return self.norm(x).to(dtype)


class Quantiser(nn.Module):
    """Vectors [n, code_size] -> the codes [n] nearest to their directions.

    The rows of the codebook keep their own lengths, which count. In float32, because near ties flip in less.
    """

    def __init__(self, config: TokenizerConfig, operations):
        super().__init__()
        self.embedding = operations.Embedding(config.codes, config.code_size)

    def forward(self, vectors: Tensor) -> Tensor:
        return self.distances(vectors).argmin(dim=-1)

    def distances(self, vectors: Tensor) -> Tensor:
        """Squared distances [n, codes]."""
        every_code = torch.arange(self.embedding.num_embeddings, device=vectors.device)
        codebook = self.embedding(every_code).float()
        directions = F.normalize(vectors.float(), dim=-1)
        lengths = directions.square().sum(dim=-1, keepdim=True) + codebook.square().sum(dim=-1)
        return lengths - 2 * directions @ codebook.T


class VisualTokenizer(nn.Module):
    """Features of the patches [B, N, d] in float32 -> the codes of every picture, int64 [n] row by row."""

    def __init__(self, config: TokenizerConfig, operations=nn):
        super().__init__()
        self.config = config
        self.token_predictor = TokenSelector(config, operations)
        self.causal_encoder = Merger(config, operations)
        self.encode_task_layer = nn.Sequential(
            operations.Linear(config.width, config.width), nn.Tanh(), operations.Linear(config.width, config.code_size)
        )
        self.quantize = Quantiser(config, operations)

    def forward(
        self,
        features: Tensor,
        generators: Sequence[torch.Generator] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> list[Tensor]:
        """One generator for each picture draws what is kept, as the original does; without them the likelier
        happens, see `decide`. The selector is float32, what follows computes in `dtype`."""
        noise = None if generators is None else gumbel_noise(generators, features.shape[1])
        return self.encode(features, decide(self.token_predictor(features), noise), dtype)

    def encode(self, features: Tensor, keep: Tensor, dtype: torch.dtype = torch.float32) -> list[Tensor]:
        """The codes of the patches that are kept [B, N]."""
        kept = self.causal_encoder(features, keep, dtype)[keep]  # all kept patches of all pictures, d
        return list(self.quantize(self.encode_task_layer(kept)).split(keep.sum(dim=1).tolist()))

    def vectors(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Codes of every picture [n] -> their rows of the codebook [n, code_size], which the token decoders read."""
        return [self.quantize.embedding(picture) for picture in codes]


def gumbel_noise(generators: Sequence[torch.Generator], patches: int) -> Tensor:
    """Noise [B, N, 2] on the CPU; every picture has a generator of its own, so it does not depend on its neighbours."""
    drawn = [torch.empty(patches, 2).exponential_(generator=generator) for generator in generators]
    return -torch.stack(drawn).log()


def decide(log_probabilities: Tensor, noise: Tensor | None = None) -> Tensor:
    """What is kept [B, N], from [B, N, 2] for keep and drop; a tie keeps.

    With Gumbel noise [B, N, 2] a patch is kept with exactly its probability, as in the original, and of a picture none
    may be. Without, where that is at least 0.5, and the likeliest one in any case: no codes would tell nothing.
    """
    if noise is not None:
        log_probabilities = log_probabilities + noise.to(log_probabilities)
    keep, drop = log_probabilities.unbind(-1)
    kept = keep >= drop
    return kept if noise is not None else kept | (keep == keep.amax(dim=-1, keepdim=True))


def causal_policy(keep: Tensor) -> Tensor:
    """Who sees whom [B, 1, N, N]: the kept patches up to oneself, and oneself."""
    N = keep.shape[1]
    before = torch.ones(N, N, dtype=torch.bool, device=keep.device).tril()
    oneself = torch.eye(N, dtype=torch.bool, device=keep.device)
    return (keep[:, None, None] & before) | oneself


def dropped_policy(keep: Tensor) -> Tensor:
    """Who is seen by all [B, 1, 1, N]: the dropped patches."""
    return ~keep[:, None, None]


def masked_attention(query: Tensor, key: Tensor, value: Tensor, policy: Tensor) -> Tensor:
    """[B, heads, N, head] each -> [B, heads, N, head]"""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)  # B, heads, N, N
    return masked_softmax(scores, policy).to(value.dtype) @ value


def masked_softmax(scores: Tensor, policy: Tensor) -> Tensor:
    """Attention weights of scores [B, heads, N, N] under a policy that is broadcast to them; in float32.

    Not a softmax with -inf where the policy forbids: the maximum is that of all scores, and the small numbers make the
    weights uniform where nobody is seen (Rao et al., "DynamicViT", 2021).
    """
    scores = scores.float()
    weights = (scores - scores.amax(dim=-1, keepdim=True)).exp() * policy
    return (weights + SOFTMAX_EPS / scores.shape[-1]) / (weights.sum(dim=-1, keepdim=True) + SOFTMAX_EPS)
