"""What the options of a command are called in its messages."""

from collections.abc import Iterator
from contextlib import contextmanager


def option(name: str) -> str:
    """That of a setting."""
    return f"--{name.replace('_', '-')}"


@contextmanager
def told_of(flag: str) -> Iterator[None]:
    """ValueErrors of what looks at a path name the option that gave it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{flag}: {error}") from error
