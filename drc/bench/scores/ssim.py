"""Structural similarity of pictures, on one scale and on five, with the numbers of pytorch-msssim.

Sums are over a Gaussian window of 11 x 11 with a deviation of 1.5, where it lies wholly inside the picture; channels
count alike (Wang et al., 2004, and Wang et al., 2003).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, DEVIATION = 11, 1.5
LIGHT, CONTRAST = 0.01, 0.03  # K1 and K2
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of the scales, the finest first


def ssim(first: Tensor, second: Tensor, most: float) -> Tensor:
    """Pictures [n, C, H, W] from 0 to `most` -> [n], at most 1, higher is more alike."""
    return maps(first, second, most)[0].mean(dim=1)


def ms_ssim(first: Tensor, second: Tensor, most: float) -> Tensor:
    """As `ssim`; sides need more than 160 pixels, so that the window fits on the fifth scale."""
    product = torch.ones_like(first[:, :, 0, 0])
    for scale, weight in enumerate(SCALES, 1):
        whole, structure = maps(first, second, most)
        product = product * (whole if scale == len(SCALES) else structure).relu() ** weight
        padding = [side % 2 for side in first.shape[2:]]
        first, second = (F.avg_pool2d(pictures, 2, padding=padding) for pictures in (first, second))
    return product.mean(dim=1)


def maps(first: Tensor, second: Tensor, most: float) -> tuple[Tensor, Tensor]:
    """Means [n, C] of the similarity, and of its part without the lightness."""
    sums = torch.cat((first, second, first.square(), second.square(), first * second))
    mean1, mean2, square1, square2, product = blurred(sums).chunk(5)
    c1, c2 = (LIGHT * most) ** 2, (CONTRAST * most) ** 2
    variances = square1 - mean1.square() + square2 - mean2.square()
    structure = (2 * (product - mean1 * mean2) + c2) / (variances + c2)
    whole = structure * (2 * mean1 * mean2 + c1) / (mean1.square() + mean2.square() + c1)
    return whole.mean(dim=(2, 3)), structure.mean(dim=(2, 3))


def blurred(pictures: Tensor) -> Tensor:
    """[n, C, H, W] -> [n, C, H - 10, W - 10]"""
    positions = torch.arange(WINDOW, dtype=pictures.dtype, device=pictures.device) - WINDOW // 2
    window = torch.exp(-positions.square() / (2 * DEVIATION**2))
    window = (window / window.sum()).expand(pictures.shape[1], 1, 1, -1)
    across = F.conv2d(pictures, window, groups=pictures.shape[1])
    return F.conv2d(across, window.mT, groups=pictures.shape[1])
