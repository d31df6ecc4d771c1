"""Damage to any file: cut short, a flipped bit, a zeroed third, others' bytes; the same on every run."""

import os
import random
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path], object]


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
