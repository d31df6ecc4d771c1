"""How far a training without ComfyUI is."""

import logging
import sys
from collections.abc import Callable

from tqdm import tqdm

from .run import Hooks

log = logging.getLogger("drc")

LINE_SECONDS = 10  # between two lines where nobody looks on


class Bars:
    """How far it is, with the time left, on stderr: a moving bar in a terminal, elsewhere a line now and then.

    `grant` is called wherever a training may end, and may raise; only the `main` process tells.
    """

    def __init__(self, grant: Callable[[], None], main: bool):
        self.grant, self.main = grant, main
        self.bar: tqdm | None = None

    def of(self, what: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            self.grant()
            self.tell(what, done, total)

        return tell

    def tell(self, what: str, done: int, total: int) -> None:
        if not self.main:
            return
        if self.bar is None or (self.bar.desc, self.bar.total) != (what, total):
            self.close()
            self.bar = bar_of(what, total)
            self.bar.initial = self.bar.n = max(0, done - 1)  # of a training that goes on, what others took
        self.bar.update(done - self.bar.n)
        if done == total:
            self.close()

    def on_step(self, trainer) -> None:
        self.grant()
        self.tell("steps", trainer.step, trainer.schedule.steps)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def hooks(self) -> Hooks:
        """Sample pictures are written by the training."""
        return Hooks(
            on_file=self.of("pictures read"),
            on_pair=self.of("pictures paired"),
            on_picture=self.of("pictures turned into codes"),
            on_step=self.on_step,
            on_validation=self.tell,
        )


def bar_of(what: str, total: int) -> tqdm:
    """`\r` makes a mess of a file, where lines are written instead."""
    if sys.stderr.isatty():
        return tqdm(total=total, desc=what, dynamic_ncols=True, leave=False)
    often = {"mininterval": LINE_SECONDS, "maxinterval": LINE_SECONDS}
    return tqdm(total=total, desc=what, file=Lines(), ncols=100, ascii=True, **often)


class Lines:
    """What tqdm writes over itself, as lines of the log."""

    def write(self, text: str) -> None:
        if plain := text.strip("\r\n\x1b[A "):
            log.info(plain)

    def flush(self) -> None:
        pass
