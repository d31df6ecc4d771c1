"""Seeds are whole numbers from 0 to 2^64 - 1, as torch takes them; what counts on beyond the last begins again at 0."""

import torch

SEEDS = 2**64


def generator_from(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed % SEEDS)


def seed_of(seed: int, step: int) -> int:
    """That of a step of what was begun with `seed`."""
    return (seed * 1_000_003 + step) % SEEDS
