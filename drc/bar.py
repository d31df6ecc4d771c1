"""How far a command is."""

import logging
import sys

from tqdm import tqdm

log = logging.getLogger("drc")

LINE_SECONDS = 10  # between two lines where nobody looks on


class Bar:
    """How far each part of a command is, with the time left, on stderr: a moving bar in a terminal, elsewhere a line of
    the log now and then."""

    def __init__(self):
        self.bar: tqdm | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar is None or (self.bar.desc, self.bar.total) != (what, total):
            self.close()
            self.bar = bar_of(what, total)
            self.bar.initial = self.bar.n = max(0, done - 1)  # of what goes on, what others took
        self.bar.update(done - self.bar.n)
        if done == total:
            self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


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
