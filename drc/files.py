"""Safetensors files: written whole or not at all, the same bytes for the same content."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors.torch import save_file
from torch import Tensor

CHUNK = 2**24
DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def open_regular(path: Path) -> BinaryIO:
    """A file to read from; OSError for one that is there and is none, such as a pipe, which would never end."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder the system says so itself
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return open(path, "rb", opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0)))


def read_bounded(path: Path, most: int) -> bytes:
    """A small file whole; OSError for one of more than `most` bytes, which is not read."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= most and len(data := file.read(most + 1)) <= most:
            return data
    raise OSError(errno.EFBIG, f"longer than {most // 2**10} KiB", os.fspath(path))


def file_hash(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    with open_regular(path) as file:
        return stream_hash(file)


def stream_hash(file: BinaryIO) -> str:
    """SHA-256 of what is still to be read of a file."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
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


def write_chunks(chunks: Iterable[bytes | memoryview], path: Path) -> None:
    """Writes the pieces of a file one after another, under a temporary name first; an error leaves nothing behind."""
    unfinished = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(unfinished)
    try:
        with open(unfinished, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        remove(unfinished)


def file_chunks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def safetensors_header(tensors: dict[str, Tensor]) -> bytes:
    """What stands before the tensors in their file: its length, and JSON that says where each begins and ends."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in in_order(tensors):
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def safetensors_chunks(tensors: dict[str, Tensor]) -> Iterator[bytes | memoryview]:
    """The bytes of the safetensors file of tensors of floating point, in pieces.

    The library writes a file in one call, and before version 0.8 from a copy of all its tensors; in pieces a file can
    be hashed while it is written, and left in the middle.
    """
    yield safetensors_header(tensors)
    for _, tensor in in_order(tensors):
        yield from tensor_chunks(tensor)


def tensor_chunks(tensor: Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor's numbers, in pieces."""
    data = memoryview(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def in_order(tensors: dict[str, Tensor]) -> list[tuple[str, Tensor]]:
    """The widest numbers first, so that every tensor begins where its numbers may."""
    return sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0]))


def remove(path: Path) -> None:
    """A file, or a folder with whatever is in it; nothing where there is none."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
