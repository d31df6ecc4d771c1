"""Errors as sentences: which node, which input, what was given, what was expected, what to do."""

import contextlib
import errno
import math
from collections.abc import Iterator

from torch import Tensor

from ..drc.visible import visible

WHAT_TO_DO = {
    errno.EACCES: "give ComfyUI the right to it",
    errno.EPERM: "give ComfyUI the right to it",
    errno.EROFS: "choose a place that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room on that disk",
    errno.EISDIR: "take that folder away, which stands where a file belongs,",
    errno.ENOTDIR: "take that file away, which stands where a folder belongs,",
}
LONGEST = 80  # letters of a value that a sentence repeats
BEGINNING, END = 600, 400  # letters of a sentence that are kept, as it may repeat a value of any length


@contextlib.contextmanager
def errors_of(node: str) -> Iterator[None]:
    """Puts the node's name in front of a sentence about bad input, and makes one of what the disk refused."""
    try:
        yield
    except (ValueError, OSError) as error:
        sentence = f"{node}: {of_disk(error) if isinstance(error, OSError) else error}."
        shown = plain(sentence)
        # The host also writes down what was raised before, and stops for good at a letter that it cannot write.
        raise ValueError(shown) from (error if shown == sentence else None)


def plain(sentence: str) -> str:
    """On one line, nothing hidden in it, in letters that can be sent, and not too many of them."""
    text = " ".join(visible(sentence).splitlines())
    return text if len(text) <= BEGINNING + END else f"{text[:BEGINNING]}...{text[-END:]}"


def of_disk(error: OSError) -> str:
    """A sentence about a file that could not be read or written."""
    what, file = WHAT_TO_DO.get(error.errno, "correct that"), error.filename2 or error.filename
    if file is None:
        return f"a file could not be read or written ({error.strerror or error}); {what} and run again"
    return f"'{file}' could not be read or written ({error.strerror}); {what} and run again"


def told(value: object) -> str:
    """A value in a few words, for a sentence about it."""
    if value is None:
        return "nothing"
    if isinstance(value, Tensor):
        from ..drc.pixels import layout_of

        told = f"a {layout_of(value)} tensor of {str(value.dtype).removeprefix('torch.')}"
        return told if value.is_nested else f"{told} ({' x '.join(map(str, value.shape)) or 'one number'})"
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}...")
    if isinstance(value, float):
        return "not a number (NaN)" if math.isnan(value) else str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**LONGEST else "a number too large to write down"
    return f"a {type(value).__name__}"
