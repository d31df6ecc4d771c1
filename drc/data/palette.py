"""Colours of a procedural style, drawn in OKLCh so that steps of lightness and chroma look even.

Source: B. Ottosson, "A perceptual color space for image processing", 2020.
"""

import math
from operator import mul

import numpy as np

from ..pixels import to_bytes

Rgb = tuple[float, float, float]


TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def linear(channel: float) -> float:
    """sRGB in 0..1 to light."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def to_oklab(rgb: Rgb) -> tuple[float, float, float]:
    """sRGB in 0..1 to OKLab (lightness 0..1, green-red, blue-yellow)."""
    light = tuple(map(linear, rgb))
    cones = tuple(sum(map(mul, row, light)) ** (1 / 3) for row in TO_CONES)
    return tuple(sum(map(mul, row, cones)) for row in TO_LAB)


def oklab_of_pixels(pixels: np.ndarray) -> np.ndarray:
    """uint8 [..., 3] to OKLab [..., 3]."""
    light = np.array([linear(step / 255) for step in range(256)])[pixels]
    return np.cbrt(light @ np.array(TO_CONES).T) @ np.array(TO_LAB).T


def pixels_of_oklab(lab: np.ndarray) -> np.ndarray:
    """OKLab [..., 3] to uint8 [..., 3]; what no screen shows is cut off."""
    light = (lab @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_CONES).T
    light = light.clip(0, 1)
    channels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return to_bytes(channels)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return tuple(12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """The hex colour of an OKLCh value (hue in degrees), chroma lowered until the colour exists in sRGB."""
    for share in (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0):
        rgb = _from_oklch(lightness, chroma * share, math.radians(hue))
        if min(rgb) >= -1e-3 and max(rgb) <= 1 + 1e-3:
            break
    return to_hex(rgb)


def to_hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(255 * min(max(c, 0), 1)):02x}" for c in rgb)


def to_rgb(colour: str) -> Rgb:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def distance(first: str, second: str) -> float:
    """Euclidean distance in OKLab; 0.1 is clearly visible, black to white is 1."""
    return math.dist(to_oklab(to_rgb(first)), to_oklab(to_rgb(second)))


def interpolate(palette: tuple[str, ...], position: float) -> str:
    """The colour at position 0..1 along a palette."""
    position = min(max(position, 0), 1) * (len(palette) - 1)
    index = min(int(position), len(palette) - 2)
    share = position - index
    first, second = to_rgb(palette[index]), to_rgb(palette[index + 1])
    return to_hex(tuple((1 - share) * a + share * b for a, b in zip(first, second, strict=True)))


def draw_palette(
    rng: np.random.Generator, count: int, lightness: tuple[float, float], chroma: tuple[float, float]
) -> tuple[str, ...]:
    """`count` colours from dark to light whose hues follow one of the usual schemes."""
    base = rng.uniform(0, 360)
    spread = rng.choice([20, 60, 120, 180, 240])
    hues = base + spread * rng.permutation(count) / max(count - 1, 1) + rng.uniform(-12, 12, count)
    steps = np.linspace(*lightness, count) + rng.uniform(-0.02, 0.02, count)
    return tuple(oklch(s, rng.uniform(*chroma), h) for s, h in zip(steps, hues, strict=True))


def draw_apart(
    rng: np.random.Generator,
    others: tuple[str, ...],
    lightness: tuple[float, float],
    chroma: tuple[float, float],
) -> str:
    """Of twelve random colours the first that stands well apart from all others, else the one farthest apart."""
    best, apart = "", -1.0
    for _ in range(12):
        colour = oklch(rng.uniform(*lightness), rng.uniform(*chroma), rng.uniform(0, 360))
        nearest = min(distance(colour, other) for other in others)
        if nearest > apart:
            best, apart = colour, nearest
        if apart > 0.2:
            break
    return best
