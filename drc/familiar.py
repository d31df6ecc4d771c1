"""Whether a picture is like the drawings that a model of pixels learned from, or a photograph or a painting.

Drawings are flat: most of their pixels are as bright as their neighbours. How well codes hold a picture does not tell,
as they rebuild a photograph about as well as an emoji. `python scripts/measure_flatness.py` says how often that is
right.
"""

from torch import Tensor

STEP = 2 / 255  # between neighbours, at most, where a picture is flat
LEAST_FLAT, SMALLEST = 0.6, 128  # share of the pixels of a drawing that is so many pixels wide; ours


def flat_share(square: Tensor) -> float:
    """Of a picture [3, S, S] in 0..1, the share of pixels that are as bright as those to the right and below."""
    brightness = square.mean(dim=0)
    right, below = brightness.diff(dim=1)[:-1].abs(), brightness.diff(dim=0)[:, :-1].abs()
    return float(((right < STEP) & (below < STEP)).float().mean())


def is_unfamiliar(square: Tensor) -> bool:
    """Whether a picture [3, S, S] in 0..1 is less flat than drawings are; a small one is mostly edges either way."""
    return square.shape[-1] >= SMALLEST and flat_share(square) < LEAST_FLAT


def is_blank(square: Tensor) -> bool:
    """Whether a picture [3, S, S] in 0..1 shows nothing but one colour."""
    least, most = square.flatten(1).aminmax(dim=1)
    return bool((most - least < STEP).all())


def blank_told(found: int, count: int, name: str) -> str:
    """What a user should know where so many of `count` pictures of the `name` are blank; empty where none is.

    The remedy stands first, as a page may show no more than two lines. Pages hand on the colours below what is
    transparent, and what is transparent in a file becomes white.
    """
    if not found:
        return ""
    which = f"The {name} is" if count == 1 else f"{found} of {count} pictures of the {name} are"
    return f"{which} blank: link {name}_mask if parts are transparent, and put what is white on a coloured ground"


def unfamiliar_told(found: int, count: int, name: str) -> str:
    """What a user should know where so many of `count` pictures of the `name` are unfamiliar; empty where none is."""
    if not found:
        return ""
    which = f"The {name}" if count == 1 else f"{found} of {count} pictures of the {name}"
    looks = "look like photographs or paintings" if found > 1 else "looks like a photograph or a painting"
    return f"{which} {looks}: the model learned from flat drawings, such as icons, and makes patches of it"
