"""Augmentations that keep a reference picture's meaning and disturb its style, so that a model does not copy the style.

Colour and texture are style and may change; what is shown and where it stands may not. The list is
ours, the paper names none (METHOD.md, 5).
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from PIL import Image, ImageFilter

CANVAS = 128
# The most there is, at strength 1.
_CROP = 0.4  # of the side is cut off
_TURN = 20.0  # degrees, of the picture
_BLUR = 2.5  # in 1/128 of the picture
_BRIGHTNESS, _CONTRAST = 0.3, 0.5
_HUE = 120.0  # degrees, of the colour circle


@dataclass(frozen=True)
class Augmentations:
    """What may happen to a reference picture, each from 0 (never) to 1. ValueError for other numbers.

    crop, colour, blur and rotate are strengths, the most that can happen; grey and mirror are the share of pictures
    that lose their colour or are mirrored. Mirroring is off by default because it would mirror writing too.
    """

    crop: float = 0.5
    colour: float = 0.5
    grey: float = 0.2
    blur: float = 0.3
    rotate: float = 0.25
    mirror: float = 0.0

    def __post_init__(self):
        for field in fields(self):
            strength = getattr(self, field.name)
            if not 0 <= strength <= 1:  # also true for NaN
                raise ValueError(f"the augmentation {field.name} is {strength}, expected 0 (off) to 1; choose another")

    def names(self) -> list[str]:
        """Those that are on."""
        return [field.name for field in fields(self) if getattr(self, field.name) > 0]

    def text(self) -> str:
        """What is on, a line each."""
        lines = {
            "crop": f"crop: {100 * (1 - _CROP * self.crop):.0f} to 100 % of the picture's width and height stay",
            "colour": f"colour: brightness changes by up to {100 * _BRIGHTNESS * self.colour:.0f} %, "
            f"contrast by {100 * _CONTRAST * self.colour:.0f} %, hue by {_HUE * self.colour:.0f} degrees",
            "grey": f"grey: {100 * self.grey:.0f} % of the pictures lose their colour",
            "blur": f"blur: by up to {100 * _BLUR * self.blur / CANVAS:.1f} % of the picture's width",
            "rotate": f"rotate: by up to {_TURN * self.rotate:.0f} degrees to either side",
            "mirror": f"mirror: {100 * self.mirror:.0f} % of the pictures are mirrored",
        }
        return "\n".join(lines[name] for name in self.names()) or "none: every picture stays as it is"


def augment(picture: np.ndarray, augmentations: Augmentations, seed: int) -> np.ndarray:
    """A picture uint8 [S, S, 3] after one draw of the augmentations, same shape and type; all at 0 change nothing.

    Every random number is drawn whether its augmentation is on or not, so that switching one leaves the others alone.
    """
    drawn = np.random.default_rng(seed).random(11).tolist()
    strength = augmentations
    image = _framed(
        Image.fromarray(picture),
        side=1 - _CROP * strength.crop * drawn[0],
        centre=(drawn[1], drawn[2]),
        degrees=_TURN * strength.rotate * (2 * drawn[3] - 1),
        mirrored=drawn[4] < strength.mirror,
    )
    if strength.blur:
        radius = _BLUR * strength.blur * drawn[5] * image.width / CANVAS
        image = image.filter(ImageFilter.GaussianBlur(radius))
    result = np.array(image)
    if strength.colour:
        result = _jittered(result, [strength.colour * (2 * amount - 1) for amount in drawn[6:10]])
    if drawn[10] < strength.grey:
        result = np.repeat(np.array(Image.fromarray(result).convert("L"))[..., None], 3, axis=-1)
    return result


def _framed(
    image: Image.Image, side: float, centre: tuple[float, float], degrees: float, mirrored: bool
) -> Image.Image:
    """A square part of a picture, `side` of its width, turned; centre 0..1 is where it lies in the room that it has."""
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if side == 1 and degrees == 0:
        return image
    # What a turn brings in from outside is the border, drawn out.
    size = image.width
    margin = size // 4 + 1
    wide = Image.fromarray(np.pad(np.asarray(image), ((margin, margin), (margin, margin), (0, 0)), "edge"))
    x, y = ((at * (1 - side) + side / 2) * size + margin for at in centre)
    cos, sin = side * math.cos(math.radians(degrees)), side * math.sin(math.radians(degrees))
    matrix = (cos, sin, x - (cos + sin) * size / 2, -sin, cos, y - (cos - sin) * size / 2)
    return wide.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def _jittered(picture: np.ndarray, amounts: list[float]) -> np.ndarray:
    """Brightness, contrast, saturation and hue changed by amounts in -1..1 of the most there is."""
    brightness, contrast, saturation, hue = amounts
    angle, contrast = math.radians(_HUE * hue), 1 + _CONTRAST * contrast
    # A colour is its grey and what it differs from it by; the latter is turned about the grey axis and scaled.
    grey = np.tile((0.299, 0.587, 0.114), (3, 1))
    aside = np.array(((0, -1, 1), (1, 0, -1), (-1, 1, 0))) / math.sqrt(3)
    turn = np.eye(3) + math.sin(angle) * aside + (1 - math.cos(angle)) * aside @ aside
    matrix = contrast * (grey + (1 + saturation) * (np.eye(3) - grey) @ turn)
    colours = picture.reshape(-1, 3).astype(np.float32)
    shift = (1 - contrast) * (grey[0] @ colours.mean(0)) + 255 * _BRIGHTNESS * brightness
    changed = colours @ matrix.T.astype(np.float32) + np.float32(shift)
    return (np.clip(changed, 0, 255) + 0.5).astype(np.uint8).reshape(picture.shape)
