"""Pictures in the style of a history, with the meaning of a reference.

    import drc

    model = drc.load()
    history = drc.read("a.png", "b.png", "c.png")
    pictures = model.draw(history, drc.read("cat.png"), seeds=[1, 2])
    drc.write(pictures, "drawn.png")

Nothing heavy is imported before one of these is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from .model import DRC

EMBEDDED = Path(__file__).resolve().parent / "weights" / "drc-embedded.safetensors"
"""The model that ships."""


def load(path: str | Path = EMBEDDED, device: str | torch.device = "cpu", lmm: str | Path | None = None) -> DRC:
    """The model in a file, ready to draw; `lmm` is the folder of the large model that one over it needs. That keeps the
    number type of its files, which the towers do not share: `.float()` makes all of it one.

    ValueError, in one sentence, for a file that is none.
    """
    from . import checkpoint

    return checkpoint.load(Path(path), lmm=None if lmm is None else Path(lmm)).to(device)


def read(*paths: str | Path) -> list[Tensor]:
    """Picture files -> float [H, W, 3] in 0..1 each, turned upright and on white; ValueError for what is none."""
    from .data.picture_file import read_whole
    from .pixels import from_pixels, to_image

    return [to_image(from_pixels([read_whole(Path(path))]))[0] for path in paths]


def write(pictures: Tensor, path: str | Path) -> list[Path]:
    """Writes pictures [n, H, W, 3] in 0..1 as PNG files; of several each gets a number. Returns their paths."""
    import io

    from PIL import Image

    from .files import write_bytes
    from .pixels import from_image, to_pixels

    path, count = Path(path), len(pictures)
    names = [path] if count == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]
    for name, pixels in zip(names, to_pixels(from_image(pictures)), strict=True):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        write_bytes(file.getvalue(), name)
    return names
