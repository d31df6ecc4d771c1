"""What needs no model: answers to be beaten.

A further baseline is a function from what was asked to one answer for each case, and a line in BASELINES. An answer is
a row of the domain's pictures, or a picture of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .cases.domain import Case, Domain
from .judges.judge import Seen
from .recoloured import recoloured

TRUTH, CEILING = "the target itself", "the target through the tokeniser"
COPY, RECOLOURED = "copy the reference", "the reference recoloured"
RECOLOURED_BY = 8  # pictures of the history
NEAREST, RANDOM, WHITE = "nearest in style", "random in style", "white"


@dataclass(frozen=True)
class Asked:
    """Cases of a test; `seen` is how a judge saw their pictures. The longest history is what is known of the style."""

    domain: Domain
    test: str
    cases: Sequence[Case]
    seen: Seen


Rows = list[int]
Pictures = np.ndarray  # uint8 [cases, S, S, 3]


def copy_reference(asked: Asked) -> Rows:
    return [case.reference for case in asked.cases]


def nearest_in_style(asked: Asked) -> Rows:
    """The history picture whose meaning is nearest to the reference's: what retrieval would answer."""
    found = []
    for case in asked.cases:
        likeness = asked.seen[list(case.history)].meaning @ asked.seen[case.reference].meaning
        found.append(case.history[int(likeness.argmax())])
    return found


def random_in_style(asked: Asked) -> Rows:
    domain, test = asked.domain, asked.test
    return [domain.first(f"{domain.case_name(test, case, ())} random", case.history, 1)[0] for case in asked.cases]


def white(asked: Asked) -> Pictures:
    targets = asked.domain.pictures.read(np.array([case.target for case in asked.cases]))
    return np.full_like(targets, 255)


def reference_recoloured(asked: Asked) -> Pictures:
    read = asked.domain.pictures.read
    pairs = (
        (read(np.array([case.reference]))[0], read(np.array(case.history[:RECOLOURED_BY]))) for case in asked.cases
    )
    return np.stack([recoloured(reference, history) for reference, history in pairs])


BASELINES: dict[str, Callable[[Asked], Rows | Pictures]] = {
    COPY: copy_reference,
    RECOLOURED: reference_recoloured,
    NEAREST: nearest_in_style,
    RANDOM: random_in_style,
    WHITE: white,
}
