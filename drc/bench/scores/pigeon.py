"""The metrics of Pigeon's evaluation, exactly as its scripts compute them (METHOD.md, 8).

Whoever measures brings the networks; what is missing leaves its metrics out. Every picture is first resized to 512 x
512, bilinear, whatever its shape.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ...pixels import from_pixels
from .frechet import frechet_distance
from .ssim import ms_ssim, ssim

SIZE = 512
INCEPTION_SIZE = 299

Encoder = Callable[[Tensor], Tensor]  # pictures [n, 3, 512, 512] in 0..1 -> features [n, d]


@dataclass(frozen=True)
class Networks:
    """What the metrics look with. Each does its own scaling and cropping, with the evaluation transform it came with.

    clip: pictures [n, 3, 512, 512] in 0..1 -> image features; Pigeon takes open_clip's ViT-H-14, laion2b-s32b-b79K.
    clip_text: captions -> text features [n, d] of the same model.
    dino: pictures as for clip -> features; Pigeon takes the pooler output of facebook/dinov2-large.
    lpips: two batches of pictures in -1..1 -> distances [n]; Pigeon takes the VGG of lpips, see `lpips`.
    inception: pictures [n, 3, 299, 299] in 0..1 -> features [n, 2048]: pool3 of the network of pytorch-fid.
    """

    clip: Encoder | None = None
    clip_text: Callable[[list[str]], Tensor] | None = None
    dino: Encoder | None = None
    lpips: Callable[[Tensor, Tensor], Tensor] | None = None
    inception: Encoder | None = None


@dataclass(frozen=True)
class Sample:
    """Pictures uint8 [H, W, 3]; without a caption, what it is for is not measured."""

    drawn: np.ndarray
    target: np.ndarray
    history: list[np.ndarray]
    target_caption: str = ""
    history_captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    unit: str
    higher_is_better: bool
    about: str


POINTS, SHARE = "100 x cosine", "0 to 1"
METRICS = {
    "CS": Metric(POINTS, True, "CLIP: drawn picture and the target's caption"),
    "CIS": Metric(POINTS, True, "CLIP: drawn picture and target"),
    "DIS": Metric(POINTS, True, "DINO: drawn picture and target"),
    "history CS": Metric(POINTS, True, "CLIP: drawn picture and the captions of the history"),
    "history CIS": Metric(POINTS, True, "CLIP: drawn picture and history"),
    "history DIS": Metric(POINTS, True, "DINO: drawn picture and history"),
    "history LPIPS": Metric("distance", False, "LPIPS: drawn picture and history"),
    "history SSIM": Metric(SHARE, True, "structural similarity of drawn picture and history"),
    "history MS-SSIM": Metric(SHARE, True, "the same on five scales"),
    "FID": Metric("distance", False, "Frechet distance of all drawn pictures and all targets, in Inception features"),
}


@torch.no_grad()
def protocol(samples: Iterable[Sample], networks: Networks) -> dict[str, float]:
    """Metrics by the names of METRICS: means over samples, those of the history over samples and history pictures.

    FID needs many more pictures than Inception has features, 2048, to mean anything; it is given from two on.
    """
    found: dict[str, list[Tensor]] = {}
    inception: tuple[list[Tensor], list[Tensor]] = [], []
    for sample in samples:
        drawn, target, history = squeezed([sample.drawn]), squeezed([sample.target]), squeezed(sample.history)
        for name, values in of_sample(sample, drawn, target, history, networks).items():
            found.setdefault(name, []).append(values.double().flatten().cpu())
        if networks.inception:
            for features, pictures in zip(inception, (drawn, target), strict=True):
                features.append(networks.inception(for_inception(pictures)).double().cpu())
    numbers = {name: float(torch.cat(values).mean()) for name, values in found.items()}
    if len(inception[0]) > 1:
        numbers["FID"] = frechet_distance(*map(torch.cat, inception))
    return {name: numbers[name] for name in METRICS if name in numbers}


def of_sample(sample: Sample, drawn: Tensor, target: Tensor, history: Tensor, networks: Networks) -> dict[str, Tensor]:
    """Values of one sample: [1] against the target, [5] against the history."""
    many = drawn.expand_as(history)
    found = {
        "history SSIM": ssim(many * 255, history * 255, 255.0),
        "history MS-SSIM": ms_ssim(many * 255, history * 255, 255.0),
    }
    if networks.clip:
        features = networks.clip(drawn)
        found["CIS"] = points(features, networks.clip(target))
        found["history CIS"] = points(features, networks.clip(history))
        if networks.clip_text and sample.target_caption:
            found["CS"] = points(features, networks.clip_text([sample.target_caption]))
        if networks.clip_text and any(sample.history_captions):
            captions = [caption for caption in sample.history_captions if caption]
            found["history CS"] = points(features, networks.clip_text(captions))
    if networks.dino:
        features = networks.dino(drawn)
        found["DIS"] = points(features, networks.dino(target))
        found["history DIS"] = points(features, networks.dino(history))
    if networks.lpips:
        found["history LPIPS"] = networks.lpips(many * 2 - 1, history * 2 - 1)
    return found


def remembering(encoder: Encoder) -> Encoder:
    """Looks at the same picture once: true pictures and histories are compared with every answer."""
    known: dict[bytes, Tensor] = {}

    def look(pictures: Tensor) -> Tensor:
        keys = [hashlib.sha256(picture.contiguous().numpy().tobytes()).digest() for picture in pictures]
        new = {key: row for row, key in enumerate(keys) if key not in known}
        if new:
            known.update(zip(new, encoder(pictures[list(new.values())]).cpu(), strict=True))
        return torch.stack([known[key] for key in keys])

    return look


def points(first: Tensor, second: Tensor) -> Tensor:
    """100 x cosine of features [1, d] and [n, d] -> [n]."""
    return 100 * F.cosine_similarity(first.float(), second.float(), dim=1)


def squeezed(pictures: list[np.ndarray]) -> Tensor:
    """uint8 [H, W, 3] of any sizes -> [n, 3, 512, 512] in 0..1."""
    squares = [np.array(Image.fromarray(one).resize((SIZE, SIZE), Image.Resampling.BILINEAR)) for one in pictures]
    return from_pixels(squares)


def for_inception(pictures: Tensor) -> Tensor:
    """[n, 3, 512, 512] -> [n, 3, 299, 299], as pytorch-fid does it: without smoothing."""
    return F.interpolate(pictures, (INCEPTION_SIZE, INCEPTION_SIZE), mode="bilinear", align_corners=False)
