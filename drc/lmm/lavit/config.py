"""Sizes of the visual side of LaVIT-7B-v2 (Jin et al., ICLR 2024); the defaults are those of the published weights."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VisionConfig:
    """The EVA-CLIP ViT-g/14, and how a picture is prepared for it."""

    image_size: int = 224
    patch_size: int = 14
    width: int = 1408
    heads: int = 16
    feed_forward: int = 6144
    layers: int = 40
    layer_norm_eps: float = 1e-6
    head_outputs: int = 1024
    image_mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    image_std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def patches(self) -> int:
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True)
class TokenizerConfig:
    """Selector, merger and quantiser."""

    width: int = 1408
    heads: int = 16
    feed_forward: int = 6144
    layers: int = 12
    layer_norm_eps: float = 1e-5
    codes: int = 16384
    code_size: int = 32


@dataclass(frozen=True)
class DecoderConfig:
    """Either token decoder. The UNet of high resolution (SDXL) reads prompts of both widths side by side and a pooled
    vector of `pooled_width`, the one of low resolution (Stable Diffusion 1.5) reads prompts of `prompt_width`."""

    queries: int = 256  # also the most codes that a picture may have
    width: int = 1408
    heads: int = 16
    feed_forward: int = 6144
    layers: int = 12
    layer_norm_eps: float = 1e-5
    code_size: int = 32
    prompt_width: int = 768
    pooled_width: int = 1280
