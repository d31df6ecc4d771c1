"""A report as one HTML page that needs nothing beside it, and its tables as CSV."""

import base64
import csv
import dataclasses
import io
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image

from .baselines import TRUTH
from .bench import CEILING
from .metrics import metric_of, metrics_in
from .summary import HEADLINES, Number, Numbers, disagreements, indexed, main_history

STYLE = """
body { background: #202226; color: #e6e7ea; font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px }
h1, h2 { font-weight: 600 } h2 { margin-top: 3rem } p, th { color: #a3a8b0; font-weight: 400 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { border-bottom: 1px solid #363a41; padding: .2rem .8rem }
td, th { text-align: right; white-space: nowrap } td:first-child, th:first-child { text-align: left }
tr.artist { color: #56b4f0; font-weight: 600 } tr.ceiling { color: #fff } b { color: #e6e7ea }
img { max-width: 100% } summary { cursor: pointer } div.wide { overflow-x: auto }
"""
HOW = """
Each case shows a history and a reference and has a true picture. What was drawn is right in <b>meaning</b> when its
true picture is nearer to it than those of all other meanings in the same style, in <b>style</b> when it is nearer than
those of all other styles with the same meaning, in <b>both</b> when it is nearer than every other picture of the test.
<b>Distance</b> is that of the features of EfficientNet-Lite0 between what was drawn and the true picture, as a share of
what copying the reference leaves. <b>Nearer to</b> the reference, or to a picture of the history, than to the true
picture is what was copied. Where a domain knows the parts of its styles and meanings, a part is right when what was
drawn is, in plain colours, nearer to the true picture than to those that differ from it in that part alone; no judge is
asked. Brackets hold 95 % bootstrap intervals over meanings. The first rows are the ceiling, then
what needs no model."""


def page(results: dict, numbers: list[Number], plots: dict[str, np.ndarray], sheets: dict[str, np.ndarray]) -> str:
    files = [*results["artists"].items(), *results["judges"].items(), ("pictures", results["pictures"])]
    found = indexed(numbers)
    parts = [
        f"<p>{HOW}</p><p>Settings: {escape(settings_of(results))}.</p>",
        *(figure(name, plot, "PNG") for name, plot in plots.items() if not name.startswith("table")),
        *(section(results, found, test, sheets) for test in results["tests"]),
        "<h2>What this was made from</h2>",
        html_table(["name", "version"], [[escape(name), f"<code>{escape(value)}</code>"] for name, value in files]),
    ]
    return document(f"{next(iter(results['artists']))} on {results['domain']}", parts)


def document(title: str, parts: list[str]) -> str:
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"{head}<body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"


def section(results: dict, found: Numbers, name: str, sheets: dict[str, np.ndarray]) -> str:
    """A test: a table for each judge, where they disagree, its parts, and contact sheets."""
    test, history = results["tests"][name], main_history(results)
    count = f"{len(test['cases'])} cases, {test['gallery']} pictures to tell apart"
    parts = [f"<h2>{escape(name)}: {escape(test['what'])}</h2><p>{count}</p>"]
    for judge, by_history in test["judges"].items():
        answers = by_history[history]
        metrics = metrics_in(answers)
        rows, classes = [], []
        for answer in answers:
            cells = [found.get((name, history, judge, answer, "", "", metric)) for metric in metrics]
            rows.append([escape(answer), *(str(cell) if cell else "-" for cell in cells)])
            classes.append(kind(results, answer))
        parts.append(html_table([judge, *(metric_of(metric).head for metric in metrics)], rows, classes))
    parts += [f"<p>{escape(sentence)}</p>" for sentence in disagreements(results, name)]
    if test["gaps"]:
        heads = list(next(iter(test["gaps"].values())))
        rows = [[escape(model), *(f"{gaps[head]:+.2f}" for head in heads)] for model, gaps in test["gaps"].items()]
        parts.append(html_table(["loss, nats per code", *(head.replace("_", " ") for head in heads)], rows))
    parts.append(facet_tables(results, found, name))
    parts += [figure(title, sheets[title], "JPEG") for title in (name, f"{name} histories") if title in sheets]
    return "".join(parts)


def facet_tables(results: dict, found: Numbers, name: str) -> str:
    """The headlines of every artist, apart for the values of each facet."""
    test, history, parts = results["tests"][name], main_history(results), []
    for judge in test["judges"]:
        for artist in results["artists"]:
            rows = []
            for facet in test["facets"][0]:
                for value in sorted({one[facet] for one in test["facets"]}):
                    cells = [found[name, history, judge, artist, facet, value, metric] for metric in HEADLINES]
                    rows.append([escape(f"{facet}: {value}"), str(cells[0].cases), *map(str, cells)])
            heads = [f"{artist}, {judge}", "cases", *(metric_of(metric).head for metric in HEADLINES)]
            parts.append(html_table(heads, rows))
    return f"<details><summary>by {' and '.join(test['facets'][0])}</summary>{''.join(parts)}</details>"


def kind(results: dict, answer: str) -> str:
    if answer in results["artists"]:
        return "artist"
    return "ceiling" if answer == TRUTH or answer.startswith(CEILING) else ""


def html_table(heads: list[str], rows: list[list[str]], classes: list[str] | None = None) -> str:
    """Heads are text, cells are HTML."""
    head = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = [f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows]
    if classes:
        lines = [line.replace("<tr>", f'<tr class="{kind}">', 1) for line, kind in zip(lines, classes, strict=True)]
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def figure(name: str, picture: np.ndarray, format: str) -> str:
    """A picture within the page; contact sheets as JPEG, to keep the page small."""
    data = base64.b64encode(encoded(picture, format)).decode()
    return f'<p><img alt="{escape(name)}" src="data:image/{format.lower()};base64,{data}"></p>'


def encoded(picture: np.ndarray, format: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format, quality=92)
    return file.getvalue()


def as_csv(kind: type, rows: Iterable) -> bytes:
    """A table of dataclasses of one kind, its fields being the columns."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(field.name for field in dataclasses.fields(kind))
    table.writerows(dataclasses.astuple(row) for row in rows)
    return file.getvalue().encode()


def settings_of(results: dict) -> str:
    """Every setting of a run, as one line."""
    settings = {name: value if isinstance(value, list) else [value] for name, value in results["settings"].items()}
    return ", ".join(f"{name.replace('_', ' ')} {' '.join(map(str, value))}" for name, value in settings.items())
