"""How far a script is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


@contextmanager
def bar(unit: str, what: str | None = None) -> Iterator[Callable[[int, int], None]]:
    """A moving bar on stderr; yields what tells it, `tell(done, total)`."""
    with tqdm(desc=what, unit=unit) as moving:

        def tell(done: int, total: int) -> None:
            moving.total = total
            moving.update(done - moving.n)

        yield tell


def along(items: Sequence[Item], unit: str, what: str | None = None) -> Iterator[Item]:
    """The items, one after another, and a bar that counts them."""
    with bar(unit, what) as tell:
        for done, item in enumerate(items):
            tell(done, len(items))
            yield item
        tell(len(items), len(items))
