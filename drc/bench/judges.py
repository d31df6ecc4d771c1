"""Judges tell how alike two pictures are in style and in meaning: vectors whose product is the likeness.

Two of them, because one could be wrong: the evaluator knows every style and meaning of the benchmark,
EfficientNet-Lite0 (ImageNet, Apache-2.0) has never seen any of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ..data.pictures import Pictures
from ..files import write_safetensors
from ..train.tokenizer import as_images
from .evaluator import Evaluator, statistics


@dataclass(frozen=True)
class Features:
    """Unit vectors [pictures, channels]."""

    style: Tensor
    meaning: Tensor

    @property
    def joint(self) -> Tensor:
        return torch.cat((self.style, self.meaning), dim=1) * 0.5**0.5

    def __getitem__(self, rows) -> "Features":
        return Features(self.style[rows], self.meaning[rows])


class Judge(Protocol):
    name: str
    version: str  # changes when features do

    def __call__(self, images: Tensor) -> Features:
        """Pictures [B, 3, 128, 128] in 0..1."""


class EvaluatorJudge:
    name = "evaluator"

    def __init__(self, evaluator: Evaluator, version: str):
        self.evaluator, self.version = evaluator, version

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Features:
        return Features(*self.evaluator(images))


class EfficientNetJudge:
    """Meaning: the last features. Style: mean and deviation of the channels of early layers, as in style transfer."""

    name = "efficientnet-lite0"
    EARLY = (0, 2, 4)  # blocks after which the picture is 1/2, 1/4 and 1/8 of its size
    MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def __init__(self, network: nn.Module, examples: Tensor):
        """`examples` [n, 3, 128, 128]: ordinary pictures, whose spread sets the scale of every channel."""
        self.network = network
        self.version = hashlib.sha256(examples.numpy().tobytes()).hexdigest()[:16]
        self.mean = torch.tensor(self.MEAN).view(3, 1, 1)
        self.deviation = torch.tensor(self.DEVIATION).view(3, 1, 1)
        style, meaning = self.raw(examples)
        self.centre = {"style": torch.std_mean(style, dim=0), "meaning": torch.std_mean(meaning, dim=0)}

    @torch.inference_mode()
    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        images = ((images - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        seen = []
        blocks = [self.network._blocks[index] for index in self.EARLY]
        hooks = [block.register_forward_hook(lambda *given: seen.append(given[-1])) for block in blocks]
        maps = self.network.extract_features(images)
        for hook in hooks:
            hook.remove()
        return torch.cat([statistics(layer) for layer in seen], dim=1), maps.mean(dim=(2, 3))

    def __call__(self, images: Tensor) -> Features:
        style, meaning = self.raw(images)
        return Features(self.scaled("style", style), self.scaled("meaning", meaning))

    def scaled(self, kind: str, vectors: Tensor) -> Tensor:
        deviation, mean = self.centre[kind]
        return F.normalize((vectors - mean) / (deviation + 1e-3), dim=1)


def judge_images(judge: Judge, images: Tensor, batch: int = 32) -> Features:
    found = [judge(some) for some in images.split(batch)]
    return Features(torch.cat([f.style for f in found]), torch.cat([f.meaning for f in found]))


def judge_rows(
    judge: Judge, pictures: Pictures, parts: list[list[int]], cache: Path, progress=lambda batches: batches
) -> Features:
    """Features by row of `pictures`, zero for rows in none of `parts`. Each part is kept as a file in `cache`."""
    kept = [load_file(judged_part(judge, pictures, rows, cache, progress)) for rows in parts]
    everything = {name: like.new_zeros(len(pictures), like.shape[1]) for name, like in kept[0].items()}
    for rows, tensors in zip(parts, kept, strict=True):
        for name, tensor in tensors.items():
            everything[name][rows] = tensor
    return Features(**everything)


def judged_part(judge: Judge, pictures: Pictures, rows: list[int], cache: Path, progress) -> Path:
    names = "\n".join(f"{row} {pictures.records[row]}" for row in rows)
    digest = hashlib.sha256(f"{judge.name} {judge.version}\n{names}".encode()).hexdigest()[:16]
    path = cache / f"{judge.name}-{digest}.safetensors"
    if not path.exists():
        batches = [rows[first : first + 32] for first in range(0, len(rows), 32)]
        found = [judge(as_images(pictures.read(batch))) for batch in progress(batches)]
        tensors = {name: torch.cat([getattr(f, name) for f in found]) for name in ("style", "meaning")}
        write_safetensors(tensors, path, {})
    return path
