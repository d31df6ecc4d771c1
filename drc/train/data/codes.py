"""Pictures are turned into codes once, and the codes are kept in a file.

A code is known by the content of its picture and by the tokeniser, so neither a renamed picture nor another training
on the same pictures is encoded again. One file for each tokeniser and picture size: keys [M, 32], the SHA-256 of each
picture's content and view, and codes [M, 2, N], of the picture and of its mirror image.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...lmm import Vision
from ...pixels import from_pixels
from ...progress import OnPart, OnShare
from ...tensor_file import look, read_plain, tensors_hash, write_safetensors
from ..errors import TrainingError
from ..machine.precision import autocast

CHUNK = 64  # pictures encoded at once
CHUNKS = {torch.float32: 2, torch.bfloat16: 8}
"""The same on a CPU: where many at once are no quicker, few say sooner how far it is, and hear Cancel."""
KEY = np.dtype("S32")


class PictureSource(Protocol):
    """Pictures by row."""

    def __len__(self) -> int: ...

    def keys(self) -> np.ndarray:
        """uint8 [M, 32]: what tells one picture's content from another's."""

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [len(rows), size, size, 3]."""


class CodeCache:
    """The codes in `folder` that `vision` gives when it computes in `precision`. In bfloat16 most are those of float32,
    so they are kept apart."""

    def __init__(self, folder: Path, vision: Vision, precision: torch.dtype = torch.float32):
        self.vision, self.precision = vision, precision
        size = vision.image_size  # the same weights may read pictures of another size
        how = "" if precision == torch.float32 else "-bfloat16"
        self.path = folder / f"{tensors_hash(vision.state_dict())[:16]}-{size}{how}.safetensors"

    def codes(
        self,
        pictures: PictureSource,
        device: torch.device | str,
        on_pictures: OnShare | None = None,
        on_part: OnPart | None = None,
    ) -> Tensor:
        """int16 [M, 2, N] of every picture; only those that the file lacks are read and encoded.

        `on_pictures(done, total)` is told how many of the missing ones are encoded, `on_part` is called before each is
        read; both may raise to stop, and what was encoded until then is kept.
        """
        keys = np.ascontiguousarray(pictures.keys()).view(KEY)[:, 0]
        known_keys, known = self.read()
        missing = np.flatnonzero(~np.isin(keys, known_keys))
        _, first = np.unique(keys[missing], return_index=True)  # equal pictures are encoded once
        missing = missing[np.sort(first)]
        if len(missing):
            fresh, done = [], 0
            try:
                for chunk in np.array_split(missing, -(-len(missing) // chunk_on(device, self.precision))):
                    fresh.append(encode(self.vision, read_all(pictures, chunk, on_part), device, self.precision))
                    done += len(chunk)
                    if on_pictures is not None:
                        on_pictures(done, len(missing))
            finally:
                if fresh:
                    known = torch.cat((known, *fresh)) if len(known) else torch.cat(fresh)
                    known_keys = np.concatenate((known_keys, keys[missing[:done]]))
                    self.write(known_keys, known)
        order = np.argsort(known_keys)
        return known[torch.from_numpy(order[np.searchsorted(known_keys[order], keys)])]

    def read(self) -> tuple[np.ndarray, Tensor]:
        """What the file holds; a damaged file holds nothing and is written anew."""
        shape = 2, self.vision.picture_codes
        try:
            contents = look(self.path)
            keys, codes = (contents.shapes.get(name, ()) for name in ("keys", "codes"))
            types = {name: contents.dtypes[name] for name in ("keys", "codes") if name in contents.dtypes}
            if types == {"keys": "U8", "codes": "I16"} and keys[1:] == (32,) and codes == (keys[0], *shape):
                file = read_plain(self.path, types)
                if ((file["codes"] >= -1) & (file["codes"] < self.vision.codebook_size)).all():
                    return file["keys"].numpy().view(KEY)[:, 0], file["codes"]
        except (OSError, ValueError):
            pass
        return np.empty(0, KEY), torch.empty(0, dtype=torch.int16)

    def write(self, keys: np.ndarray, codes: Tensor) -> None:
        plain = torch.from_numpy(np.ascontiguousarray(keys).view(np.uint8).reshape(len(keys), 32).copy())
        try:
            write_safetensors({"keys": plain, "codes": codes}, self.path, {})
        except OSError as error:
            raise TrainingError(
                f"the codes of the pictures could not be kept in {self.path.parent} ({error}); make room on that disk "
                "and start the training again"
            ) from error


def chunk_on(device: torch.device | str, precision: torch.dtype = torch.float32) -> int:
    """How many pictures are encoded at once on a device."""
    return CHUNKS[precision] if torch.device(device).type == "cpu" else CHUNK


def read_all(pictures: PictureSource, rows: np.ndarray, on_part: OnPart | None) -> np.ndarray:
    """As `PictureSource.read`, one after another, as each may take a while."""
    found = []
    for row in rows:
        if on_part is not None:
            on_part()
        found.append(pictures.read(np.array([row])))
    return np.concatenate(found)


@torch.no_grad()
def encode(
    vision: Vision, pixels: np.ndarray, device: torch.device | str, precision: torch.dtype = torch.float32
) -> Tensor:
    """uint8 [n, size, size, 3] -> codes int16 [n, 2, N] of the pictures and of their mirror images."""
    images = from_pixels(pixels, device).contiguous(memory_format=torch.channels_last)
    with autocast(device, precision):
        both = vision.encode(torch.cat((images, images.flip(3))))
    return both.to(torch.int16).cpu().unflatten(0, (2, -1)).transpose(0, 1).contiguous()
