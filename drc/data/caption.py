"""The caption of a picture: a text file beside it, of the same name."""

import errno
import os
from pathlib import Path, PurePosixPath

from ..files import read_bounded
from ..visible import quoted
from .walk import is_inside

LONGEST_CAPTION = 2**16  # bytes


def read_caption(root: Path, name: PurePosixPath, notes: list[str]) -> str:
    """The text of a caption file; nothing, and a note, where there is one that cannot be read."""
    path = root / name
    if not os.path.lexists(path):
        return ""
    try:
        if is_inside(root, path):
            return read_bounded(path, LONGEST_CAPTION).decode("utf-8-sig").strip()
        problem = "is a link that leads out of the folder"
    except UnicodeDecodeError:
        problem = "is not in UTF-8"
    except OSError as error:
        ours = error.errno in (errno.EFBIG, errno.EINVAL)
        problem = f"is {error.strerror}" if ours else f"cannot be opened ({error.strerror})"
    notes.append(f"{quoted(name)} {problem}; this caption is left out")
    return ""
