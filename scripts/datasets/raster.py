"""From a drawing to pixels: SVG text by resvg, picture files by Pillow, always on white, fitted and centred."""

import hashlib
import io
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image, ImageOps

from .svg import read

SIZE = 128
"""Width and height in pixels of the pictures that the manifests describe."""
DIGEST_DIGITS = 16  # the first of the 64 hex digits of SHA-256: enough to tell a changed picture


def rasterise(drawing: str | Path, size: int) -> np.ndarray:
    """One drawing as RGB pixels.

    Args:
        drawing: SVG text with a square view box, or the path of a picture, whose transparent parts become white.
        size: width and height of the result in pixels.

    Returns:
        uint8 [size, size, 3].
    """
    if isinstance(drawing, str):
        read(drawing)  # the rasteriser itself takes whatever it is given, and may never come back
        png = resvg_py.svg_to_bytes(
            svg_string=drawing, width=size, height=size, background="#ffffff", skip_system_fonts=True
        )
        picture = Image.open(io.BytesIO(bytes(png)))
    else:
        picture = Image.open(drawing).convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = ImageOps.pad(picture, (size, size), Image.Resampling.BOX, color="white")
    return np.asarray(picture.convert("RGB"))


def digest(image: np.ndarray) -> str:
    """SHA-256 of the RGB bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()
