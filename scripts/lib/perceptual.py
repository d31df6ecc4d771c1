"""The perceptual loss of the visual tokeniser, by torchvision's MobileNetV2 with its ImageNet weights, which is none of
the judges."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from drc.perceptual import DEVIATION, MEAN, feature_distance

PACKAGE = "mobilenet-weights"
STAGES = (2, 4, 7, 14, 18)  # layers up to which features are taken: 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size


class PerceptualDistance(nn.Module):
    """`packages` is the folder made by scripts/fetch_packages.py."""

    def __init__(self, packages: Path):
        super().__init__()
        network = mobilenet_v2()
        (pickled,) = (packages / PACKAGE).rglob("*.pth")
        network.load_state_dict(torch.load(pickled, map_location="cpu", weights_only=True))
        layers = network.features.eval().requires_grad_(False)
        self.stages = nn.ModuleList(layers[first:end] for first, end in zip((0, *STAGES), STAGES, strict=False))
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1))

    def train(self, mode: bool = True) -> "PerceptualDistance":
        """It never trains: its statistics are those of ImageNet."""
        return super().train(False)

    def forward(self, rebuilt: Tensor, images: Tensor) -> Tensor:
        """Two batches [B, 3, H, W] in 0..1 -> the mean of their `feature_distance`, summed over the stages."""
        x, y = ((one - self.mean) / self.deviation for one in (rebuilt, images))
        total = 0.0
        for stage in self.stages:
            x = stage(x)
            with torch.no_grad():
                y = stage(y)
            total = total + feature_distance(x, y).mean()
        return total
