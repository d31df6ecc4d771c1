"""Safetensors files: written whole, and from anywhere, looked at before anything is taken from them.

The library checks that names, shapes and bytes agree, so what a file can ask for is bounded by its own size. Every
error is a ValueError with one sentence that names the file.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .files import CHUNK, open_regular, require_regular, write_chunks
from .parsing import brief, parse
from .progress import OnPart
from .shapes import Shapes

HEADER = 2**22  # bytes of names and shapes; those of LaVIT's UNet take a twentieth
AGAIN = "copy or download it again"
DTYPES = {
    torch.int64: "I64",
    torch.float64: "F64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What files call the types of tensors, in the order in which the library writes them: the widest first, so that every
tensor begins where its numbers may."""
FLOATING = frozenset(DTYPES[dtype] for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16))


@dataclass(frozen=True)
class Contents:
    """What a file says of itself; dtypes are written as the file has them, such as F32."""

    shapes: Shapes
    dtypes: dict[str, str]
    metadata: dict[str, str]


def look(path: Path, again: str = AGAIN, shown: str = "") -> Contents:
    """The header of a safetensors file, `shown` in messages as such; its numbers are not read."""
    shown = shown or path.name
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
        if HEADER < length < path.stat().st_size:
            raise ValueError(f"{shown} has a header of {length} bytes, expected at most {HEADER}; {again}")
        with opened(path) as file:
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise unreadable(shown, error, again) from error
    shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
    return Contents(shapes, {name: part.get_dtype() for name, part in parts.items()}, metadata)


def read_tensors(
    path: Path, names: Iterable[str] | None = None, again: str = AGAIN, on_part: OnPart | None = None
) -> dict[str, Tensor]:
    """The tensors of a file, all of them or those of `names`; ValueError where one has no finite floating point.
    `on_part` is called before each and may raise to stop."""
    contents = look(path, again)
    names = contents.shapes if names is None else names
    require_floating(path, {name: contents.dtypes[name] for name in names}, again)
    tensors = read_plain(path, names)
    for name, tensor in tensors.items():  # numbers are read when they are looked at
        if on_part is not None:
            on_part()
        require_finite(path, {name: tensor}, again)
    return tensors


def read_plain(path: Path, names: Iterable[str] | None = None) -> dict[str, Tensor]:
    """Tensors of any type, all of them or those of `names`."""
    with opened(path) as file:
        return {name: file.get_tensor(name) for name in (file.keys() if names is None else names)}


def opened(path: Path):
    """The file as the library opens it; OSError for what is no regular file."""
    require_regular(path)
    return safe_open(path, "pt")


def rows_of(path: Path, wanted: dict[str, list[int]], again: str = AGAIN) -> dict[tuple[str, int], Tensor]:
    """Some rows of tensors, by name and number; of the rest of the file nothing is read."""
    try:
        with opened(path) as file:
            parts = {name: file.get_slice(name) for name in wanted}
            return {(name, row): parts[name][row : row + 1] for name, rows in wanted.items() for row in rows}
    except (SafetensorError, OSError) as error:
        raise unreadable(path.name, error, again) from error


def unreadable(shown: str, error: SafetensorError | OSError, again: str) -> ValueError:
    why = (isinstance(error, OSError) and error.strerror) or error  # without the number, and the path once more
    return ValueError(f"{shown} is not a readable safetensors file ({brief(why, 120)}); {again}")


def require_floating(path: Path, dtypes: dict[str, str], again: str = AGAIN) -> None:
    for name, dtype in dtypes.items():
        if dtype not in FLOATING:
            raise ValueError(f"{path.name} holds {brief(name)} as {dtype}, expected floating point; {again}")


def is_finite(tensor: Tensor) -> bool:
    """Least and greatest number are not a number where one is not: one look, and no memory."""
    return not tensor.numel() or bool(torch.stack(tensor.detach().aminmax()).isfinite().all())


def require_finite(path: Path, tensors: dict[str, Tensor], again: str = AGAIN) -> None:
    for name, tensor in tensors.items():
        if not is_finite(tensor):
            raise ValueError(f"{path.name} holds numbers in {brief(name)} that are none (NaN or infinite); {again}")


def require_shapes(path: Path, what: str, found: Shapes, expected: Shapes, again: str = AGAIN) -> None:
    """ValueError, which says that the file does not hold `what`, unless names and shapes are those expected."""
    missing = [name for name, shape in expected.items() if found.get(name) != shape]
    unexpected = [name for name in found if name not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{path.name} does not hold {what} ({len(missing)} missing or of another size, {len(unexpected)} "
            f"unexpected, such as {brief((missing + unexpected)[0])}); {again}"
        )


def header_in(path: Path, metadata: dict[str, str], again: str = AGAIN) -> dict[str, str]:
    """What `metadata_of` put there: texts by name; nothing where there is none."""
    try:
        header = parse(metadata.get("drc", "{}"))
    except ValueError as error:
        raise ValueError(f"{path.name} has a header that {error}; {again}") from error
    for name, value in header.items():
        if not isinstance(value, str):
            raise ValueError(f"{path.name} has a header in which {brief(name)} is no text; {again}")
    return header


def metadata_of(header: dict[str, str]) -> dict[str, str]:
    """A checkpoint's header as metadata of safetensors, which keeps no order: one entry, so equal files stay equal."""
    return {"drc": json.dumps(header, sort_keys=True)}


def write_safetensors(
    tensors: dict[str, Tensor], path: Path, metadata: dict[str, str], on_part: OnPart | None = None
) -> None:
    """Writes whole or not at all; the same bytes for the same content. `on_part` is called before each piece and may
    raise to stop."""
    write_chunks(safetensors_chunks(tensors, metadata), path, on_part)


def safetensors_header(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """What stands before the tensors in their file: its length, and JSON that says where each begins and ends."""
    header, end = {"__metadata__": {"format": "pt"} if metadata is None else metadata}, 0
    for name, tensor in in_order(tensors):
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def safetensors_chunks(
    tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> Iterator[bytes | memoryview]:
    """The bytes of the safetensors file of tensors, in pieces, as the library writes it.

    The library writes a file in one call, and before version 0.8 from a copy of all its tensors; in pieces a file can
    be hashed while it is written, and left in the middle.
    """
    yield safetensors_header(tensors, metadata)
    for _, tensor in in_order(tensors):
        yield from tensor_chunks(tensor)


def tensor_chunks(tensor: Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor's numbers, in pieces."""
    data = memoryview(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def in_order(tensors: dict[str, Tensor]) -> list[tuple[str, Tensor]]:
    types = list(DTYPES)
    return sorted(tensors.items(), key=lambda item: (types.index(item[1].dtype), item[0]))


def tensors_hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types and bytes of tensors, whatever their order and device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
