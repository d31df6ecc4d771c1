"""Seeds are whole numbers from 0 to 2^64 - 1, as torch takes them; what counts on beyond the last begins again at 0."""

import hashlib

import torch

SEEDS = 2**64  # as many as the page's own nodes draw from, so that one can be linked to all


def generator_from(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed % SEEDS)


def seed_of(seed: int, step: int) -> int:
    """That of a step of what was begun with `seed`."""
    return (seed * 1_000_003 + step) % SEEDS


def seed_for(seed: int, name: str) -> int:
    """That of one of many things that are begun with `seed`: its name counts, and not what stands beside it."""
    return (seed + int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")) % SEEDS
