"""Contact sheets: what was drawn in each test, and what more history does."""

import numpy as np

from ...plots.sheet import contact_sheet
from ..cases.domain import in_order
from ..generated import Generated, Request
from ..plan import Plan

SHOWN, HISTORY_SHOWN = 16, 8  # cases of a contact sheet, and pictures of their history


def sheets(plan: Plan, generated: Generated) -> dict[str, np.ndarray]:
    """uint8 [H, W, 3] by name."""
    found = {}
    for test in plan.tests:
        requests = [request for request in plan.requests(test) if request.shown]
        mains = [request for request in requests if request.shown == plan.main_history]
        columns = {request.answer: request for request in mains}
        found[test] = sheet(plan, generated, test, columns, SHOWN, HISTORY_SHOWN)
        own = {request.shown: request for request in requests if request.answer == mains[0].answer}
        if len(own) > 1:
            columns = {shown: own[shown] for shown in in_order(own)}
            count = min(SHOWN, len(plan.cases[test]), plan.config.sweep)
            found[f"{test} histories"] = sheet(plan, generated, test, columns, count, 0)
    return found


def sheet(
    plan: Plan, generated: Generated, test: str, columns: dict[str, Request], count: int, history: int
) -> np.ndarray:
    """A row for each of the first `count` cases: history, reference, what was drawn, truth."""
    cases, rows = plan.cases[test][:count], []
    history = min(history, max(len(case.given(plan.main_history)) for case in cases))
    drawn = [generated.read(request, count) for request in columns.values()]
    for index, case in enumerate(cases):
        rows_shown = [*case.given(plan.main_history)[:history], case.reference, case.target]
        *given, reference, truth = plan.domain.pictures.read(np.array(rows_shown))
        given += [None] * (history - len(given))
        rows.append([*given, reference, *(pictures[index] for pictures in drawn), truth])
    heads = ["history", *[""] * history][:history] + ["reference", *columns, "truth"]
    names = [next(iter(plan.domain.facets(case.target).values())) for case in cases]
    return contact_sheet(rows, heads, names, cell=72, gap=6)
