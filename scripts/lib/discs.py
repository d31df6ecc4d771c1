"""For tests: small drawings of known colours, drawn large and made small, so that edges are soft."""

import numpy as np
from PIL import Image, ImageDraw

WHITE, SKY, NAVY, ROSE = (255, 255, 255), (185, 210, 255), (20, 40, 100), (230, 60, 110)
SIZE, FINE = 512, 4


def drawn(*shapes, ground=WHITE, size=SIZE):
    """Discs of a box, a filling and an outline in 512ths of the picture, with the width of that, as uint8."""
    scale = FINE * size / SIZE
    picture = Image.new("RGB", (FINE * size, FINE * size), ground)
    pen = ImageDraw.Draw(picture)
    for box, fill, outline, width in shapes:
        pen.ellipse([scale * place for place in box], fill=fill, outline=outline, width=round(scale * width))
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def disc(fill=SKY, outline=NAVY, width=16, box=(96, 96, 416, 416), **keywords):
    return drawn((box, fill, outline, width), **keywords)


def scene(size=SIZE):
    """Stands for a photograph of few colours: a sky that darkens, grass with texture, and a ball in soft light."""
    down, right = np.mgrid[:size, :size] / size
    grass = np.random.default_rng(0).normal(0, 0.06, (size // 2, size // 2)).repeat(2, 0).repeat(2, 1)
    sky = np.stack([0.35 + 0.5 * down, 0.55 + 0.4 * down, 0.95 - 0.1 * down], axis=-1)
    field = np.stack([0.25 + 0.2 * right, 0.45 - 0.15 * right, 0.15 + 0 * right], axis=-1) + grass[..., None]
    found = np.where(down[..., None] < 0.6, sky, field)
    light = (1 - np.hypot(down - 0.45, right - 0.42) / 0.35).clip(0, 1)[..., None]
    ball = np.hypot(down - 0.5, right - 0.5)[..., None] < 0.25
    found = np.where(ball, np.array((0.9, 0.3, 0.2)) * (0.25 + 0.75 * light), found)
    return (255 * found.clip(0, 1)).astype(np.uint8)


def photograph(seed=0, size=SIZE):
    """Soft and sharp at once, of all colours."""
    rng, found = np.random.default_rng(seed), 0
    for cells in (4, 16, 64, 256):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8)).resize((size, size))
        found = found + np.asarray(noise, float) / cells**0.5
    return (255 * found / found.max()).astype(np.uint8)
