"""What sees the meaning of a picture in Janus-Pro: SigLIP-L/16, and an aligner into the rows of the language model.

Zhai et al., "Sigmoid Loss for Language Image Pre-Training" (2023), with the names that `transformers` gives the weights
in Janus: no class token, and no attention pool, whose one vector Janus does not read.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..vision_layers import MLP, multi_head
from .config import SiglipConfig


class Aligner(nn.Module):
    """Rows of another width -> rows of the language model."""

    def __init__(self, inputs: int, width: int, operations):
        super().__init__()
        self.fc1 = operations.Linear(inputs, width)
        self.hidden_layers = nn.ModuleList([operations.Linear(width, width)])

    def forward(self, x: Tensor) -> Tensor:
        return self.hidden_layers[0](F.gelu(self.fc1(x)))


class Attention(nn.Module):
    def __init__(self, config: SiglipConfig, operations):
        super().__init__()
        self.heads = config.heads
        width = config.width
        self.q_proj, self.k_proj, self.v_proj = (operations.Linear(width, width) for _ in range(3))
        self.projection_layer = operations.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.projection_layer(multi_head(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads))


class SiglipLayer(nn.Module):
    def __init__(self, config: SiglipConfig, operations):
        super().__init__()
        self.layer_norm1 = operations.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.self_attn = Attention(config, operations)
        self.layer_norm2 = operations.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.mlp = MLP(config.width, config.feed_forward, operations)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    """Patches and where they lie."""

    def __init__(self, config: SiglipConfig, operations):
        super().__init__()
        grid = config.image_size // config.patch_size
        self.patch_embedding = operations.Conv2d(3, config.width, config.patch_size, stride=config.patch_size)
        self.position_embedding = operations.Embedding(grid**2, config.width)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch_embedding(x).flatten(2).transpose(1, 2)
        return patches + self.position_embedding(torch.arange(patches.shape[1], device=x.device)).to(patches)


class Encoder(nn.Module):
    def __init__(self, config: SiglipConfig, operations):
        super().__init__()
        self.layers = nn.ModuleList(SiglipLayer(config, operations) for _ in range(config.layers))


class VisionTransformer(nn.Module):
    """Pictures [B, 3, size, size] in 0..1 -> rows [B, grid * grid, width]."""

    def __init__(self, config: SiglipConfig, operations=nn):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config, operations)
        self.encoder = Encoder(config, operations)
        self.post_layernorm = operations.LayerNorm(config.width, eps=config.layer_norm_eps)

    def forward(self, images: Tensor) -> Tensor:
        mean, std = (images.new_tensor(one).view(3, 1, 1) for one in (self.config.image_mean, self.config.image_std))
        x = self.embeddings((images - mean) / std)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x)


class UnderstandingEncoder(nn.Module):
    """Pictures [B, 3, size, size] in 0..1 -> what they mean [B, grid * grid, d], as rows of the language model."""

    def __init__(self, config: SiglipConfig, width: int, operations=nn):
        super().__init__()
        self.transformer = VisionTransformer(config, operations)
        self.aligner = Aligner(config.width, width, operations)

    def forward(self, images: Tensor) -> Tensor:
        return self.aligner(self.transformer(images))
