"""Style cards: a style by the codes of its pictures, with a small picture and the measured numbers of each.

Rows are found again in the codes by the tower of the model that made them, so a card draws exactly what its history
drew. `card_file` keeps cards in files.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .colours import APART, Look
from .data.history import MOST as MOST_PICTURES
from .data.palette import pixels_of_oklab, to_hex
from .instruction import Style
from .model import DRC
from .parsing import brief
from .pixels import resized, to_numbers, to_pixels
from .progress import OnPart
from .records import check_codes
from .traits import Traits, traits

SMALLEST, THUMBNAIL = 16, 64  # pixels of the side of a small picture, however many there are
MOST_NAMED = 6  # colours in words
LONGEST = {"name": 200, "licence": 1000, "model_name": 200}  # letters of the texts
NO_CODES = "does not hold the codes of its pictures; run StyleTower again"


@dataclass(frozen=True)
class StyleCard:
    """Codes [n, N] int64, -1 behind the last of a picture, and weights [n] >= 0, not all zero; `model` is the hash of
    the model whose codes they are, `model_name` how it was called.

    Thumbnails uint8 [n, S, S, 3] and traits of the pictures are None and empty where no picture was at hand. `look` and
    `marks` float64 [n, M] are what `drc.complete.card` measured for a set that is completed, None in cards of older
    versions. `drawn_again` says that all pictures are what the model drew of the codes.
    """

    codes: Tensor
    weights: Tensor
    model: str
    name: str = ""
    licence: str = ""
    model_name: str = ""
    thumbnails: np.ndarray | None = None
    traits: tuple[Traits, ...] = ()
    look: Look | None = None
    marks: np.ndarray | None = None
    drawn_again: bool = False

    def check(self) -> None:
        """ValueError with the rest of a sentence for too many pictures or letters."""
        require_count(len(self.codes))
        for name, most in LONGEST.items():
            if (length := len(getattr(self, name))) > most:
                raise ValueError(f"has a {name} of {length} letters, expected at most {most}")


def require_count(count: int) -> None:
    if not 0 < count <= MOST_PICTURES:
        raise ValueError(f"has {count} pictures, expected 1 to {MOST_PICTURES}")


def card_of(style: Style, **texts: str) -> StyleCard:
    """The card of a style, without pictures; `texts` are those of a card. ValueError for a style whose codes are not
    known, for too many pictures and for texts that are too long."""
    if style.codes is None:
        raise ValueError(f"the style {NO_CODES}")
    card = StyleCard(style.codes.cpu(), style.weights.float().cpu(), style.model, **texts)
    try:
        card.check()
    except ValueError as error:
        raise ValueError(f"the style card {error}; leave some out") from error
    return card


def with_pictures(card: StyleCard, squares: Tensor, on_picture: OnPart | None = None) -> StyleCard:
    """The card with its pictures shown and measured, by squares [n, 3, S, S]; `on_picture` is called before each and
    may raise to stop. ValueError for another number of pictures."""
    if len(squares) != len(card.codes):
        raise ValueError(f"{len(squares)} pictures are given for a style of {len(card.codes)}; give those it came from")
    measured = []
    for picture in to_pixels(squares):
        if on_picture is not None:
            on_picture()
        measured.append(traits(picture))
    side = min(max(SMALLEST, squares.shape[-1]), THUMBNAIL)
    thumbnails = to_pixels(resized(squares, side))
    return replace(card, thumbnails=thumbnails, traits=tuple(measured))


@torch.no_grad()
def style_of(model: DRC, card: StyleCard, what: str = "the card") -> Style:
    """The style on a card, its rows found again by the model that made it; ValueError, which calls the card `what`, for
    one of another model and for codes that are none of this one."""
    if card.model != model.hash:
        maker = f" ('{brief(card.model_name)}')" if card.model_name else ""
        raise ValueError(
            f"{what} was made by another model than the one that is loaded; load that model{maker}, or make the card "
            "again from its pictures"
        )
    try:
        check_codes(card.codes, model.lmm)
    except ValueError as error:
        raise ValueError(f"{what} {error}; copy or download it again") from error
    return model.style(card.codes.to(model.device), card.weights.to(model.device))


@torch.no_grad()
def merge(model: DRC, first: Style, second: Style, ratio: float) -> Style:
    """The style of the pictures of both, those of the second with `ratio` of all weight, 0 to 1: at 0 it is the first
    itself, at 1 the second. ValueError for a style whose codes are not known."""
    if ratio in (0, 1):
        return second if ratio else first
    for one, which in ((first, "first"), (second, "second")):
        if one.codes is None:
            raise ValueError(f"the {which} style {NO_CODES}")
    longest = max(one.codes.shape[1] for one in (first, second))
    codes = [F.pad(one.codes, (0, longest - one.codes.shape[1]), value=-1) for one in (first, second)]
    shares = [one.weights.float() / one.weights.float().sum() for one in (first, second)]
    weights = torch.cat(((1 - ratio) * shares[0], ratio * shares[1]))
    return model.style(torch.cat(codes).to(model.device), weights.to(model.device))


def in_words(card: StyleCard) -> str:
    """What a card says of itself, in plain lines."""
    named = {name: brief(getattr(card, name), most) for name, most in LONGEST.items()}  # each on one line
    lines = [f"Style: {named['name'] or 'without a name'}", f"Licence: {named['licence'] or 'not told'}"]
    count, own = len(card.codes), len(set(card.weights.tolist())) > 1
    lines.append(f"Pictures: {count}, {'each with its own weight' if own else 'all of one weight'}")
    if not card.traits:
        return "\n".join([*lines, "Not measured: no pictures were given when it was saved"])
    drawn = [one.stroke for one in card.traits if one.lines]
    stroke = f"{100 * np.mean(drawn):.1f} % of the side" if 2 * len(drawn) >= count else "none, shapes are filled"
    colours = [
        f"{to_hex(to_numbers(pixels_of_oklab(colour)))} in {number}"
        for colour, number in common_colours(card.traits)[:MOST_NAMED]
    ]
    return "\n".join(
        [
            *lines,
            f"Lines: {stroke}",
            f"Covered: {100 * np.mean([one.weight for one in card.traits]):.0f} % of a picture",
            f"Padding: {100 * np.mean([one.padding for one in card.traits]):.0f} % of the side",
            f"Colours: {', '.join(colours)}",
        ]
    )


def common_colours(measured: tuple[Traits, ...]) -> list[tuple[np.ndarray, int]]:
    """Colours in OKLab and in how many pictures each is, the most common first; those below APART are one."""
    found: list[tuple[np.ndarray, set[int]]] = []
    for picture, one in enumerate(measured):
        for colour in one.colours:
            same = next((where for known, where in found if np.linalg.norm(known - colour) < APART), None)
            if same is None:
                found.append((colour, {picture}))
            else:
                same.add(picture)
    return sorted(((colour, len(where)) for colour, where in found), key=lambda pair: -pair[1])


def labels(weights: Tensor) -> list[str]:
    """The number of each picture, with its weight where they differ; the largest is 1."""
    shares = (weights / weights.max()).tolist()
    return [f"{number}: {share:.2f}" if min(shares) < 1 else str(number) for number, share in enumerate(shares, 1)]
