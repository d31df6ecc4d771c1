"""Pictures as large as they are worked on, and as small as they are shipped."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..interrupt import heard
from ..pixels import from_pixels, resized, square, to_pixels
from ..progress import OnPart
from .settings import FULL


def full_size(
    image: Tensor, sharpen: Callable[[Tensor], Tensor], name: str, on_part: OnPart | None = None
) -> np.ndarray:
    """A picture [H, W, 3 or 4] in 0..1, called `name` in a ValueError -> uint8 [FULL, FULL, 3].

    `sharpen`, which makes images [1, 3, S, S] four times as large, is asked where it is smaller. `on_part` is called
    while one is shrunk, and may raise to stop.
    """
    images = heard(partial(prepared, image, name), on_part)
    if images.shape[-1] < FULL:
        images = sharpen(images)
    return to_pixels(resized(images, FULL))[0]


def prepared(image: Tensor, name: str) -> Tensor:
    """A picture [H, W, 3 or 4] as a square [1, 3, S, S] of its longer side, at most FULL."""
    return square(image, min(max(image.shape[:2]), FULL), name)[None]


def shrunk(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture uint8 [S, S, 4] -> [size, size, 4]: each pixel the mean of what it covers, what is transparent without
    a say in its colour."""
    if len(picture) == size:
        return picture
    images = from_pixels(picture[None])
    weighed = torch.cat((images[:, :3] * images[:, 3:], images[:, 3:]), dim=1)
    small = F.interpolate(weighed, (size, size), mode="area")
    small[:, :3] /= small[:, 3:].clamp(min=1e-6)
    return to_pixels(small.clamp(0, 1))[0]


def on_ground(picture: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """A picture uint8 [S, S, 4] laid on a colour uint8 [3] -> [S, S, 3]."""
    alpha = picture[..., 3:] / 255
    return (alpha * picture[..., :3] + (1 - alpha) * ground).round().astype(np.uint8)
