"""A folder of one's own pictures as a history: squared one after another, so that memory does not grow with them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..familiar import is_blank
from ..pixels import from_pixels, to_image
from ..progress import OnCount, OnPart
from ..visible import quoted
from . import picture_file
from .folder import OTHER_PICTURES, counted, find, not_read, require_folder

MOST = 200
LISTED = 10  # lines of one kind; the rest is counted
COARSE, ALIKE = 16, 0.95  # pixels of a side, and the correlation of grey from which on two show the same thing
ONE = "One picture leaves open what is style and what it shows: add others that show other things in the same style."
SAME = "They all show nearly the same thing, which leaves open what is style: add others that show other things."

Prepare = Callable[[Tensor, str], Tensor]


def picture_names(root: Path, left_out: list[tuple[str, str]], on_seen: OnCount) -> list[str]:
    """Names of the pictures below a folder, as people count: 2 before 10. `left_out` gets names and reasons, `on_seen`
    is as of `find`. ValueError for a folder without pictures."""
    require_folder(root)
    names = sorted(find(root, "*", left_out, on_seen), key=as_counted)
    if not names:
        first = f" ({quoted(left_out[0][0])}: {left_out[0][1]})" if left_out else ""
        raise ValueError(
            f"folder '{root}' holds no picture that can be read{first}; put PNG, JPEG, GIF, BMP, WebP or TIFF files "
            "into it"
        )
    return names


def require_few(count: int, what: str) -> None:
    if count > MOST:
        raise ValueError(f"{what} holds {count} pictures, expected 1 to {MOST}; choose those that show the style best")


def as_counted(name: str) -> list:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]{1,18})", name.casefold())]


def usable(root: Path, names: list[str], left_out: list[tuple[str, str]], on_read: OnPart) -> Iterator[str]:
    """Those of the names that can be used; of the others `left_out` gets them and reasons. `on_read` is called often
    and may raise to stop."""
    for name in names:
        if (suffix := Path(name).suffix.lower()) in OTHER_PICTURES:  # of a file that was chosen by name
            left_out.append((name, not_read(suffix)))
            continue
        try:
            picture_file.inspect(root / name, on_read)
        except ValueError as error:
            left_out.append((name, str(error)))
        else:
            yield name


def squares_in(
    root: Path,
    names: list[str],
    size: int,
    prepare: Prepare,
    left_out: list[tuple[str, str]],
    on_read: OnPart,
) -> Iterator[tuple[str, Tensor]]:
    """Name and square [3, size, size] of each picture that can be used, as `prepare` makes it of [H, W, 3]; of the
    others `left_out` gets names and reasons. `on_read` is as of `usable`."""
    for name, picture in pictures_in(root, names, size, left_out, on_read):
        yield name, prepare(picture, quoted(name))


def pictures_in(
    root: Path, names: list[str], size: int, left_out: list[tuple[str, str]], on_read: OnPart
) -> Iterator[tuple[str, Tensor]]:
    """The same with the pictures themselves, [H, W, 3] in 0..1, but for what is much larger than `size`."""
    for name in usable(root, names, left_out, on_read):
        yield name, to_image(from_pixels([picture_file.read_for(root / name, size, on_read)]))[0]


def report(names: list[str], squares: Tensor, left_out: list[tuple[str, str]]) -> str:
    """What was found, in plain lines, and first what is odd, as a page may show no more than two of them; the arguments
    are those of `remarks`."""
    return "\n\n".join((*remarks(names, squares, left_out), f"{counted(len(names), 'picture')}."))


def remarks(names: list[str], squares: Tensor, left_out: list[tuple[str, str]]) -> list[str]:
    """What is odd about pictures, by their names and squares [n, 3, S, S], and about those left out for a reason."""
    alone = [ONE] if len(names) == 1 else [SAME] if are_alike(squares) else []
    first: dict[bytes, str] = {}
    twice = []
    for name, square in zip(names, squares, strict=True):
        known = first.setdefault(square.numpy().tobytes(), name)
        if known is not name:
            twice.append(f"{quoted(name)} is the same picture as {quoted(known)}")
    blank = [quoted(name) for name, square in zip(names, squares, strict=True) if is_blank(square)]
    return alone + listed("Blank, all of one colour", blank) + listed("Twice", twice) + reasons("Left out", left_out)


def reasons(title: str, left_out: list[tuple[str, str]]) -> list[str]:
    return listed(title, [f"{quoted(name)}: {reason}" for name, reason in left_out])


def listed(title: str, details: list[str]) -> list[str]:
    """One remark on all, none where there is nothing."""
    more = [f"and {len(details) - LISTED} more"] if len(details) > LISTED else []
    return ["\n".join([f"{title}:", *(f"- {detail}" for detail in details[:LISTED] + more)])] if details else []


def are_alike(squares: Tensor) -> bool:
    """Whether pictures [n, 3, S, S] all have light and dark at the same places, or exchanged."""
    grey = F.interpolate(squares.mean(dim=1, keepdim=True), (COARSE, COARSE), mode="area").flatten(1)
    grey = F.normalize(grey - grey.mean(dim=1, keepdim=True), dim=1)
    return len(squares) > 1 and bool(((grey @ grey.T).abs() > ALIKE).all())
