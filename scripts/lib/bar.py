"""How far a script is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bar(unit: str, what: str | None = None) -> Iterator[Callable[[int, int], None]]:
    """A moving bar on stderr; yields what tells it, `tell(done, total)`."""
    with tqdm(desc=what, unit=unit) as moving:

        def tell(done: int, total: int) -> None:
            moving.total = total
            moving.update(done - moving.n)

        yield tell
