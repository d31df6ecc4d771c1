"""The archive in which PyTorch keeps tensors: opened without running code, and held against its own check sums.

A .bin is a zip archive of a pickle, which names the tensors, and of their numbers, one file for each storage. PyTorch
maps these into memory and then skips the check sums of the archive; they are looked at here while numbers are used.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ...files import CHUNK, open_regular
from ...parsing import brief
from ...tensor_file import DTYPES, FLOATING, in_order, is_finite, safetensors_header, tensor_chunks
from .zip_directory import Record, read_directory

REPOSITORY = "rain1011/LaVIT-7B-v2"
AGAIN = f"download it again from {REPOSITORY}"
PICKLE = b"\x80"  # how one begins, and so a file of PyTorch's old format
MOST_PICKLE = 2**24  # bytes of names and shapes
NUMBERS = "/data/"  # in the names of the files that hold numbers
NO_ARCHIVE = (OSError, ValueError, struct.error)


def read_archive(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of PyTorch, whose numbers are read when they are used; a single one gets the file's name.

    Nothing but tensors is read: a file can hold code, and `weights_only` refuses to run it. ValueError with one
    sentence for anything else.
    """
    records_of(path)  # a regular file
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, OSError, EOFError) as error:
        raise ValueError(f"{path} is not a whole file of PyTorch, it may be cut short; {AGAIN}") from error
    except Exception as error:  # pickle has errors of its own, and importing it is not for a published pack
        raise ValueError(f"{path} holds more than tensors and is not opened, as it could run code; {AGAIN}") from error
    if isinstance(found, Tensor):
        found = {path.stem: found}
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds more than tensors ({type(found).__name__}); {AGAIN}")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{path} holds more than tensors ({brief(name)} is {type(tensor).__name__}); {AGAIN}")
        if DTYPES.get(tensor.dtype) not in FLOATING or tensor.layout != torch.strided:
            raise ValueError(f"{path} holds {brief(name)} as {tensor.dtype}, expected floating point; {AGAIN}")
        if tensor.device.type != "cpu" or tensor.nbytes > tensor.untyped_storage().nbytes():
            raise ValueError(f"{path} holds {brief(name)} without its numbers; {AGAIN}")
    return found


def records_of(path: Path) -> list[Record]:
    """The files in an archive, none of them compressed, as PyTorch writes it."""
    try:
        records = read_directory(path)
    except NO_ARCHIVE as error:
        with open_regular(path) as file:
            if file.read(1) == PICKLE:
                raise ValueError(
                    f"{path} is in PyTorch's old format and is not opened, as it could run code; {AGAIN}"
                ) from error
        raise ValueError(f"{path} is not a whole file of PyTorch, it may be cut short; {AGAIN}") from error
    for record in records:
        large = NUMBERS not in record.name and record.size > MOST_PICKLE
        if large or not record.stored:
            raise ValueError(f"{path} is not packed as PyTorch packs its files; {AGAIN}")
    return records


def archive_chunks(path: Path) -> Iterator[bytes | memoryview]:
    """The bytes of the safetensors file of an archive's tensors, in pieces.

    ValueError, after the pieces of a tensor, where its numbers are not those that were packed, or are none.
    """
    tensors = read_archive(path)
    sums = {(record.size, record.check_sum) for record in records_of(path) if NUMBERS in record.name}
    yield safetensors_header(tensors)
    for name, tensor in in_order(tensors):
        numbers = torch.tensor([], dtype=torch.uint8).set_(tensor.untyped_storage())
        whole, found = tensor.is_contiguous() and tensor.nbytes == numbers.nbytes, 0
        for chunk in tensor_chunks(tensor):
            found = zlib.crc32(chunk, found)
            yield chunk
        if not whole:  # a part of what several tensors share
            found = 0
            for piece in numbers.split(CHUNK):
                found = zlib.crc32(piece.numpy(), found)
        if (numbers.nbytes, found) not in sums:
            raise ValueError(f"{path} is damaged in {brief(name)}, its check sum is another; {AGAIN}")
        if not is_finite(tensor):
            raise ValueError(f"{path} holds numbers in {brief(name)} that are none (NaN or infinite); {AGAIN}")
