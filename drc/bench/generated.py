"""What models drew, a PNG for every case, so that a run that was stopped goes on where it was."""

import hashlib
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..data.splits import order
from ..files import open_regular, write_bytes
from ..pixels import to_pixels
from .cases.domain import Case, Domain
from .models import Model

BATCH = 16  # cases drawn at once


@dataclass(frozen=True)
class Request:
    """Cases of a test to draw; `shown` is one of HISTORIES. Without it the model is given the target as its reference,
    to show what is possible at best."""

    answer: str
    model: Model
    test: str
    cases: Sequence[Case]
    shown: str = ""

    def history(self, case: Case) -> tuple[int, ...]:
        return case.given(self.shown) if self.shown else ()

    def reference(self, case: Case) -> int:
        return case.reference if self.shown else case.target

    def batches(self) -> list[Sequence[Case]]:
        """Cases that are drawn together have histories of one length."""
        alike = defaultdict(list)
        for case in self.cases:
            alike[len(self.history(case))].append(case)
        return [some[first : first + BATCH] for some in alike.values() for first in range(0, len(some), BATCH)]


class Generated:
    """Pictures below a folder; `seed` adds to the number that every case draws from."""

    def __init__(self, folder: Path, domain: Domain, seed: int = 0, device: torch.device | str = "cpu"):
        self.folder, self.domain, self.seed, self.device = folder, domain, seed, device

    def path(self, request: Request, case: Case) -> Path:
        model = hashlib.sha256(request.model.key.encode()).hexdigest()[:16]
        name = self.domain.case_name(request.test, case, request.history(case))
        name = order(f"{self.domain.fingerprint} {self.seed} {name}")[:16]
        return self.folder / model / f"{request.test}-{request.shown or 'target'}-{name}.png"

    def draw(self, request: Request, cases: Sequence[Case]) -> None:
        """Draws those of the cases that are not drawn yet."""
        cases = [case for case in cases if not self.path(request, case).exists()]
        if not cases:
            return
        reference = self.domain.images([request.reference(case) for case in cases], self.device)
        history = reference[:, None][:, :0]
        if request.shown:
            history = self.domain.images([request.history(case) for case in cases], self.device)
        seeds = [self.domain.seed(request.test, case) + self.seed for case in cases]
        words = [self.domain.caption(case.target) for case in cases]
        drawn = to_pixels(request.model.draw(history, reference, words, seeds))
        for case, picture in zip(cases, drawn, strict=True):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "PNG")
            write_bytes(file.getvalue(), self.path(request, case))

    def read(self, request: Request, count: int | None = None) -> np.ndarray:
        """What was drawn for the first cases: uint8 [n, S, S, 3]."""
        return np.stack([picture_of(self.path(request, case)) for case in request.cases[:count]])


def picture_of(path: Path) -> np.ndarray:
    try:
        with open_regular(path) as file:
            return np.array(Image.open(file))
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"'{path}', which was drawn before, cannot be read ({error}); delete it and run again"
        ) from error
