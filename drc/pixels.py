"""Pictures in all their forms, and every way from one to another.

pixels   uint8 [..., H, W, 3], numpy: files, sheets, caches
numbers  float32 of the shape of pixels in 0..1, numpy: colours that are reckoned with
planes   of pixels or numbers, [3, H, W], numpy: what filters work on
IMAGE    float [n, H, W, 3 or 4] in 0..1: what the host's nodes hand on
images   float [..., 3, H, W] in 0..1: what networks read
squares  images [..., 3, size, size] as a large multimodal model reads and draws them
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

OVERSHOOT = 0.1  # beyond 0..1: sharp resampling swings a little further than black and white


def from_pixels(pixels: np.ndarray | Sequence[np.ndarray], device: torch.device | str = "cpu") -> Tensor:
    """Pixels, or a list of such pictures of one size -> images on `device`."""
    pixels = pixels if isinstance(pixels, np.ndarray) else np.stack(pixels)
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).movedim(-1, -3).float() / 255


def to_pixels(images: Tensor) -> np.ndarray:
    """Images -> pixels, each number rounded to the nearest."""
    return (images * 255).round().byte().movedim(-3, -1).contiguous().cpu().numpy()


def to_numbers(pixels: np.ndarray) -> np.ndarray:
    """Pixels, or any part of some -> numbers."""
    return pixels.astype(np.float32) / 255


def to_bytes(numbers: np.ndarray) -> np.ndarray:
    """Numbers -> pixels, each rounded to the nearest, of two to the even one, as `to_pixels` does."""
    return (255 * numbers).round().astype(np.uint8)


def to_bytes_upwards(numbers: np.ndarray) -> np.ndarray:
    """Numbers -> pixels, cut off at 0 and 1, each rounded to the nearest, of two to the higher one. What was repainted
    is kept by its bytes, so it stays beside `to_bytes`."""
    return (255 * np.clip(numbers, 0, 1) + 0.5).astype(np.uint8)


def to_planes(pixels: np.ndarray, kind: type[np.number]) -> np.ndarray:
    """Pixels [H, W, 3] -> planes of that number type, one after the other in memory."""
    return pixels.transpose(2, 0, 1).astype(kind, "C")


def from_planes(planes: np.ndarray) -> np.ndarray:
    """Planes [3, H, W] -> [H, W, 3]."""
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def rounded(images: Tensor) -> Tensor:
    """Images as they are after a file has kept them in 8 bits."""
    return (images * 255).round() / 255


def to_image(images: Tensor) -> Tensor:
    """Images [n, 3, H, W] -> IMAGE."""
    return images.movedim(-3, -1).contiguous()


def from_image(image: Tensor) -> Tensor:
    """IMAGE without transparency -> images, a view."""
    return image.movedim(-1, -3)


def resized(images: Tensor, size: int) -> Tensor:
    """Square images [n, 3, S, S] -> squares [n, 3, size, size]."""
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True).clamp(0, 1)


def check(images: Tensor, name: str) -> None:
    """Raises ValueError when `images` is no batch of pictures [n, H, W, 3 or 4] in floating point, with its numbers in
    memory; `name` is the input's name."""
    check_dense(images, name, "pictures")
    shape = " x ".join(map(str, images.shape))
    if images.numel() == 0:
        raise ValueError(f"{name} holds no picture (its shape is {shape}); connect at least one")
    if images.ndim != 4 or images.shape[-1] not in (3, 4):
        raise ValueError(f"{name} has the shape {shape}, expected pictures x height x width x 3 or 4; connect pictures")


def check_dense(numbers: Tensor, name: str, what: str) -> None:
    if not isinstance(numbers, Tensor):
        raise ValueError(f"{name} is of the kind {type(numbers).__name__}, expected {what}; connect {what}")
    if not is_dense(numbers) or not numbers.is_floating_point():
        kind = f"{layout_of(numbers)} tensor of {str(numbers.dtype).removeprefix('torch.')}"
        raise ValueError(
            f"{name} is a {kind}, expected {what} as dense numbers from 0 to 1 in floating point; connect {what}"
        )


def is_dense(numbers: Tensor) -> bool:
    """Whether the numbers of a tensor lie in memory, one for each place of its shape."""
    return layout_of(numbers) == "strided"


def layout_of(numbers: Tensor) -> str:
    """How the numbers of a tensor lie: strided, which is dense, or another way."""
    special = "meta" if numbers.is_meta else "nested" if numbers.is_nested else ""
    return special or str(numbers.layout).removeprefix("torch.")


def check_masks(masks: Tensor, name: str) -> Tensor:
    """Masks [n, h, w] of what comes as that, as one mask [h, w] or as [n, 1, h, w]; ValueError for what holds none."""
    check_dense(masks, name, "masks")
    shape = " x ".join(map(str, masks.shape))
    if masks.ndim == 4 and masks.shape[1] == 1:
        masks = masks[:, 0]
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.ndim != 3 or masks.numel() == 0:
        raise ValueError(f"{name} has the shape {shape}, expected masks x height x width; connect masks")
    least, most = (value.item() for value in masks.float().aminmax())  # of 8 bits torch has none
    if not (least >= -OVERSHOOT and most <= 1 + OVERSHOOT):  # also false for NaN
        raise ValueError(
            f"{name} holds numbers from {least:.4g} to {most:.4g}, expected 0 to 1; repair or rescale the mask"
        )
    return masks


def masked(image: Tensor, mask: Tensor) -> Tensor:
    """A picture [H, W, 3 or 4] and a mask [h, w], 1 where it is transparent -> [H, W, 4]; the picture itself where the
    mask covers nothing. A mask of another size is stretched over the picture."""
    if not mask.any():
        return image
    alpha = 1 - mask.to(image).clamp(0, 1)
    if alpha.shape != image.shape[:2]:
        alpha = F.interpolate(alpha[None, None], tuple(image.shape[:2]), mode="bilinear", antialias=True)[0, 0]
    alpha = alpha[..., None] * image[..., 3:] if image.shape[-1] == 4 else alpha[..., None]
    return torch.cat((image[..., :3], alpha), dim=-1)


def prepare(images: Tensor, size: int, name: str, first: int = 1) -> Tensor:
    """Pictures [n, H, W, 3 or 4] in 0..1 -> [n, 3, size, size] in 0..1.

    Each is laid on white where it is transparent, shrunk or enlarged until it fits, and centred on the colour of its
    own border. Raises ValueError for numbers that are no colours; `first` is the number of the first picture there.
    """
    return torch.stack([square(image, size, f"picture {first + i} of {name}") for i, image in enumerate(images)])


def square(image: Tensor, size: int, name: str) -> Tensor:
    """[H, W, 3 or 4] -> [3, size, size]"""
    image = laid_on_white(image, name)
    height, width = image.shape[:2]
    border = torch.cat((image[0], image[-1], image[:, 0], image[:, -1]))
    canvas = border.median(dim=0).values.view(3, 1, 1).repeat(1, size, size)
    inner_height = max(1, round(height * size / max(height, width)))
    inner_width = max(1, round(width * size / max(height, width)))
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    inner = F.interpolate(from_image(image)[None], (inner_height, inner_width), mode="bilinear", antialias=True)[0]
    canvas[:, top : top + inner_height, left : left + inner_width] = inner
    return canvas.clamp(0, 1)


def laid_on_white(image: Tensor, name: str) -> Tensor:
    """[H, W, 3 or 4] -> [H, W, 3] in float32; ValueError for numbers that are no colours."""
    image = image.float()
    least, most = (value.item() for value in image.aminmax())
    if not (least >= -OVERSHOOT and most <= 1 + OVERSHOOT):  # also false for NaN
        raise ValueError(
            f"{name} holds numbers from {least:.4g} to {most:.4g}, expected 0 to 1; repair or rescale the picture"
        )
    if image.shape[-1] == 3:
        return image
    alpha = image[..., 3:]
    return torch.lerp(torch.ones_like(alpha), image[..., :3], alpha)
