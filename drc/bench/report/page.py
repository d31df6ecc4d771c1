"""A report as one HTML page that needs nothing beside it."""

import numpy as np

from ..baselines import CEILING, TRUTH
from ..scores.metrics import metric_of, metrics_in
from ..scores.pigeon import METRICS as PROTOCOL
from .html import Html, document, element, figure, joined, table
from .summary import HEADLINES, MODELS, Number, Numbers, disagreements, indexed, main_history, settings_of

HOW = Html("""
Each case shows a history and a reference and has a true picture. What was drawn is right in <b>meaning</b> when its
true picture is nearer to it than those of all other meanings in the same style, in <b>style</b> when it is nearer than
those of all other styles with the same meaning, in <b>both</b> when it is nearer than every other picture of the test.
<b>Distance</b> is that of the features of EfficientNet-Lite0 between what was drawn and the true picture, as a share of
what copying the reference leaves. <b>Nearer to</b> the reference, or to a picture of the history, than to the true
picture is what was copied. Where a domain knows the parts of its styles and meanings, a part is right when what was
drawn is, in plain colours, nearer to the true picture than to those that differ from it in that part alone; no judge is
asked. Where pictures are sets of icons, <b>off in</b> tells how far what was drawn is from the mean of its history, in
hundredths: weight is the share that is covered, padding and corner radius are shares of the side, palette is a distance
in OKLab, a colour counts 100; <b>line width within a fifth</b> counts pictures whose history draws lines. Brackets hold
95 % bootstrap intervals over meanings, for sets of icons the wider of those over meanings and over families. The first
rows are the ceiling, then what needs no model.""")


def page(results: dict, numbers: list[Number], plots: dict[str, np.ndarray], sheets: dict[str, np.ndarray]) -> str:
    files = [*results[MODELS].items(), *results["judges"].items(), *results.get("encoders", {}).items()]
    files.append(("pictures", results["pictures"]))
    found = indexed(numbers)
    parts = [
        element("p", HOW),
        element("p", f"Settings: {settings_of(results)}."),
        *(figure(name, plot, "PNG") for name, plot in plots.items() if not name.startswith("table")),
        *(section(results, found, test, sheets) for test in results["tests"]),
        element("h2", "What this was made from"),
        table(["name", "version"], [[name, element("code", value)] for name, value in files]),
    ]
    return document(f"{next(iter(results[MODELS]))} on {results['domain']}", parts)


def section(results: dict, found: Numbers, name: str, sheets: dict[str, np.ndarray]) -> Html:
    """A test: a table for each judge, where they disagree, its parts, and contact sheets."""
    test = results["tests"][name]
    parts = [element("h2", f"{name}: {test['what']}")]
    parts.append(element("p", f"{len(test['cases'])} cases, {test['gallery']} pictures to tell apart"))
    parts += [judge_table(results, found, name, judge) for judge in test["judges"]]
    parts += [element("p", sentence) for sentence in disagreements(results, name)]
    if test["gaps"]:
        heads = list(next(iter(test["gaps"].values())))
        rows = [[model, *(f"{gaps[head]:+.2f}" for head in heads)] for model, gaps in test["gaps"].items()]
        parts.append(table(["loss, nats per code", *(head.replace("_", " ") for head in heads)], rows))
    if "protocol" in test:
        parts.append(protocol_table(results, test["protocol"]))
    parts.append(facet_tables(results, found, name))
    parts += [figure(title, sheets[title], "JPEG") for title in (name, f"{name} histories") if title in sheets]
    return joined(parts)


def judge_table(results: dict, found: Numbers, name: str, judge: str) -> Html:
    """A row for each answer, a column for each metric."""
    history = main_history(results)
    answers = results["tests"][name]["judges"][judge][history]
    metrics, rows = metrics_in(answers), []
    for answer in answers:
        cells = [found.get((name, history, judge, answer, "", "", metric)) for metric in metrics]
        rows.append([answer, *(str(cell) if cell else "-" for cell in cells)])
    heads = [judge, *(metric_of(metric).head for metric in metrics)]
    return table(heads, rows, [kind(results, answer) for answer in answers])


def protocol_table(results: dict, answers: dict[str, dict[str, float]]) -> Html:
    """Pigeon's metrics, and what each is."""
    names = [name for name in PROTOCOL if any(name in found for found in answers.values())]
    rows = [
        [answer, *(f"{found[name]:.3f}" if name in found else "-" for name in names)]
        for answer, found in answers.items()
    ]
    heads = [
        "as Pigeon measures",
        *(f"{name}, {'more' if PROTOCOL[name].higher_is_better else 'less'} is better" for name in names),
    ]
    told = [element("p", f"{name}: {PROTOCOL[name].about}, {PROTOCOL[name].unit}.") for name in names]
    return joined(
        [
            table(heads, rows, [kind(results, answer) for answer in answers]),
            element("details", element("summary", "what these are"), *told),
        ]
    )


def facet_tables(results: dict, found: Numbers, name: str) -> Html:
    """The headlines of every model, apart for the values of each facet."""
    test, history, parts = results["tests"][name], main_history(results), []
    for judge in test["judges"]:
        for model in results[MODELS]:
            rows = []
            for facet in test["facets"][0]:
                for value in sorted({one[facet] for one in test["facets"]}):
                    cells = [found[name, history, judge, model, facet, value, metric] for metric in HEADLINES]
                    rows.append([f"{facet}: {value}", str(cells[0].cases), *map(str, cells)])
            heads = [f"{model}, {judge}", "cases", *(metric_of(metric).head for metric in HEADLINES)]
            parts.append(table(heads, rows))
    return element("details", element("summary", f"by {' and '.join(test['facets'][0])}"), *parts)


def kind(results: dict, answer: str) -> str:
    """The class of a row."""
    if answer in results[MODELS]:
        return "model"
    return "ceiling" if answer == TRUTH or answer.startswith(CEILING) else ""
