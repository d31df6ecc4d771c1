"""Domains: what cases are made of. Each is a file here and a line in DOMAINS, and is imported where it is asked for.

What a domain must give is told in `domain.Domain`.
"""

from collections.abc import Callable
from pathlib import Path

from .domain import Domain


def open_emoji(folder: Path) -> Domain:
    from .emoji import EmojiDomain

    return EmojiDomain.open(folder)


def open_posters(folder: Path) -> Domain:
    from .posters import PosterDomain

    return PosterDomain.open(folder)


def open_icons(folder: Path) -> Domain:
    from .icons import IconDomain

    return IconDomain.open(folder)


DOMAINS: dict[str, Callable[[Path], Domain]] = {"emoji": open_emoji, "posters": open_posters, "icons": open_icons}


def open_domain(name: str, folder: Path) -> Domain:
    """The domain of this name, built in a folder; ValueError, in one sentence, where it is not."""
    if name not in DOMAINS:
        raise ValueError(f"domain {name} was asked for, expected out of {', '.join(DOMAINS)}; choose among them")
    try:
        return DOMAINS[name](folder)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"domain {name} needs the package {error.name}, which is not installed; install it, or choose another of "
            f"{', '.join(DOMAINS)}"
        ) from error


def open_cases(file: Path, pictures: Path | None = None) -> Domain:
    """Imported cases; `pictures` says where their pictures lie, if they have moved."""
    from .imported import ImportedDomain

    return ImportedDomain.open(file, pictures)
