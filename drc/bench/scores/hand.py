"""Does a picture look as if it belonged to the history's set? What designers measure, without a judge."""

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from ...traits import Traits, departures, traits
from ..cases.domain import Domain

STROKE_WITHIN = 0.2  # of the history's mean width, where it draws lines


class HandScorer:
    """Measures every picture once: those of a domain stand in many histories, and every judge asks for the answers."""

    def __init__(self, domain: Domain):
        self.domain, self.known = domain, {}
        self.of_row = cache(self._of_row)

    def _of_row(self, row: int) -> Traits:
        return self.of_picture(self.domain.pictures.read(np.array([row]))[0])

    def of_picture(self, picture: np.ndarray) -> Traits:
        key = hashlib.sha256(picture.tobytes()).digest()  # all are of one size
        if key not in self.known:
            self.known[key] = traits(picture)
        return self.known[key]

    def scores(self, drawn: np.ndarray, histories: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
        """Pictures uint8 [n, S, S, 3] and the history of each -> metric -> a number for each, nan where there is none.

        "stroke" is whether lines are within STROKE_WITHIN; all else is how far off, see `drc.traits.departures`.
        """
        found = [
            departures(self.of_picture(picture), [self.of_row(row) for row in history])
            for picture, history in zip(drawn, histories, strict=True)
        ]
        numbers = {name: np.abs([one[name] for one in found]) for name in found[0]}
        stroke = numbers.pop("stroke")
        return {"stroke": np.where(np.isnan(stroke), np.nan, stroke <= STROKE_WITHIN), **numbers}
