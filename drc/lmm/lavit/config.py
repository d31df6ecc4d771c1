"""Sizes of the visual side of LaVIT-7B-v2 (Jin et al., ICLR 2024); the defaults are those of the published weights."""

from dataclasses import dataclass
from typing import Annotated

from ...parsing import Count, Deviation, Epsilon, Size


@dataclass(frozen=True)
class Transformer:
    """What the three on the visual side have in common."""

    width: Size = 1408
    heads: Count = 16
    feed_forward: Size = 6144
    layers: Count = 12
    layer_norm_eps: Epsilon = 1e-5


@dataclass(frozen=True)
class VisionConfig(Transformer):
    """The EVA-CLIP ViT-g/14, and how a picture is prepared for it."""

    layers: Count = 40
    layer_norm_eps: Epsilon = 1e-6
    image_size: Annotated[int, range(1, 4096 + 1)] = 224
    patch_size: Count = 14
    head_outputs: Size = 1024
    image_mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    image_std: tuple[Deviation, Deviation, Deviation] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def patches(self) -> int:
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True)
class TokenizerConfig(Transformer):
    """Selector, merger and quantiser."""

    codes: Size = 16384
    code_size: Size = 32


@dataclass(frozen=True)
class DecoderConfig(Transformer):
    """Either token decoder. The UNet of high resolution (SDXL) reads prompts of both widths side by side and a pooled
    vector of `pooled_width`, the one of low resolution (Stable Diffusion 1.5) reads prompts of `prompt_width`."""

    queries: Size = 256  # also the most codes that a picture may have
    code_size: Size = 32
    prompt_width: Size = 768
    pooled_width: Size = 1280
