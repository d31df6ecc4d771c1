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


def photograph(seed=0, size=SIZE):
    """Soft and sharp at once, of all colours."""
    rng, found = np.random.default_rng(seed), 0
    for cells in (4, 16, 64, 256):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8)).resize((size, size))
        found = found + np.asarray(noise, float) / cells**0.5
    return (255 * found / found.max()).astype(np.uint8)
