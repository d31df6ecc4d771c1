"""Safetensors files: written whole or not at all, the same bytes for the same content."""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def file_hash(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(2**24):
            digest.update(chunk)
    return digest.hexdigest()


def tensors_hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types and bytes of tensors, whatever their order and device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def metadata_of(header: dict[str, str]) -> dict[str, str]:
    """A checkpoint's header as metadata of safetensors, which keeps no order: one entry, so equal files stay equal."""
    return {"drc": json.dumps(header, sort_keys=True)}


def write_safetensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Writes under a temporary name first, so that a reader finds the old file or the new one, never half of one.

    What a killed process left of an earlier try is cleared away.
    """
    unfinished = path.with_name(path.name + ".part")
    remove(unfinished)
    unfinished.mkdir(parents=True)  # a folder, as the library writes to a random name of its own before
    try:
        save_file(tensors, unfinished / "whole", metadata)
        with open(unfinished / "whole", "rb+") as file:
            os.fsync(file.fileno())
        (unfinished / "whole").replace(path)
    finally:
        remove(unfinished)


def write_bytes(data: bytes, path: Path) -> None:
    """Writes a small file in the same way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)


def remove(path: Path) -> None:
    """A file, or a folder with whatever is in it; nothing where there is none."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
