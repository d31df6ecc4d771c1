"""How far apart pictures are to a network that learned ImageNet: edges and textures count, not pixels.

As LPIPS (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018) without its
learned weights of the channels: a judge and a loss measure so, each with a network of its own.
"""

import torch.nn.functional as F
from torch import Tensor

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, red, green and blue


def feature_distance(features: Tensor, others: Tensor) -> Tensor:
    """Two feature maps [B, C, H, W] of one stage -> [B]: squared distance of unit vectors, mean over the canvas."""
    difference = F.normalize(features.float(), dim=1) - F.normalize(others.float(), dim=1)
    return difference.square().sum(dim=1).mean(dim=(1, 2))
