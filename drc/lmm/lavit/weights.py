"""Files of weights and of settings as others publish them: what they say of themselves, and whether that is expected.

Every error is a ValueError with one sentence that names the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ... import tensor_file
from ...files import bytes_of, file_chunks
from ...parsing import MOST_BYTES, brief, parse
from ...shapes import Shapes
from ...tensor_file import DTYPES, safetensors_header
from .archive import AGAIN, archive_chunks, read_archive

T = TypeVar("T")


@dataclass(frozen=True)
class File:
    """A file to be written. `place` is its path below the models folder, `size` that of the file to come in bytes."""

    place: str
    source: Path
    size: int
    dtype: str
    purpose: str

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The bytes of the file to come, in pieces."""
        if self.source.suffix == ".bin":
            return archive_chunks(self.source)
        return published_chunks(self.source) if self.source.suffix == ".safetensors" else file_chunks(self.source)


def published_chunks(path: Path) -> Iterator[bytes]:
    """A file of safetensors, byte by byte as it is, in pieces.

    Its format has no check sum, so of damage that keeps the size only numbers that are none are found out: a ValueError
    before the first byte. For each tensor that was looked at comes an empty piece, at which it can be left.
    """
    for name in tensor_file.look(path, AGAIN).shapes:
        tensor_file.read_tensors(path, [name], AGAIN)
        yield b""
    yield from file_chunks(path)


@dataclass(frozen=True)
class Weights:
    """What a file of weights says of itself, without its numbers; `size` is that of a safetensors file of them."""

    path: Path
    shapes: Shapes
    dtype: str
    size: int

    def becomes(self, place: str, purpose: str) -> File:
        return File(place, self.path, self.size, self.dtype, purpose)


def from_config(read: Callable[[dict], T], path: Path, what: str) -> T:
    """What a config.json describes; ValueError when it does not say all of it."""
    values = read_json(path)
    try:
        return read(values)
    except ValueError as error:
        raise ValueError(f"{path} does not describe {what}: it {error}; {AGAIN}") from error


def read_json(path: Path) -> dict:
    try:
        return parse(bytes_of(path, MOST_BYTES))
    except ValueError as error:
        raise ValueError(f"{path} {error}; {AGAIN}") from error


def check(path: Path, what: str, found: Shapes, expected: Shapes) -> None:
    missing = [name for name, shape in expected.items() if name not in found or found[name] != shape]
    unexpected = [name for name in found if name not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{path} does not hold LaVIT's {what}: {len(missing)} weights are missing or of another size and "
            f"{len(unexpected)} do not belong there, such as {brief((missing + unexpected)[0])}; {AGAIN}"
        )


def look(path: Path) -> Weights:
    if path.suffix == ".bin":
        tensors = read_archive(path)
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        dtypes = {DTYPES[tensor.dtype] for tensor in tensors.values()}
        size = len(safetensors_header(tensors)) + sum(tensor.nbytes for tensor in tensors.values())
    else:
        contents = tensor_file.look(path, AGAIN, str(path))
        tensor_file.require_floating(path, contents.dtypes, AGAIN)
        shapes, dtypes, size = contents.shapes, set(contents.dtypes.values()), path.stat().st_size
    names = {short: str(dtype).removeprefix("torch.") for dtype, short in DTYPES.items()}
    return Weights(path, shapes, ", ".join(sorted(names.get(dtype, dtype) for dtype in dtypes)), size)
