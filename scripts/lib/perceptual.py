"""How different two pictures look to a network that learned photographs: edges and textures count, not pixels.

After Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018), without weights of
the channels. The network is torchvision's MobileNetV2 with its ImageNet weights. It is none of the judges.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

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
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1))

    def train(self, mode: bool = True) -> "PerceptualDistance":
        """It never trains: its statistics are those of ImageNet."""
        return super().train(False)

    def forward(self, rebuilt: Tensor, images: Tensor) -> Tensor:
        """Mean over pictures and places of the squared distance of unit features, added up over the stages.

        Both [B, 3, H, W] in 0..1.
        """
        x, y = ((one - self.mean) / self.deviation for one in (rebuilt, images))
        total = 0.0
        for stage in self.stages:
            x = stage(x)
            with torch.no_grad():
                y = stage(y)
            difference = F.normalize(x.float(), dim=1) - F.normalize(y.float(), dim=1)
            total = total + difference.square().sum(dim=1).mean()
        return total
