"""Pictures as LaVIT's vision transformer wants them. The original has two ways, and a picture's codes depend on which.

The tokeniser's way resizes 8-bit pixels with Pillow, which rounds and clips to 8 bits after each of its two passes.
The image detokeniser's way interpolates floats, without antialiasing and without clipping. Both disregard the aspect
ratio.
"""

from collections.abc import Sequence

import numpy
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ...pixels import from_pixels, to_pixels
from .config import VisionConfig


def prepare_for_tokenizer(pictures: Sequence[Image.Image], config: VisionConfig) -> Tensor:
    """Pictures of any size -> [B, 3, image_size, image_size]; transparency is disregarded."""
    return normalize(from_pixels([resize(picture, config.image_size) for picture in pictures]), config)


def prepare_for_detokenizer(images: Tensor, config: VisionConfig) -> Tensor:
    """[B, 3, H, W] in 0..1 -> [B, 3, image_size, image_size]"""
    size = (config.image_size, config.image_size)
    return normalize(F.interpolate(images, size, mode="bicubic", align_corners=False), config)


def resize(picture: Image.Image, size: int) -> numpy.ndarray:
    """uint8 [size, size, 3]"""
    resized = picture.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    return numpy.array(resized)


def normalize(images: Tensor, config: VisionConfig) -> Tensor:
    """[B, 3, H, W] in 0..1 -> the same in the standard deviations of CLIP's pictures."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (config.image_mean, config.image_std))
    return (images - mean) / std


def to_picture(image: Tensor) -> Image.Image:
    """[3, H, W] in 0..1 -> 8 bits per channel, which is exact where the image came from 8 bits."""
    return Image.fromarray(to_pixels(image.clamp(0, 1)))
