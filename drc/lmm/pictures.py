"""Many pictures through the vision part of an LMM, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..pixels import square
from ..progress import OnCount

if TYPE_CHECKING:
    from . import LMM

UNDRAWN = 0.9  # light grey
PICTURES = 16
"""At once, so that working memory does not grow with their number."""
MEMORY_PER_PIXEL = 512
"""Bytes of it that each takes: three times what the visual tokeniser takes on a CPU, for the workspace of a GPU."""


def codes_of(
    lmm: LMM,
    squares: Iterable[Tensor],
    device: torch.device | str,
    on_pictures: OnCount | None = None,
) -> Tensor:
    """Pictures [3, size, size] in 0..1, made as they are needed, -> codes [n, N] on `device`; `on_pictures` is told how
    many are done."""
    squares, found, done = iter(squares), [], 0
    while some := list(islice(squares, PICTURES)):
        found.append(lmm.tokenize(torch.stack(some).to(device)))
        done += len(some)
        if on_pictures is not None:
            on_pictures(done)
    return torch.cat(found)


class ThroughVision:
    """The members of `drc.lmm.PixelLMM` that its `vision` serves alone."""

    def prepare(self, image: Tensor, name: str, original: bool = False) -> Tensor:
        """A picture [H, W, 3 or 4] in 0..1 -> [3, size, size]; ValueError, which calls it `name`, for what is none."""
        return square(image, self.image_size, name)

    def tokenize(self, images: Tensor, seeds: list[int] | None = None) -> Tensor:
        """Pictures [B, 3, size, size] in 0..1 -> codes [B, N]."""
        return self.vision.encode(images)

    def detokenize(self, codes: Tensor) -> Tensor:
        """Codes [B, N] -> pictures [B, 3, size, size] in 0..1."""
        return self.vision.decode(codes)

    def preview(self, codes: Tensor) -> Tensor:
        """The codes drawn so far [B, n] -> pictures [B, 3, size, size], light grey where nothing is drawn yet."""
        vision = self.vision
        rest = vision.picture_codes - codes.shape[1]
        images = vision.decode(torch.cat((codes, codes[:, -1:].expand(-1, rest)), dim=1))
        grid = round(vision.picture_codes**0.5)
        undrawn = torch.arange(vision.picture_codes, device=codes.device).view(grid, grid) >= codes.shape[1]
        cell = vision.image_size // grid
        undrawn = undrawn.repeat_interleave(cell, 0).repeat_interleave(cell, 1)
        return images.masked_fill(undrawn, UNDRAWN)
