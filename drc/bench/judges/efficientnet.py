"""EfficientNet-Lite0 (Tan and Le, arXiv 1905.11946, and its authors' Lite variant): an encoder that never saw our data.

Its ImageNet weights come from a package that the benchmark fetches; they are not part of this pack.
"""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...perceptual import DEVIATION, MEAN, feature_distance
from ...tensor_file import tensors_hash
from .evaluator import statistics
from .judge import Features, Judge
from .weights import filled

FILE = "efficientnet-lite0-weights/efficientnet-lite0.safetensors"  # below the folder of packages
STAGES = (
    # blocks, kernel, stride, widening, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class Convolution(nn.Module):
    """Convolution, normalisation and, unless `linear`, a clipped ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, linear=False):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - stride) // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)
        self.uneven, self.linear = stride == 2, linear

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven:  # one pixel more of padding is needed, which TensorFlow puts at the end
            x = F.pad(x, (0, 1, 0, 1))
        x = self.norm(self.conv(x))
        return x if self.linear else F.relu6(x)


class Block(nn.Module):
    """An inverted residual: widen, look around in every channel alone, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widening: int):
        super().__init__()
        wide = inputs * widening
        self.widen = Convolution(inputs, wide) if widening > 1 else nn.Identity()
        self.look = Convolution(wide, wide, kernel, stride, groups=wide)
        self.narrow = Convolution(wide, outputs, linear=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        found = self.narrow(self.look(self.widen(x)))
        return x + found if self.residual else found


class EfficientNetLite0(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Convolution(3, 32, kernel=3, stride=2)
        self.stages, inputs = nn.ModuleList(), 32
        for blocks, kernel, stride, widening, channels in STAGES:
            stage = [Block(inputs, channels, kernel, stride, widening)]
            stage += [Block(channels, channels, kernel, 1, widening) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))
            inputs = channels
        self.head = Convolution(inputs, 1280)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised pictures [B, 3, S, S], S a multiple of 32 -> what every stage sees, then the head [B, 1280, S/32,
        S/32]. The stages are 1/2, 1/4, 1/8, 1/16, 1/16, 1/32 and 1/32 of the picture's size."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return [*maps[1:], self.head(maps[-1])]


def load_efficientnet(packages: Path) -> EfficientNetLite0:
    """ValueError, in one sentence, where the weights were not fetched or cannot be read."""
    path = packages / FILE
    if not path.is_file():
        raise ValueError(
            f"the judge EfficientNet-Lite0 is missing, there is no {path.name} in '{path.parent}'; run "
            "'python scripts/convert_efficientnet.py' in the source repository, or name its folder with --packages"
        )
    return filled(path, lambda metadata: EfficientNetLite0(), EfficientNetJudge.name)


class EfficientNetJudge(Judge):
    """Meaning: the last features. Style: mean and deviation of the channels of early layers, as in style transfer."""

    name = "efficientnet-lite0"
    EARLY = (0, 1, 2)  # stages after which the picture is 1/2, 1/4 and 1/8 of its size
    LATE = (2, 4, 6, 7)  # the last stages at 1/8, 1/16 and 1/32, and the head: to finer ones white paper looks near

    def __init__(self, network: EfficientNetLite0, examples: Tensor):
        """`examples` [n, 3, S, S]: ordinary pictures, whose spread sets the scale of every channel."""
        self.network = network
        self.device = next(network.parameters()).device
        pictures = hashlib.sha256(examples.cpu().numpy().tobytes()).hexdigest()
        self.version = f"{tensors_hash(network.state_dict())[:16]} {pictures[:16]}"
        self.mean = torch.tensor(MEAN, device=self.device).view(3, 1, 1)
        self.deviation = torch.tensor(DEVIATION, device=self.device).view(3, 1, 1)
        raw = [self.raw(some) for some in examples.split(64)]
        style, meaning = (torch.cat(vectors) for vectors in zip(*raw, strict=True))
        self.centre = {"style": torch.std_mean(style, dim=0), "meaning": torch.std_mean(meaning, dim=0)}

    def maps(self, images: Tensor) -> list[Tensor]:
        images = (images.to(self.device) - self.mean) / self.deviation
        return self.network(images.contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.maps(images)
        style = torch.cat([statistics(maps[stage]) for stage in self.EARLY], dim=1)
        return style.cpu(), maps[-1].mean(dim=(2, 3)).cpu()

    def __call__(self, images: Tensor) -> Features:
        style, meaning = self.raw(images)
        return Features(self.scaled("style", style), self.scaled("meaning", meaning))

    def scaled(self, kind: str, vectors: Tensor) -> Tensor:
        deviation, mean = self.centre[kind]
        return F.normalize((vectors - mean) / (deviation + 1e-3), dim=1)

    @torch.inference_mode()
    def distance(self, images: Tensor, others: Tensor) -> Tensor:
        """How far two pictures lie apart to the eye, [B]: `feature_distance` of the late stages, summed."""
        found = torch.zeros(len(images), device=self.device)
        maps, other_maps = self.maps(images), self.maps(others)
        for stage in self.LATE:
            found += feature_distance(maps[stage], other_maps[stage])
        return found.cpu()
