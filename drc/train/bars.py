"""How far a training without ComfyUI is."""

from collections.abc import Callable

from ..bar import Bar
from .run import Hooks


class Bars:
    """What a training tells of itself, on a bar.

    `grant` is called wherever a training may end, and may raise; only the `main` process tells.
    """

    def __init__(self, grant: Callable[[], None], main: bool):
        self.grant, self.main = grant, main
        self.bar = Bar()

    def of(self, what: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            self.grant()
            self.tell(what, done, total)

        return tell

    def tell(self, what: str, done: int, total: int) -> None:
        if self.main:
            self.bar(what, done, total)

    def on_step(self, trainer) -> None:
        self.grant()
        self.tell("steps", trainer.step, trainer.schedule.steps)

    def close(self) -> None:
        self.bar.close()

    def hooks(self) -> Hooks:
        """Sample pictures are written by the training."""
        return Hooks(
            on_file=self.of("pictures read"),
            on_pair=self.of("pictures paired"),
            on_picture=self.of("pictures turned into codes"),
            on_step=self.on_step,
            on_validation=self.tell,
        )
