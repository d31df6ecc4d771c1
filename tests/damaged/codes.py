"""Damaged files of kept codes: the pictures are turned into codes again."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.train.data.codes import CodeCache
from scripts.lib.tiny import CONFIG

from .bytes import generic, retensored
from .guard import Case

NAME = "codes.safetensors"


class Pictures:
    def __len__(self) -> int:
        return 6

    def keys(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 255, (6, 32), np.uint8)

    def read(self, rows: np.ndarray) -> np.ndarray:
        return np.random.default_rng(1).integers(0, 255, (6, 32, 32, 3), np.uint8)[rows]


@cache
def vision() -> VisualTokenizer:
    torch.manual_seed(0)
    return VisualTokenizer(CONFIG.lmm.vision)


def kept(folder: Path) -> CodeCache:
    store = CodeCache(folder, vision())
    store.path = folder / NAME
    return store


def whole(folder: Path) -> None:
    kept(folder).codes(Pictures(), "cpu")


def use(folder: Path) -> None:
    codes = kept(folder).codes(Pictures(), "cpu")
    assert codes.shape == (6, 2, 16) and codes.dtype == torch.int16
    assert codes.min() >= 0 and codes.max() < CONFIG.lmm.vision.codes


change = partial(retensored, NAME)


def cases() -> list[Case]:
    edits = {
        "codes out of range": lambda found: found["codes"].fill_(30_000),
        "codes below 0": lambda found: found["codes"].fill_(-5),
        "codes of other pictures": lambda found: found.update(codes=found["codes"][:2].clone()),
        "codes of another size": lambda found: found.update(codes=torch.zeros(6, 2, 9, dtype=torch.int16)),
        "codes without mirror images": lambda found: found.update(codes=found["codes"][:, 0].clone()),
        "codes of 64 bits": lambda found: found.update(codes=found["codes"].long()),
        "codes of floating point": lambda found: found.update(codes=found["codes"].float()),
        "keys of another size": lambda found: found.update(keys=found["keys"][:, :7].clone()),
        "keys of floating point": lambda found: found.update(keys=found["keys"].float()),
        "flat keys": lambda found: found.update(keys=found["keys"].flatten()[:32].clone()),
        "no keys": lambda found: found.pop("keys"),
    }
    made = [(label, change(edit)) for label, edit in edits.items()]
    made += [(label, damage) for label, _, damage in generic(NAME, 5)]
    return [Case(label, damage, use, NAME, refused=False) for label, damage in made]
