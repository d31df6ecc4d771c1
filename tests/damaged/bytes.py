"""Damage to any file: cut short, a flipped bit, a zeroed third, others' bytes, an edit; the same on every run."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from drc.tensor_file import metadata_of

Damage = Callable[[Path], object]
Edit = Callable[[dict, dict], object]


def generic(name: str, seed: int, cuts: int = 3, flips: int = 3) -> list[tuple[str, str, Damage]]:
    """Label, kind and what damages the file of that name in a folder; whether a flip shows depends on where it is."""
    numbers = random.Random(f"{name} {seed}")
    shares = [numbers.random() for _ in range(cuts + flips)]
    made = [(f"{name} cut at {share:.4f}", "cut", cut(name, share)) for share in shares[:cuts]]
    made += [(f"{name} with a bit flipped at {share:.4f}", "flip", flip(name, share)) for share in shares[cuts:]]
    return [
        *made,
        (f"{name} with its middle third zeroed", "zeros", zero(name)),
        (f"{name} empty", "empty", cut(name, 0)),
        (f"{name} of zeros alone", "noise", lambda folder: (folder / name).write_bytes(bytes(4096))),
        (f"{name} of noise", "noise", lambda folder: (folder / name).write_bytes(random.Random(seed).randbytes(4096))),
    ]


def cut(name: str, share: float) -> Damage:
    return lambda folder: os.truncate(folder / name, int((folder / name).stat().st_size * share))


def written(place: str, name: str, content: str | bytes) -> Damage:
    """Something else is in that file of a folder within the folder."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / place / name).write_bytes(data)


def flip(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[int(share * len(data))] ^= 64
        (folder / name).write_bytes(data)

    return damage


def zero(name: str) -> Damage:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        third = len(data) // 3
        data[third : 2 * third] = bytes(third)
        (folder / name).write_bytes(data)

    return damage


def retensored(name: str, edit: Callable[[dict], object]) -> Damage:
    """`edit` changes the tensors of a safetensors file in place; what stands beside them goes."""

    def damage(folder: Path) -> None:
        tensors = load_file(folder / name)
        edit(tensors)
        save_file(tensors, folder / name)

    return damage


def edited(name: str, edit: Edit) -> Damage:
    """`edit(tensors, header)` changes the content of a safetensors file of ours in place."""

    def damage(folder: Path) -> None:
        with safe_open(folder / name, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = json.loads(file.metadata()["drc"])
        edit(tensors, header)
        save_file(tensors, folder / name, metadata_of(header))

    return damage
