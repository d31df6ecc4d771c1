"""Pictures four times as wide and as high, with clean edges: what *DRC Decode* offers beside what was
drawn.

The network is SRVGGNetCompact of Real-ESRGAN (Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution
with Pure Synthetic Data", 2021; `realesrgan/archs/srvgg_arch.py`) with its weights `realesr-animevideov3`, under
BSD-3-Clause. It was trained on drawn films, not here, and mends no wrong shape.
"""

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from .tensor_file import read_tensors, require_shapes

WEIGHTS = Path(__file__).resolve().parent / "weights" / "sharpener.safetensors"
AGAIN = "install this pack again"
SCALE = 4
WIDTH, LAYERS = 64, 17  # channels, and layers before the last
PICTURES = 4
"""At once, so that working memory does not grow with their number."""
MEMORY_PER_PIXEL = 2048
"""Bytes of it that each pixel takes that is read: twice what a CPU takes at the end, for the workspace of a GPU."""


class Sharpener(nn.Module):
    """Finds what is to be added to a picture whose every pixel became a square of 4 x 4."""

    def __init__(self, operations=nn):
        super().__init__()
        inputs = (3, *[WIDTH] * (LAYERS - 1))
        self.layers = nn.ModuleList(operations.Conv2d(channels, WIDTH, 3, padding=1) for channels in inputs)
        self.slopes = nn.ModuleList(nn.PReLU(WIDTH) for _ in inputs)  # the host has no layers of this kind
        self.out = operations.Conv2d(WIDTH, 3 * SCALE**2, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in 0..1 -> [B, 3, 4 H, 4 W] in 0..1."""
        x = images
        for layer, slope in zip(self.layers, self.slopes, strict=True):
            x = slope(layer(x))
        found = F.pixel_shuffle(self.out(x), SCALE)
        return (found + F.interpolate(images, scale_factor=SCALE, mode="nearest")).clamp(0, 1)


def load_sharpener(path: Path = WEIGHTS, operations=nn) -> Sharpener:
    """The network with its weights, in float32; ValueError, in one sentence, for a file that does not hold them."""
    tensors = {name: tensor.float() for name, tensor in read_tensors(path, again=AGAIN).items()}
    network = Sharpener(operations)
    found, expected = (
        {name: tuple(tensor.shape) for name, tensor in state.items()} for state in (tensors, network.state_dict())
    )
    require_shapes(path, "the weights that make pictures sharp", found, expected, AGAIN)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)
