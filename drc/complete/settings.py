"""What a user may choose of a set, and between which bounds.

Plain values and their defaults alone, so that the nodes' widgets are made from them before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..instruction import AUTOMATIC, HANDS, HOTTEST, STRONGEST, Dials

if TYPE_CHECKING:
    from ..model import DRC

MOST_CANDIDATES = 16
MOST_COLOURS = 24  # of a history
FULL, LEAST = 512, 16
"""Pixels of a side: what is locked and traced, and the smallest that is shipped."""


@dataclass(frozen=True)
class Settings:
    """How a list is drawn. Of `best_of` pictures of an item the best is kept; `drawings` of other hands say what a word
    means, see `drc.complete.meaning.Meanings`.

    An item draws from `seed` and a number that its words, or else the name of its reference, give: so it stays the same
    whatever else is on the list.
    """

    seed: int = 0
    best_of: int = 1
    drawings: int = HANDS
    dials: Dials = field(default_factory=Dials)

    def values(self) -> dict[str, float]:
        """Each by its name, as a set and its report keep them."""
        return {name: value for name, value in vars(self).items() if name != "dials"} | vars(self.dials)


def check(settings: Settings, drc: DRC, called: Callable[[str], str] = str) -> None:
    """ValueError, in one sentence, for settings that do not serve; `called` says what each is called by who gave it."""
    drc.require_trained_towers()
    most = {"style_strength": STRONGEST, "semantic_strength": STRONGEST, "temperature": HOTTEST}
    bounds = {"best_of": (1, MOST_CANDIDATES), "drawings": (0, HANDS)} | {name: (0, top) for name, top in most.items()}
    for name, (least, top) in bounds.items():
        value, expected = settings.values()[name], f"{least} to {top:g}"
        if name == "temperature":
            expected = f"{expected}, or {AUTOMATIC:g} for the usual one"
        if not least <= value <= top and (name, value) != ("temperature", AUTOMATIC):
            raise ValueError(f"{called(name)} is {value:g}, expected {expected}; choose one of these")
    if settings.best_of > 1 and not drc.lmm.draws_pixels:
        raise ValueError(
            f"{called('best_of')} is {settings.best_of}, but this model does not tell how likely a picture is; choose 1"
        )
