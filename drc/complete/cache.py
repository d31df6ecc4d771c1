"""What was drawn, a small file for each picture, so that what was stopped goes on where it was."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..files import read_bounded, write_bytes
from ..lmm import LMM
from ..parsing import parse, read

MOST_BYTES = 2**16


@dataclass(frozen=True)
class Picture:
    """As a file has it: codes [N] and the scores of style and meaning, None where the model tells none."""

    codes: tuple[int, ...]
    style: float | None
    meaning: float | None


class DrawnCache:
    """Files in a folder, each by a key of 64 digits that names all that a picture depends on; several processes may
    write."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str, lmm: LMM) -> tuple[Tensor, Tensor] | None:
        """Codes [N] and scores [2] of a picture; None where it was not drawn yet, or its file is not whole."""
        try:
            found = read(Picture, parse(read_bounded(self.path(key), MOST_BYTES)))
        except (OSError, ValueError):
            return None
        codes = range(-1 if lmm.variable_length else 0, lmm.codebook_size)
        whole = len(found.codes) == lmm.picture_codes and all(code in codes for code in found.codes)
        scores = [float("nan") if score is None else score for score in (found.style, found.meaning)]
        return (torch.tensor(found.codes), torch.tensor(scores)) if whole else None

    def put(self, key: str, codes: Tensor, scores: Tensor) -> None:
        """OSError where the disk takes no more."""
        numbers = [None if score != score else score for score in scores.tolist()]
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(json.dumps(asdict(Picture(tuple(codes.tolist()), *numbers))).encode(), path)
