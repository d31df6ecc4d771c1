"""Drawing what the next step needs while a GPU is busy with this one."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

Drawn = TypeVar("Drawn")


class Prefetch(Generic[Drawn]):
    """`draw` as a function of the step, called one step ahead on a thread of its own.

    What it draws must follow from the step alone. What it raises is raised at the step that it was meant for.
    """

    def __init__(self, draw: Callable[[int], Drawn]):
        self.draw, self.pool = draw, ThreadPoolExecutor(1, "ahead")
        self.coming: tuple[int, Future[Drawn] | None] = (-1, None)

    def __call__(self, step: int) -> Drawn:
        expected, future = self.coming
        drawn = future.result() if expected == step else self.draw(step)
        self.coming = step + 1, self.pool.submit(self.draw, step + 1)
        return drawn


def prefetch(draw: Callable[[int], Drawn], device: torch.device | str) -> Callable[[int], Drawn]:
    """`draw`, ahead of time where a GPU computes; a CPU that learns has no thread to spare."""
    return Prefetch(draw) if torch.device(device).type == "cuda" else draw
