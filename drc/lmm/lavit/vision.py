"""What LaVIT sees with: the EVA-CLIP ViT-g/14 (Fang et al., "EVA", 2023), with the parameter names of its file.

LaVIT reads what the last block puts out; `norm` and `head` are in the file and not in use.
"""

import torch
from torch import Tensor, nn

from ..vision_layers import MLP, multi_head
from .config import VisionConfig


class Attention(nn.Module):
    """Queries and values have a bias, keys have none."""

    def __init__(self, config: VisionConfig, operations):
        super().__init__()
        self.heads = config.heads
        self.qkv = operations.Linear(config.width, 3 * config.width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(config.width))
        self.v_bias = nn.Parameter(torch.zeros(config.width))
        self.proj = operations.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        query, value = query + self.q_bias.to(query), value + self.v_bias.to(value)
        return self.proj(multi_head(query, key, value, self.heads))


class Block(nn.Module):
    def __init__(self, config: VisionConfig, operations):
        super().__init__()
        self.norm1 = operations.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.attn = Attention(config, operations)
        self.norm2 = operations.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.mlp = MLP(config.width, config.feed_forward, operations)

    def forward(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        x = x + self.attn(self.norm1(x).to(dtype))
        return x + self.mlp(self.norm2(x).to(dtype))


class VisionTransformer(nn.Module):
    """Prepared pictures [B, 3, size, size] -> features [B, 1 + N, d] in float32, the class token first and then the
    patches row by row. Computes in the dtype of the pictures."""

    def __init__(self, config: VisionConfig, operations=nn):
        super().__init__()
        self.config = config
        width, patch = config.width, config.patch_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.patches, width))
        self.patch_embed = nn.ModuleDict({"proj": operations.Conv2d(3, width, patch, stride=patch)})
        self.blocks = nn.ModuleList(Block(config, operations) for _ in range(config.layers))
        self.norm = operations.LayerNorm(width, eps=config.layer_norm_eps)
        self.head = operations.Linear(width, config.head_outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = self.embed(images)
        for block in self.blocks:
            x = block(x, images.dtype)
        return x

    def embed(self, images: Tensor) -> Tensor:
        patches = self.patch_embed["proj"](images).float().flatten(2).transpose(1, 2)  # B, N, d
        cls_token = self.cls_token.to(patches).expand(len(images), -1, -1)
        return torch.cat((cls_token, patches), dim=1) + self.pos_embed.to(patches)
