"""Plain statistics of colours and edges, which stand in where no other judge is at hand."""

import torch
from torch import Tensor

from ...data.descriptors import meaning_descriptor, style_descriptor
from ...pixels import to_pixels
from .judge import Features, Judge


class DescriptorJudge(Judge):
    """Plain statistics of colours and edges, which need no file: palettes and lines, not artists and things."""

    name, version = "descriptors", "1"

    def __call__(self, images: Tensor) -> Features:
        pictures = to_pixels(images)
        return Features(*(torch.from_numpy(describe(pictures)) for describe in (style_descriptor, meaning_descriptor)))
