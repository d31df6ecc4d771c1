"""A small network that reads a picture's style and meaning, to score drawn pictures by retrieval.

It is trained on every picture of the benchmark, test pictures too, so that it knows all styles and meanings there are.
That makes it a judge and nothing else: it is never a training loss, and it is not shipped.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...data.splits import Splits
from .judge import Features, Judge
from .weights import filled

SCALE = 20.0  # of the cosines in the softmax


@dataclass(frozen=True)
class EvaluatorConfig:
    styles: int
    meanings: int
    size: int = 64
    width: int = 96
    features: int = 128


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


def down(width: int, wider: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, wider, 3, stride, 1, bias=False), nn.BatchNorm2d(wider), nn.ReLU())


class Evaluator(nn.Module):
    """Style is read from what the channels do on the whole (mean and deviation), meaning from what lies where."""

    def __init__(self, config: EvaluatorConfig):
        super().__init__()
        self.config = config
        width, size = config.width, config.size
        self.fine = nn.Sequential(down(3 * 4 * 4, width, 1), Block(width))
        self.middle = nn.Sequential(down(width, 2 * width, 2), Block(2 * width), Block(2 * width))
        self.coarse = nn.Sequential(down(2 * width, 3 * width, 2), Block(3 * width))
        # Normalised before and after: the statistics of channels differ in scale, and cosines need a centre.
        self.style = nn.Sequential(
            nn.BatchNorm1d(96 + 12 * width),
            nn.Linear(96 + 12 * width, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, config.features, bias=False),
            nn.BatchNorm1d(config.features),
        )
        numbers = 3 * width * (size // 16) ** 2
        self.meaning = nn.Sequential(nn.Linear(numbers, config.features, bias=False), nn.BatchNorm1d(config.features))
        self.style_classes = nn.Parameter(torch.randn(config.styles, config.features))
        self.meaning_classes = nn.Parameter(torch.randn(config.meanings, config.features))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [B, 3, S, S] in 0..1, any S that is a multiple of `size` -> unit vectors of style and meaning."""
        x = F.pixel_unshuffle(shrink(images, self.config.size) * 2 - 1, 4)
        fine = self.fine(x.contiguous(memory_format=torch.channels_last))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        spread = torch.cat([statistics(layer) for layer in (x, fine, middle, coarse)], dim=1)
        style, meaning = self.style(spread), self.meaning(coarse.flatten(1))
        return F.normalize(style.float(), dim=1), F.normalize(meaning.float(), dim=1)

    def loss(self, images: Tensor, styles: Tensor, meanings: Tensor) -> tuple[Tensor, dict]:
        """Cosine softmax over the classes; labels [B]."""
        with torch.autocast(images.device.type, torch.bfloat16):
            style, meaning = self(images)
        by_style = SCALE * style @ F.normalize(self.style_classes, dim=1).T
        by_meaning = SCALE * meaning @ F.normalize(self.meaning_classes, dim=1).T
        right = {"style": by_style.argmax(1) == styles, "meaning": by_meaning.argmax(1) == meanings}
        loss = F.cross_entropy(by_style, styles) + F.cross_entropy(by_meaning, meanings)
        return loss, {name: value.float().mean() for name, value in right.items()}

    def metadata(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self.config).items()}


def load_evaluator(path: Path) -> Evaluator:
    """ValueError, in one sentence, for a file that holds no evaluator."""

    def build(metadata: dict[str, str]) -> Evaluator:
        return Evaluator(EvaluatorConfig(**{name: int(value) for name, value in metadata.items()}))

    return filled(path, build, EvaluatorJudge.name)


def domains_of(path: Path) -> tuple[str, ...]:
    """Those whose styles and meanings an evaluator knows. Its file does not name them, but has as many meanings as it
    learned: more than all emoji have are those of icons, too."""
    meanings = len(load_evaluator(path).meaning_classes)
    return ("emoji", "icons") if meanings > len(Splits.load().meaning_split) else ("emoji",)


class EvaluatorJudge(Judge):
    name = "evaluator"

    def __init__(self, evaluator: Evaluator, version: str):
        self.evaluator, self.version = evaluator, version

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Features:
        device = self.evaluator.style_classes.device
        style, meaning = self.evaluator(images.to(device))
        return Features(style.cpu(), meaning.cpu())


def statistics(layer: Tensor) -> Tensor:
    """Deviation and mean of every channel: [B, C, H, W] -> [B, 2 C]."""
    return torch.cat(torch.std_mean(layer.float(), dim=(2, 3), correction=0), dim=1)


def shrink(images: Tensor, size: int) -> Tensor:
    """Mean over equal boxes: [B, 3, S, S] -> [B, 3, size, size]."""
    return F.avg_pool2d(images, images.shape[-1] // size)


def disturbed(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures [B, 3, S, S] a little moved, softened and noisy, as drawn pictures are."""
    count, size, margin = len(images), images.shape[-1], 3
    chance = torch.rand(3, count, 1, 1, 1, generator=generator)
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    coarse = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
    images = images.lerp(soft, chance[0] * 0.8).lerp(coarse, (chance[1] - 0.4).clamp(0))
    images = images + 0.05 * chance[2].square() * torch.randn(images.shape, generator=generator)
    padded = F.pad(images, [margin] * 4, mode="replicate")
    x, y = torch.randint(0, 2 * margin + 1, (2, count), generator=generator).tolist()
    moved = [picture[:, b : b + size, a : a + size] for picture, a, b in zip(padded, x, y, strict=True)]
    return torch.stack(moved).clamp(0, 1)
