"""LPIPS with VGG (Zhang et al., 2018): how far apart two pictures look, by features that people's answers weighed.

The weights are the user's: a VGG16 trained on ImageNet, and five heads of the lpips package.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from .weights import filled

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and convolutions
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class LPIPS(nn.Module):
    """Keys are those of torchvision's vgg16, `features.*`, and of the heads in lpips, `lin0.model.1.weight` to lin4."""

    def __init__(self):
        super().__init__()
        self.features, width = nn.Sequential(), 3
        for channels, count in BLOCKS:
            for _ in range(count):
                self.features.extend((nn.Conv2d(width, channels, 3, padding=1), nn.ReLU()))
                width = channels
            self.features.append(nn.MaxPool2d(2))
        for index, (channels, _) in enumerate(BLOCKS):
            head = nn.Sequential(nn.Dropout(), nn.Conv2d(channels, 1, 1, bias=False))
            self.add_module(f"lin{index}", nn.ModuleDict({"model": head}))
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), persistent=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Pictures [n, 3, H, W] in -1..1 -> distances [n], 0 for the same, lower is more alike."""
        x = (torch.cat((first, second)) - self.shift) / self.scale
        distance, block = 0, 0
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                one, other = (x / (x.norm(dim=1, keepdim=True) + 1e-10)).chunk(2)
                head = getattr(self, f"lin{block}")["model"]
                distance = distance + head((one - other).square()).mean(dim=(1, 2, 3))
                block += 1
            x = layer(x)
        return distance


def load_lpips(path: Path) -> LPIPS:
    """ValueError, in one sentence, for a file that is not of these weights; a VGG's other layers may be in it."""
    expected = (
        "features.* of torchvision's vgg16 and the heads lin0.model.1.weight to lin4.model.1.weight of the package "
        "lpips; put both"
    )
    return filled(LPIPS(), path, "LPIPS", expected)
