"""A folder of one's own pictures as a history: squared one after another, so that memory does not grow with them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..pixels import from_pixels, to_image
from ..visible import quoted
from . import picture_file
from .folder import counted, find

MOST = 200
LISTED = 10  # lines of one kind; the rest is counted
COARSE, ALIKE = 16, 0.95  # pixels of a side, and the correlation of grey from which on two show the same thing
ONE = "One picture leaves open what is style and what it shows: add others that show other things in the same style."
SAME = "They all show nearly the same thing, which leaves open what is style: add others that show other things."

Prepare = Callable[[Tensor, str], Tensor]


def picture_names(root: Path, left_out: list[tuple[str, str]], on_seen: Callable[[int], None]) -> list[str]:
    """Names of the pictures below a folder, as people count: 2 before 10. `left_out` gets names and reasons, `on_seen`
    is as of `find`. ValueError for a folder without pictures, and for one with more than MOST."""
    names = sorted(find(root, "*", left_out, on_seen), key=as_counted)
    if not names:
        first = f" ({quoted(left_out[0][0])}: {left_out[0][1]})" if left_out else ""
        raise ValueError(
            f"folder '{root}' holds no picture that can be read{first}; put 1 to {MOST} PNG, JPEG, GIF, BMP, WebP or "
            "TIFF files into it"
        )
    require_few(len(names), f"folder '{root}'")
    return names


def require_few(count: int, what: str) -> None:
    if count > MOST:
        raise ValueError(f"{what} holds {count} pictures, expected 1 to {MOST}; choose those that show the style best")


def as_counted(name: str) -> list:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]{1,18})", name.casefold())]


def squares_in(
    root: Path,
    names: list[str],
    size: int,
    prepare: Prepare,
    left_out: list[tuple[str, str]],
    on_read: Callable[[], None],
) -> Iterator[tuple[str, Tensor]]:
    """Name and square [3, size, size] of each picture that can be used, as `prepare` makes it of [H, W, 3]; of the
    others `left_out` gets names and reasons. `on_read` is called often and may raise to stop."""
    for name in names:
        try:
            picture_file.inspect(root / name, on_read)
            pixels = picture_file.read_for(root / name, size, on_read)
        except ValueError as error:
            left_out.append((name, str(error)))
            continue
        yield name, prepare(to_image(from_pixels([pixels]))[0], quoted(name))


def report(names: list[str], squares: Tensor, left_out: list[tuple[str, str]]) -> str:
    """What was found, in plain lines: pictures by name, their squares [n, 3, S, S], and what was left out and why."""
    lines = [f"{counted(len(names), 'picture')}."]
    if len(names) == 1:
        lines.append(ONE)
    elif are_alike(squares):
        lines.append(SAME)
    first: dict[bytes, str] = {}
    twice = []
    for name, square in zip(names, squares, strict=True):
        known = first.setdefault(square.numpy().tobytes(), name)
        if known is not name:
            twice.append(f"{quoted(name)} is the same picture as {quoted(known)}")
    reasons = [f"{quoted(name)}: {reason}" for name, reason in left_out]
    for title, details in ("Twice", twice), ("Left out", reasons):
        if details:
            more = [f"and {len(details) - LISTED} more"] if len(details) > LISTED else []
            lines += ["", f"{title}:", *(f"- {detail}" for detail in details[:LISTED] + more)]
    return "\n".join(lines)


def are_alike(squares: Tensor) -> bool:
    """Whether pictures [n, 3, S, S] all have light and dark at the same places, or exchanged."""
    grey = F.interpolate(squares.mean(dim=1, keepdim=True), (COARSE, COARSE), mode="area").flatten(1)
    grey = F.normalize(grey - grey.mean(dim=1, keepdim=True), dim=1)
    return len(squares) > 1 and bool(((grey @ grey.T).abs() > ALIKE).all())
