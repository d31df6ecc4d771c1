"""Files of weights and of settings as others publish them: what they say of themselves, and whether that is expected.

Every error is a ValueError with one sentence that names the file.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ...files import DTYPES, file_chunks, safetensors_chunks, safetensors_header
from ...hollow import Shapes

REPOSITORY = "rain1011/LaVIT-7B-v2"
AGAIN = f"download it again from {REPOSITORY}"


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
            return safetensors_chunks(read_tensors(self.source))
        return file_chunks(self.source)


@dataclass(frozen=True)
class Weights:
    """What a file of weights says of itself, without its numbers; `size` is that of a safetensors file of them."""

    path: Path
    shapes: Shapes
    dtype: str
    size: int

    def becomes(self, place: str, purpose: str) -> File:
        return File(place, self.path, self.size, self.dtype, purpose)


def from_config(read: Callable, path: Path, what: str):
    """What a config.json describes; ValueError when it does not say all of it."""
    try:
        return read(read_json(path))
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{path} does not describe {what} ({error!r}); {AGAIN}") from error


def read_json(path: Path) -> dict:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}); {AGAIN}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {type(found).__name__}, expected names and values; {AGAIN}")
    return found


def check(path: Path, what: str, found: Shapes, expected: Shapes) -> None:
    missing = [name for name, shape in expected.items() if name not in found or found[name] != shape]
    unexpected = [name for name in found if name not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{path} does not hold LaVIT's {what}: {len(missing)} weights are missing or of another size and "
            f"{len(unexpected)} do not belong there, such as {(missing + unexpected)[0]}; {AGAIN}"
        )


def look(path: Path) -> Weights:
    if path.suffix == ".bin":
        tensors = read_tensors(path)
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        dtypes = {DTYPES[tensor.dtype] for tensor in tensors.values()}
        size = len(safetensors_header(tensors)) + sum(tensor.nbytes for tensor in tensors.values())
    else:
        try:
            with safe_open(path, "pt") as file:
                slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{path} is not a whole safetensors file ({error}); {AGAIN}") from error
        shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
        dtypes = {part.get_dtype() for part in slices.values()}
        size = path.stat().st_size
    names = {short: str(dtype).removeprefix("torch.") for dtype, short in DTYPES.items()}
    return Weights(path, shapes, ", ".join(sorted(names.get(dtype, dtype) for dtype in dtypes)), size)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of PyTorch, whose numbers are read when they are used; a single one gets the file's name.

    Nothing but tensors is read: a file can hold code, and `weights_only` refuses to run it.
    """
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
            raise ValueError(f"{path} holds more than tensors ({name} is {type(tensor).__name__}); {AGAIN}")
        if tensor.dtype not in DTYPES or tensor.layout != torch.strided:
            raise ValueError(f"{path} holds {name} as {tensor.dtype}, expected floating point; {AGAIN}")
    return found
