"""The pictures of a report: style against meaning, more and other history, the families of a test, and a table."""

from collections.abc import Callable

import numpy as np

from ...plots.canvas import COLOURS, DIM, GRID, LIGHT, MUTED, Canvas, Panel, legend, write_head
from ..baselines import BASELINES, CEILING, COPY, NEAREST, RANDOM, RECOLOURED, TRUTH, WHITE
from ..cases.domain import in_order
from ..scores.metrics import metric_of, metrics_in
from .summary import FIRST, HEADLINES, MODELS, Numbers, main_history

OTHERS = {
    TRUTH: "#ffffff",
    CEILING: LIGHT,
    COPY: "#c08457",
    RECOLOURED: "#d9a05b",
    NEAREST: "#9a9a4a",
    RANDOM: DIM,
    WHITE: "#565c66",
}
ABREAST = 4  # panels in a row


def colours(results: dict) -> dict[str, str]:
    """Of the answers: models are bright, all others dim."""
    found = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(results[MODELS])}
    return found | {name: OTHERS.get(name, DIM) for name in (*OTHERS, *BASELINES) if name not in found}


def plane(results: dict, numbers: Numbers, judge: str) -> np.ndarray:
    """Style against meaning, one panel a test: who keeps both lies at the top right."""
    side, edge, head = 220, 44, 64
    tests, named = list(results["tests"]), colours(results)
    abreast = min(ABREAST, max(3, len(tests)))
    lines = -(-len(tests) // abreast)
    width, height = abreast * (side + edge) + 24, head + lines * (side + head) + 56
    canvas = Canvas(width, height)
    write_head(canvas, f"style against meaning, by {judge}", "style upwards, meaning to the right; percent right")
    for index, test in enumerate(tests):
        row, column = divmod(index, abreast)
        panel = Panel(canvas, edge + column * (side + edge), head + 28 + row * (side + head), side, side)
        panel.grid(upright=True)
        after = panel.left + 8 + canvas.text(panel.left, panel.top - 8, test)
        what = results["tests"][test]["what"]
        canvas.text(after, panel.top - 8, what, MUTED, 12, room=panel.left + side - after)
        for answer in reversed(named):
            found = [numbers.get((test, main_history(results), judge, answer, "", "", name)) for name in HEADLINES[:2]]
            if None not in found:
                meaning, style = found
                ends = [panel.place(end, style.mean) for end in (meaning.low, meaning.high)]
                dim = answer not in results[MODELS]
                canvas.line(ends, named[answer], 0.5 if dim else 1)
                panel.mark(meaning.mean, style, named[answer], dim)
    shown = {name: colour for name, colour in named.items() if any(key[3] == name for key in numbers)}
    legend(canvas, 16, height - 42, width - 16, shown)
    return canvas.array()


def against_history(results: dict, numbers: Numbers, judge: str) -> np.ndarray:
    """What more pictures do, and histories that are not clean: a line for each model, a row of panels for each test.

    Every number is over the cases that all histories were drawn for.
    """
    histories, sweep = in_order(results["settings"]["histories"]), results["settings"]["sweep"]
    clean = sum(name.isdigit() for name in histories)
    rooms = np.array([1.0 if name.isdigit() else 1.5 for name in histories])  # words need more
    across = (np.cumsum(rooms) - rooms / 2) / rooms.sum()
    side, high, edge, head = 250, 130, 44, 84
    tests, named = list(results["tests"]), colours(results)
    width, height = len(HEADLINES) * (side + edge) + 24, head + len(tests) * (high + 46) + 40
    canvas = Canvas(width, height)
    note = f"percent of the first {sweep} cases or fewer, with 95 % intervals, by the pictures of a history"
    write_head(canvas, f"more history, and histories that are not clean, by {judge}", note)
    for line, test in enumerate(tests):
        for column, metric in enumerate(HEADLINES):
            panel = Panel(canvas, edge + column * (side + edge), head + 20 + line * (high + 46), side, high)
            panel.grid()
            canvas.text(panel.left, panel.top - 8, f"{test}, {metric_of(metric).head}")
            for x, history in zip(across, histories, strict=True):
                canvas.text(panel.place(x, 0)[0], panel.top + high + 6, history, MUTED, 12, "mt")
            for turn, answer in enumerate(results[MODELS]):
                shift = 0.015 * (turn - (len(results[MODELS]) - 1) / 2)
                found = []
                for x, history in zip(across, histories, strict=True):
                    key = test, history, judge, answer
                    number = numbers.get((*key, FIRST, str(sweep), metric)) or numbers.get((*key, "", "", metric))
                    if number:
                        found.append((x + shift, number))
                run = [panel.place(x, number.mean) for x, number in found[:clean]]
                if len(run) > 1:
                    canvas.line(run, named[answer], 1.5)
                for x, number in found:
                    panel.mark(x, number, named[answer])
    legend(canvas, 16, height - 16, width - 16, {name: named[name] for name in results[MODELS]})
    return canvas.array()


def by_facet(results: dict, numbers: Numbers, judge: str) -> np.ndarray:
    """The headlines of the first model, apart for every value of the facet that a domain names first."""
    tests, model = list(results["tests"]), next(iter(results[MODELS]))
    colour = dict(zip(HEADLINES, COLOURS, strict=False))
    facet = {test: next(iter(results["tests"][test]["facets"][0])) for test in tests}
    values = {}
    for test in tests:
        place = test, main_history(results), judge, model, facet[test]
        values[test] = sorted({key[5] for key in numbers if key[:5] == place})
    side, name_room, bar, head = 190, 96, 7, 84
    abreast = min(ABREAST, max(2, len(tests)))
    rows = [tests[first : first + abreast] for first in range(0, len(tests), abreast)]
    group = bar * len(HEADLINES) + 9
    heights = [max(len(values[test]) for test in row) * group + 62 for row in rows]
    width, height = abreast * (side + name_room + 24) + 24, head + sum(heights) + 24
    canvas = Canvas(width, height)
    note = "percent right; the number of cases in brackets"
    write_head(canvas, f"{model} by {facet[tests[0]]}, by {judge}", note)
    for line, row in enumerate(rows):
        for column, test in enumerate(row):
            top = head + 20 + sum(heights[:line])
            left = name_room + 12 + column * (side + name_room + 24)
            panel = Panel(canvas, left, top, side, len(values[test]) * group)
            canvas.text(panel.left, top - 8, test)
            for share in (0, 0.5, 1):
                canvas.line((panel.place(share, 0), panel.place(share, 1)), GRID)
                canvas.text(*panel.place(share, -6 / panel.height), f"{100 * share:.0f}", MUTED, 12, "mt")
            for place, value in enumerate(values[test]):
                y = top + place * group + 4
                place_of = test, main_history(results), judge, model, facet[test], value
                found = {metric: numbers[(*place_of, metric)] for metric in HEADLINES}
                label = f"{value} ({found[HEADLINES[0]].cases})"
                canvas.text(panel.left - 6, y + bar * 1.5, label, MUTED, 12, "rm", room=name_room)
                for turn, (metric, number) in enumerate(found.items()):
                    right = panel.left + max(1, side * number.mean)
                    canvas.box(panel.left, y + turn * bar, right, y + (turn + 1) * bar - 1, colour[metric])
    legend(canvas, 16, height - 14, width - 16, {metric_of(name).head: colour[name] for name in HEADLINES})
    return canvas.array()


def table(results: dict, numbers: Numbers, judge: str) -> np.ndarray:
    """The tables of a judge as one picture: a row for each answer, a column for each metric."""
    line, name_room, column = 24, 260, 160
    history, tests = main_history(results), results["tests"]
    columns = {test: metrics_in(found["judges"][judge][history]) for test, found in tests.items()}
    lines = sum(len(found["judges"][judge][history]) + 2 for found in tests.values())
    width = name_room + column * max(map(len, columns.values())) + 32
    canvas, y = Canvas(width, 64 + lines * line + 16), 84
    write_head(canvas, f"by {judge}", f"percent with 95 % intervals, history {history}")
    for test, found in tests.items():
        canvas.text(16, y, f"{test}: {found['what']} ({len(found['cases'])} cases)", room=width - 32)
        y += line
        for place, metric in enumerate(columns[test]):
            canvas.text(name_room + place * column, y, metric_of(metric).head, MUTED, room=column - 8)
        for answer in found["judges"][judge][history]:
            y += line
            canvas.text(16, y, answer, LIGHT if answer in results[MODELS] else MUTED, room=name_room - 24)
            for place, metric in enumerate(columns[test]):
                number = numbers.get((test, history, judge, answer, "", "", metric))
                canvas.text(name_room + place * column, y, str(number or "-"), room=column - 8)
        y += line
    return canvas.array()


PLOTS: dict[str, Callable[[dict, Numbers, str], np.ndarray]] = {
    "style against meaning": plane,
    "histories": against_history,
    "parts": by_facet,
    "table": table,
}
