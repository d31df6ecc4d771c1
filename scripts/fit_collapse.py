"""Fix the thresholds of the collapse meter on one half of a benchmark and tell its rates on the other half.

    python scripts/fit_collapse.py [--model embedded] [--tests P1,P3,T1,T2,T3,T4] [--limit 100] [--fit P1,P3]

True pictures are the target, as it is and through the tokeniser. Seeded collapses are what a collapsed model would
answer: the reference, a history picture, another picture in the user's style that shows something else (history only),
and the reference's meaning in a style of another family (reference only), all through the tokeniser, as whatever a
model draws. For the first --drawn cases the model itself draws, too, from history alone and from reference alone.
Which half a case is in depends on its meaning, so no meaning is in both. Thresholds come from one half of the tests of
--fit. What was measured is kept in --out, so a stopped run goes on where it was.
"""

import argparse
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.cases import open_domain  # noqa: E402
from drc.bench.cases.domain import Case, Domain  # noqa: E402
from drc.bench.collapse.likelihood import CollapseScores, collapse_scores  # noqa: E402
from drc.bench.collapse.meter import Thresholds, fit, rate, read  # noqa: E402
from drc.bench.models import DRCModel, find_file  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.splits import order  # noqa: E402
from drc.instruction import TEMPERATURE, Dials  # noqa: E402
from drc.lmm.generate import Sampling  # noqa: E402
from drc.model import DRC  # noqa: E402
from drc.pixels import resized  # noqa: E402
from scripts.lib.bar import along  # noqa: E402

SHOWN = "8"  # history pictures that the meter sees
TRUE = ("target", "target through the tokeniser")
GALLERY = ("copy of the reference", "copy of the history", "history only", "reference only")
DRAWN = ("drawn from the history only", "drawn from the reference only")
COPIES = GALLERY[:2]
STYLE_LOST = ("copy of the reference", "reference only")
MEANING_LOST = ("copy of the history", "history only")
SEEDED_COLUMNS = {kind: (kind,) for kind in (*TRUE, *GALLERY)} | {"false alarms": TRUE, "detected": GALLERY}
DRAWN_COLUMNS = {kind: (kind,) for kind in DRAWN} | {"detected": DRAWN}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = {"type": lambda text: tuple(filter(None, text.split(",")))}
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--domain", default="emoji")
    parser.add_argument("--tests", default=("P1", "P3", "T1", "T2", "T3", "T4"), **names)
    parser.add_argument(
        "--fit",
        default=("P1", "P3"),
        **names,
        help="tests whose one half fixes the thresholds; '' keeps those there are",
    )
    parser.add_argument("--limit", type=int, default=100, help="cases of a test")
    parser.add_argument("--drawn", type=int, default=0, help="cases of a test for which the model draws")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "collapse")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def seeded(domain: Domain, test: str, case: Case) -> dict[str, int]:
    """Kind of answer -> a row of the domain."""
    target, family = domain.record(case.target), domain.facets(case.target).get("family")
    elsewhere = [
        row
        for row in domain.gallery(test)
        if domain.record(row).meaning == target.meaning
        and domain.record(row).style != target.style
        and (family is None or domain.facets(row).get("family") != family)
        and row != case.reference
    ]
    given = case.given(SHOWN)
    salt = f"{test} {domain.name_of(case.target)} reference only"
    rows = {"copy of the reference": case.reference, "copy of the history": given[0]}
    rows |= {"history only": next(row for row in case.history if row not in given)}
    return rows | dict(zip(("reference only",), domain.first(salt, elsewhere, 1), strict=False))


@torch.no_grad()
def answers_of(drc: DRC, domain: Domain, test: str, case: Case) -> dict[str, Tensor]:
    """Kind of answer -> a picture [3, S, S]."""
    rows = {TRUE[1]: case.target} | seeded(domain, test, case)
    pictures = resized(domain.images(list(rows.values())), drc.lmm.image_size)
    return {TRUE[0]: pictures[0]} | dict(zip(rows, drc.lmm.detokenize(drc.lmm.tokenize(pictures)), strict=True))


def drawn_of(drc: DRC, domain: Domain, test: str, case: Case) -> dict[str, Tensor]:
    """The same, of what the model draws when a strength is zero."""
    given = shown(drc, domain, case)
    strengths = (Dials.style_strength, 0.0), (0.0, Dials.semantic_strength)
    models = [DRCModel(drc, *each, Sampling(TEMPERATURE)) for each in strengths]
    seeds = [domain.seed(test, case)]
    return {kind: one.draw(*(x[None] for x in given), [""], seeds)[0] for kind, one in zip(DRAWN, models, strict=True)}


def shown(drc: DRC, domain: Domain, case: Case) -> tuple[Tensor, Tensor]:
    """History [k, 3, S, S] and reference [3, S, S]."""
    pictures = resized(domain.images([*case.given(SHOWN), case.reference]), drc.lmm.image_size)
    return pictures[:-1], pictures[-1]


def measured(drc: DRC, domain: Domain, test: str, cases: list[Case], answers, path: Path) -> list[dict]:
    """Half and scores by kind of answer for every case, one line each in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    lines = path.read_text().splitlines()
    for case in along(cases[len(lines) :], "case", path.stem):
        history, reference = shown(drc, domain, case)
        given = answers(drc, domain, test, case)
        found = collapse_scores(drc, torch.stack(list(given.values())), history, reference)
        values = torch.stack([getattr(found, field.name) for field in fields(CollapseScores)], dim=1).tolist()
        half = int(order(f"half {domain.record(case.target).meaning}"), 16) % 2
        lines.append(json.dumps({"half": half, "scores": dict(zip(given, values, strict=True))}))
        with path.open("a") as file:
            file.write(lines[-1] + "\n")
    return [json.loads(line) for line in lines[: len(cases)]]


def of_kinds(cases: list[dict], kinds: tuple[str, ...]) -> CollapseScores:
    values = [case["scores"][kind] for case in cases for kind in kinds if kind in case["scores"]]
    return CollapseScores(*torch.tensor(values).view(-1, len(fields(CollapseScores))).T)


def table(found: dict[str, list[dict]], groups: dict, columns: dict, thresholds: Thresholds) -> str:
    """Share of each kind of answer that is called collapsed in the held-out half, in percent."""
    lines = ["| tests | cases | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for name, tests in groups.items():
        cases = [case for test in tests for case in found[test] if case["half"]]
        readings = [read(of_kinds(cases, kinds), thresholds) for kinds in columns.values()]
        cells = [f"{100 * rate(some):.1f}" if some else "" for some in readings]
        lines.append(" | ".join([f"| {name}", str(len(cases)), *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    drc, domain = load(find_file(options.model)), open_domain(options.domain, options.data)
    key = order(f"{drc.hash} {domain.fingerprint}")[:16]
    seeds, drawn = {}, {}
    for test in options.tests:
        cases = domain.cases(test, options.limit)
        given = drc, domain, test
        seeds[test] = measured(*given, cases, answers_of, options.out / key / f"{test}.jsonl")
        drawn[test] = measured(*given, cases[: options.drawn], drawn_of, options.out / key / f"{test}-drawn.jsonl")
    thresholds = Thresholds()
    if options.fit:
        fitting = [case for test in options.fit for case in seeds[test] if not case["half"]]
        thresholds = fit(*(of_kinds(fitting, kinds) for kinds in (TRUE, STYLE_LOST, MEANING_LOST, COPIES)))
    print(json.dumps(asdict(thresholds), indent=1))
    groups = {test: (test,) for test in options.tests}
    groups |= {", ".join(tests): tests for tests in (options.fit, options.tests) if len(tests) > 1}
    for found, columns in ((seeds, SEEDED_COLUMNS), (drawn, DRAWN_COLUMNS)):
        print(f"\n{table(found, groups, columns, thresholds)}")


if __name__ == "__main__":
    main()
