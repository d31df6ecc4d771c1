"""What the icon model was to reach, held against a run of the benchmark: reached or missed."""

from dataclasses import dataclass
from operator import attrgetter

from drc.bench.baselines import CEILING, RECOLOURED
from drc.bench.report.summary import MODELS, Numbers, difference, indexed, main_history, numbers_of, percent

from .card import table

JUDGE = "evaluator"
BOTH, STROKE = "joint_top1", "stroke"
LINES = 0.7  # of the pictures of line styles have the history's line width
COPIES = 0.05
SHARES = {"I2": 1 / 2, "I4": 1 / 3}
TIMES = 2.0  # as often right as the recoloured reference
REAL = {"T1": 0.15, "T2": 0.15}


@dataclass(frozen=True)
class Aim:
    what: str
    aim: str
    found: str
    reached: bool

    def __str__(self) -> str:
        return f"| {self.what} | {self.aim} | {self.found} | {'reached' if self.reached else '**missed**'} |"


def aims(icons: dict, emoji: dict, model: str) -> str:
    """A table; `icons` and `emoji` are results of runs whose models include `model`."""
    rows = [*of_icons(icons, model), *of_emoji(emoji, model)]
    return "\n".join([*table(["what", "aim", "found", ""]), *map(str, rows)])


def of_icons(results: dict, model: str) -> list[Aim]:
    numbers, history = indexed(numbers_of(results)), main_history(results)

    def number(test: str, answer: str, metric: str, judge: str = JUDGE):
        return numbers[test, history, judge, answer, "", "", metric]

    found = []
    for test, share in SHARES.items():
        ours, ceiling = number(test, model, BOTH), number(test, CEILING, BOTH)
        reached = ours.mean / ceiling.mean
        what = f"{ours} of {100 * ceiling.mean:.0f} %, a share of {reached:.2f}"
        found.append(Aim(f"{test}, both right, share of the ceiling", f"at least {share:.2f}", what, reached >= share))
    for test in SHARES:
        ours, theirs = number(test, model, BOTH), number(test, RECOLOURED, BOTH)
        told = f"{ours} % against {theirs} %"
        enough = ours.mean >= TIMES * theirs.mean and ours.low > theirs.high
        found.append(
            Aim(f"{test}, against the recoloured reference", f"{TIMES:g} times, intervals apart", told, enough)
        )
    for test in ("I3", "I4"):
        ours = number(test, model, STROKE)
        found.append(Aim(f"{test}, line width within a fifth", f"{100 * LINES:.0f} %", f"{ours} %", ours.mean >= LINES))
    for judge in results["judges"]:
        for kind in ("reference", "history"):
            worst = max(
                (number(test, model, f"copies_{kind}", judge) for test in results["tests"]), key=attrgetter("mean")
            )
            told = f"at most {worst} %, {worst.test}"
            found.append(
                Aim(f"nearer to the {kind}, {judge}", f"under {100 * COPIES:.0f} %", told, worst.mean < COPIES)
            )
    return found


def of_emoji(results: dict, model: str) -> list[Aim]:
    numbers, history = indexed(numbers_of(results)), main_history(results)
    found = []
    for test, share in REAL.items():
        ours = numbers[test, history, JUDGE, model, "", "", BOTH]
        found.append(Aim(f"{test}, both right", f"{100 * share:.0f} %", f"{ours} %", ours.mean >= share))
    return found + [no_worse(results, numbers, judge, model) for judge in results["judges"]]


def no_worse(results: dict, numbers: Numbers, judge: str, model: str) -> Aim:
    """P3 against the other model of the run: not below, beyond the interval of the difference."""
    (before,) = (name for name in results[MODELS] if name != model)
    history = main_history(results)
    gain = difference(results["tests"]["P3"], judge, history, model, before, BOTH)
    ours, theirs = (numbers["P3", history, judge, name, "", "", BOTH] for name in (model, before))
    told = f"{ours} % against {theirs} %, {percent(*gain, sign='+')}"
    return Aim(f"P3, both right, {judge}", "not below the model before", told, gain[2] >= 0)
