"""Judges tell how alike two pictures are in style and in meaning: vectors whose product is the likeness.

Two of them, because one could be wrong: the evaluator knows every style and meaning of the benchmark,
EfficientNet-Lite0 (ImageNet, Apache-2.0) has never seen any of it. Descriptors stand in where neither is at hand.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.descriptors import meaning_descriptor, style_descriptor
from ..data.splits import order
from ..files import file_hash, tensors_hash
from ..perceptual import DEVIATION, MEAN, feature_distance
from .domain import Domain
from .efficientnet import EfficientNetLite0, load_efficientnet
from .evaluator import Evaluator, load_evaluator, statistics

EXAMPLES = 512  # pictures that set the scale of EfficientNet's features


@dataclass(frozen=True)
class Features:
    """Unit vectors [pictures, channels]."""

    style: Tensor
    meaning: Tensor

    @property
    def joint(self) -> Tensor:
        return torch.cat((self.style, self.meaning), dim=-1) * 0.5**0.5

    def __getitem__(self, rows) -> "Features":
        return Features(self.style[rows], self.meaning[rows])


class Judge:
    """`version` changes when what it says does. `distance` is there where a judge can tell one."""

    name: str
    version: str
    distance: Callable[[Tensor, Tensor], Tensor] | None = None

    def __call__(self, images: Tensor) -> Features:
        """Pictures [B, 3, S, S] in 0..1, on any device -> features on the CPU."""
        raise NotImplementedError


class EvaluatorJudge(Judge):
    name = "evaluator"

    def __init__(self, evaluator: Evaluator, version: str):
        self.evaluator, self.version = evaluator, version

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Features:
        device = self.evaluator.style_classes.device
        style, meaning = self.evaluator(images.to(device))
        return Features(style.cpu(), meaning.cpu())


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


class DescriptorJudge(Judge):
    """Plain statistics of colours and edges, which need no file: palettes and lines, not artists and things."""

    name, version = "descriptors", "1"

    def __call__(self, images: Tensor) -> Features:
        pictures = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        return Features(*(torch.from_numpy(describe(pictures)) for describe in (style_descriptor, meaning_descriptor)))


JUDGES = (EvaluatorJudge.name, EfficientNetJudge.name)


def open_jury(
    names: Sequence[str], evaluator: Path, packages: Path, domain: Domain, device: torch.device | str = "cpu"
) -> list[Judge]:
    """The judges of these names. Raises ValueError, in one sentence, for one that is missing."""
    return [open_judge(name, evaluator, packages, domain, device) for name in names]


def open_judge(name: str, evaluator: Path, packages: Path, domain: Domain, device: torch.device | str) -> Judge:
    if name == EvaluatorJudge.name:
        if not evaluator.is_file():
            raise ValueError(
                f"the judge {name} is missing, there is no file '{evaluator}'; run 'python scripts/train_evaluator.py' "
                f"in the source repository, name its file with --evaluator, or give --judges {EfficientNetJudge.name}"
            )
        return EvaluatorJudge(load_evaluator(evaluator).to(device), file_hash(evaluator))
    if name == EfficientNetJudge.name:
        examples = sorted(domain.ordinary, key=lambda row: order(domain.name_of(row)))[:EXAMPLES]
        return EfficientNetJudge(load_efficientnet(packages).to(device), domain.images(examples))
    if name == DescriptorJudge.name:
        return DescriptorJudge()
    offered = ", ".join((*JUDGES, DescriptorJudge.name))
    raise ValueError(f"judge {name} was asked for, expected out of {offered}; choose among them")
