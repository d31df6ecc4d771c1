"""What a user may choose of a set, and between which bounds.

Plain values and their defaults alone, so that the nodes' widgets are made from them before anything heavy is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..instruction import AUTOMATIC, HANDS, STRONGEST, Dials

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


def check(settings: Settings, drc: DRC) -> None:
    """ValueError, in one sentence, for settings that do not serve."""
    drc.require_trained_towers()
    if not 1 <= settings.best_of <= MOST_CANDIDATES:
        raise ValueError(f"best_of is {settings.best_of}, expected 1 to {MOST_CANDIDATES}; choose one of these")
    if settings.best_of > 1 and not drc.lmm.draws_pixels:
        raise ValueError(
            f"best_of is {settings.best_of}, but this model does not tell how likely a picture is; choose 1"
        )
    if not 0 <= settings.drawings <= HANDS:
        raise ValueError(f"drawings is {settings.drawings}, expected 0 to {HANDS}; choose one of these")
    for name, value in vars(settings.dials).items():
        automatic = name == "temperature" and value == AUTOMATIC
        if not automatic and not 0 <= value <= STRONGEST:
            raise ValueError(f"{name} is {value:g}, expected 0 to {STRONGEST:g}; choose one of these")
