"""What needs no model: rows of pictures that answer a case, to be beaten."""

from collections.abc import Sequence

from .domain import Case, Domain
from .metrics import Seen

COPY, NEAREST, RANDOM = "copy the reference", "nearest in style", "random in style"
TRUTH, WHITE = "the target itself", "white"
BASELINES = (COPY, NEAREST, RANDOM)


def baseline_rows(domain: Domain, test: str, cases: Sequence[Case], seen: Seen) -> dict[str, list[int]]:
    """Answer -> a row for every case. The longest history is what is known of the style."""
    return {
        TRUTH: [case.target for case in cases],
        COPY: [case.reference for case in cases],
        NEAREST: nearest_in_style(cases, seen),
        RANDOM: [domain.first(f"{domain.case_name(test, case, ())} random", case.history, 1)[0] for case in cases],
    }


def nearest_in_style(cases: Sequence[Case], seen: Seen) -> list[int]:
    """For each case the history picture whose meaning is nearest to the reference's: what retrieval would answer."""
    found = []
    for case in cases:
        likeness = seen[list(case.history)].meaning @ seen[case.reference].meaning
        found.append(case.history[int(likeness.argmax())])
    return found
