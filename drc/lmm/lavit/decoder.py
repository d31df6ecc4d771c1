"""LaVIT's token decoders: the codes of a picture -> what the UNet of a diffusion model reads in place of a text.

Learned queries, one for each patch, gather the features of the picture from its codes; then come the projections to
the widths of the UNet. Codes enter as rows of the tokeniser's codebook.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..vision_layers import MLP, Attend, multi_head
from .config import DecoderConfig
from .layers import CrossAttention, SelfAttention


class DecoderBlock(nn.Module):
    def __init__(self, config: DecoderConfig, operations):
        super().__init__()
        width, heads, eps = config.width, config.heads, config.layer_norm_eps
        self.norm0 = operations.LayerNorm(width, eps=eps)
        self.self_attn = SelfAttention(width, heads, operations)
        self.norm1 = operations.LayerNorm(width, eps=eps)
        self.cross_attn = CrossAttention(width, heads, operations)
        self.norm2 = operations.LayerNorm(width, eps=eps)
        self.mlp = MLP(width, config.feed_forward, operations)

    def forward(self, x: Tensor, codes: Tensor, attend: Attend) -> Tensor:
        """x [B, queries, d] in float32, codes [B, n, d] -> [B, queries, d]"""
        x = x + self.self_attn(self.norm0(x).to(codes.dtype))
        x = x + self.cross_attn(self.norm1(x).to(codes.dtype), codes, attend)
        return x + self.mlp(self.norm2(x).to(codes.dtype))


class TokenDecoder(nn.Module):
    """Code vectors of every picture [n, code_size] -> its features [B, queries, d], in the dtype of the vectors."""

    def __init__(self, config: DecoderConfig, operations=nn):
        super().__init__()
        self.config = config
        width = config.width
        self.pos_embed = nn.Parameter(torch.zeros(1, config.queries, width))
        self.query_embed = nn.Parameter(torch.zeros(1, config.queries, width))
        self.in_proj = operations.Linear(config.code_size, width)
        self.blocks = nn.ModuleList(DecoderBlock(config, operations) for _ in range(config.layers))
        self.norm = operations.LayerNorm(width, eps=config.layer_norm_eps)
        self.decode_task_layer = nn.Sequential(
            operations.Linear(width, width), nn.Tanh(), operations.Linear(width, width)
        )

    def features(self, vectors: Sequence[Tensor]) -> Tensor:
        """ValueError where a picture has no code, or more codes than there are positions."""
        self.check(vectors)
        counts = torch.tensor([len(picture) for picture in vectors], device=vectors[0].device)
        codes = self.in_proj(pad_sequence(vectors, batch_first=True))  # B, n, d
        codes = codes + self.pos_embed[:, : codes.shape[1]].to(codes)
        # The original adds -10000 to the score of padding, after which its weight is 0 too.
        real = torch.arange(codes.shape[1], device=codes.device) < counts[:, None]  # B, n
        attend = partial(F.scaled_dot_product_attention, attn_mask=real[:, None, None])
        x = self.query_embed.to(codes.device, torch.float32).expand(len(codes), -1, -1)
        for block in self.blocks:
            x = block(x, codes, attend)
        return self.decode_task_layer(self.norm(x).to(codes.dtype))

    def check(self, vectors: Sequence[Tensor]) -> None:
        most = self.config.queries
        for number, picture in enumerate(vectors, 1):
            if not 1 <= len(picture) <= most:
                raise ValueError(
                    f"picture {number} of the tokens has {len(picture)} codes, expected 1 to {most}; choose another "
                    "seed or another picture"
                )


class HighResolutionDecoder(TokenDecoder):
    """Code vectors -> prompt [B, queries, prompt_width + pooled_width] and pooled [B, pooled_width] for SDXL."""

    def __init__(self, config: DecoderConfig, operations=nn):
        super().__init__(config, operations)
        self.unet_proj_1 = operations.Linear(config.width, config.prompt_width)
        self.unet_proj_2 = operations.Linear(config.width, config.pooled_width)
        self.unet_attnpool = AttentionPool(config, operations)

    def forward(self, vectors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        features = self.features(vectors)
        prompt = torch.cat((self.unet_proj_1(features), self.unet_proj_2(features)), dim=-1)
        return prompt, self.unet_attnpool(features)


class LowResolutionDecoder(TokenDecoder):
    """Code vectors -> prompt [B, queries, prompt_width] for Stable Diffusion 1.5."""

    def __init__(self, config: DecoderConfig, operations=nn):
        super().__init__(config, operations)
        self.unet_proj = operations.Linear(config.width, config.prompt_width)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        return self.unet_proj(self.features(vectors))


class AttentionPool(nn.Module):
    """Features [B, queries, d] -> [B, pooled_width]: their mean attends to them all (Radford et al., "CLIP", 2021)."""

    def __init__(self, config: DecoderConfig, operations):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.positional_embedding = nn.Parameter(torch.zeros(1 + config.queries, width))
        self.q_proj = operations.Linear(width, width)
        self.k_proj = operations.Linear(width, width)
        self.v_proj = operations.Linear(width, width)
        self.c_proj = operations.Linear(width, config.pooled_width)

    def forward(self, features: Tensor) -> Tensor:
        x = torch.cat((features.mean(dim=1, keepdim=True), features), dim=1)
        x = x + self.positional_embedding.to(x)
        asked = multi_head(self.q_proj(x[:, :1]), self.k_proj(x), self.v_proj(x), self.heads)
        return self.c_proj(asked[:, 0])
