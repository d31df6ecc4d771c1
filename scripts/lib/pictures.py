"""Pictures as files and as bytes."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

from scripts.lib.client import Client, Result
from scripts.lib.options import InputError


def read_picture(path: Path) -> Image.Image:
    """A picture turned upright, its transparent parts white."""
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{str(path)!r} cannot be read as a picture: {error}.") from error
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def to_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def from_bytes(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def pictures_of(client: Client, result: Result) -> list[Image.Image]:
    """Those that a run saved, which ended without an error."""
    assert result.error is None, result.error
    return [from_bytes(client.fetch(image)) for image in result.images]
