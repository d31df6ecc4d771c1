"""What is the Set Report worth on real sets of icons?

    python scripts/measure_set_report.py [--data build/data] [--model FILE] [--fit]

Needs the icon matrix (scripts/build_icons.py). Histories of 8 to 40 icons of one style stand for a set. An icon of the
same style that is not among them is a true one: how often is it called a misfit? An icon of another family is a foreign
one: how often is it found? Families that no training of this project sees are the test: as they are, of one colour on
white, and in the colours of their twins in the benchmark, the foreign icons in the same colours, as the palette lock
would give them. Sets that were drawn in colours are all of families that the fit saw. With --fit all numbers of
drc/weights/hands.safetensors are found anew from the other families, one style of each in colours, too, the line by
families that each fit leaves out.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.bar import Bar  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.complete.hands import COLOURS, FARTHEST, WEIGHTS, Hands, load_hands  # noqa: E402
from drc.complete.marks import MARKS  # noqa: E402
from drc.complete.report import AWAY, TRAITS, Measured, TraitScores, farthest, report  # noqa: E402
from drc.data.icons import Icons  # noqa: E402
from drc.tensor_file import metadata_of, write_safetensors  # noqa: E402
from scripts.lib.hand_sets import HandSet, painted_sets, sets_of  # noqa: E402

HISTORIES = (8, 16, 24, 40)
FOLDS = 4  # of the families that the line is found with
LINE_BY = (4, 8, 12, 16, 24)  # histories that the line is found with
FALSE = 0.05  # of true icons that may be called misfits
TRIES = 8  # histories of a set
TRUE, FOREIGN = 4, 8  # pictures against each history
LEAST = 0.01  # variance of hands in any direction
TINY = 1e-9  # variance of colours that are all alike, as of a few sets
DIAGONAL = 0.02  # of the covariance within hands that is taken from its diagonal
"""All ours."""

Judge = Callable[[list[Measured], list[Measured]], Sequence[float]]
"""Pictures and a history to their misfits."""


def fit(sets: Sequence[HandSet], painted: Sequence[HandSet]) -> Hands:
    """All numbers of hands but the line; `painted` are sets in colours."""
    every = np.concatenate([one.marks for one in sets])
    count, plain = len(MARKS), np.zeros((len(MARKS), len(MARKS)))
    spread = every.std(axis=0) + 1e-9
    hands = Hands(every.mean(axis=0), spread, np.zeros(count), plain, plain, plain, plain, np.zeros(2))
    scaled = [hands.scaled(one.marks) for one in sets]
    free = len(every) - len(sets)
    within = sum((one - one.mean(axis=0)).T @ (one - one.mean(axis=0)) for one in scaled) / free
    within = (1 - DIAGONAL) * within + DIAGONAL * np.diag(np.diag(within)) + 1e-3 * np.eye(count)
    middles = np.array([one.mean(axis=0) for one in scaled])
    values, directions = np.linalg.eigh(np.cov(middles.T) - within * len(sets) / len(every))
    between = (directions * np.maximum(values, LEAST)) @ directions.T
    changes = np.concatenate([one.changes for one in sets]) / spread
    changes = changes.clip(-2 * FARTHEST, 2 * FARTHEST)
    coded = changes.T @ changes / len(changes)
    strange = [hands.scaled(one.strange) - hands.scaled(one.marks).mean(axis=0) for one in painted]
    strange = np.concatenate(strange)[:, :COLOURS]
    taken = strange.T @ strange / len(strange) + TINY * np.eye(COLOURS)
    return replace(hands, middle=middles.mean(axis=0), within=within, between=between, coded=coded, taken=taken)


def fit_with_line(sets: Sequence[HandSet], painted: Sequence[HandSet]) -> Hands:
    """The line is where FALSE of the true ones are called misfits, those with a trait that is too far among them: as
    many sets as they are and in colours."""
    families, folds = sorted({one.family for one in sets}), []
    for fold in range(FOLDS):
        held = set(families[fold::FOLDS])
        learned, left_out = (
            [[one for one in some if (one.family in held) == new] for some in (sets, painted)] for new in (False, True)
        )
        folds.append((by_line(fit(*learned)), left_out))
    least = min(max(len(one.pictures) for one in some) for some in (sets, painted))
    counts = [count for count in LINE_BY if count + TRUE <= least]
    over_count, line = np.polyfit(1 / np.array(counts), [line_of(folds, count) for count in counts], 1)
    return replace(fit(sets, painted), line=np.array([line, over_count]))


def line_of(folds: Sequence[tuple[Judge, Sequence[Sequence[HandSet]]]], count: int) -> float:
    """For histories of `count`, by families that each fit left out, sets as they are and in colours."""
    found = [
        np.concatenate(
            [trials(judge, sets[kind], count, np.random.default_rng(n)) for n, (judge, sets) in enumerate(folds)]
        )
        for kind in (0, 1)
    ]
    true = [np.random.default_rng(0).permutation(some[some[:, 1] == 1, 0]) for some in found]
    as_many = min(map(len, true))
    line = float(np.quantile(np.concatenate([some[:as_many] for some in true]), 1 - FALSE))
    for name, some in zip(("as they are", "in colours"), found, strict=True):
        print(f"families that a fit left out, {name}, history of {count}:", told(some - line * np.array([1, 0, 0])))
    return line


def by_line(hands: Hands) -> Judge:
    """What a line is to be drawn through: any line lies below a trait that is too far."""

    def judge(drawn, history):
        looks = TraitScores([one.traits for one in history])
        ratios = hands.misfits(*(np.stack([one.marks for one in some]) for some in (drawn, history)))
        far = [farthest(looks.of(one.traits)[0]) > AWAY for one in drawn]
        return np.where(far, 1e6, ratios)

    return judge


def by_report(hands: Hands) -> Judge:
    def judge(drawn, history):
        return [row.misfit for row in sorted(report(drawn, history, hands=hands).rows, key=lambda row: row.number)]

    return judge


def trials(judge: Judge, sets: Sequence[HandSet], count: int, random: np.random.Generator) -> np.ndarray:
    """Histories of `count` -> of each picture its misfit, whether it is a true one, and whether set and picture are of
    one colour, [n, 3]."""
    found = []
    for one in sets:
        others = [other for other in sets if other.family != one.family]
        for _ in range(TRIES if len(one.pictures) >= count + TRUE else 0):
            pictures = [one.pictures[place] for place in random.permutation(len(one.pictures))]
            if one.strangers:
                foreign = [one.strangers[place] for place in random.permutation(len(one.strangers))[:FOREIGN]]
                alike = [False] * (TRUE + FOREIGN)
            else:
                strangers = [others[place] for place in random.integers(0, len(others), FOREIGN)]
                foreign = [other.pictures[random.integers(0, len(other.pictures))] for other in strangers]
                alike = [True] * TRUE + [not (one.colour or other.colour) for other in strangers]
            misfits = judge(pictures[count : count + TRUE] + foreign, pictures[:count])
            found += zip(misfits, [True] * TRUE + [False] * FOREIGN, alike, strict=True)
    return np.array(found).reshape(-1, 3)


def told(found: np.ndarray) -> str:
    """Rates of what `trials` gives."""
    true, foreign = found[found[:, 1] == 1], found[found[:, 1] == 0]
    at = np.quantile(true[:, 0], 0.95)
    above = {
        "true ones called misfits": true[:, 0] > 0,
        "foreign ones found": foreign[:, 0] > 0,
        "where both are of one colour": foreign[foreign[:, 2] == 1, 0] > 0,
        "with a line that calls 5 % of the true ones misfits": foreign[:, 0] > at,
    }
    shares = ", ".join(f"{name} {100 * some.mean():.1f} %" for name, some in above.items() if len(some))
    return f"{shares} ({len(true)} and {len(foreign)} trials)"


def coded_misfits(judge: Judge, sets: Sequence[HandSet]) -> float:
    """The share of true icons, as codes hold them, that are called misfits by a history of 24 others."""
    return float(np.mean([np.array(judge(one.coded, one.pictures[len(one.coded) :][:24])) > 0 for one in sets]))


def print_traits(sets: Sequence[HandSet], count: int = 8) -> None:
    """How far traits of an icon are from the rest of its set, and how many true icons have one that is too far."""
    spreads, scores = {trait: [] for trait in TRAITS}, []
    for one in sets:
        looks = TraitScores([picture.traits for picture in one.pictures[:count]])
        scores += [list(looks.of(picture.traits)[0].values()) for picture in one.pictures[count:]]
        for trait in TRAITS:
            values = np.array(looks.spreads[trait])
            if not np.isnan(values).all():
                spreads[trait].append(np.nanmean(values**2))
    middling = {trait: round(float(np.median(squares) ** 0.5), 3) for trait, squares in spreads.items()}
    far = np.nanmax(np.abs(scores), axis=1)
    print("spread of traits within the middling set:", middling)
    print(f"true icons with a trait of z beyond {AWAY:g}: {100 * (far > AWAY).mean():.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    icons, bar = Icons(options.data / "icons"), Bar()

    def on_set(done: int, total: int) -> None:
        bar("sets measured", done, total)

    # Of the families that the fit sees those in colours alone are measured, unless it is made anew.
    sets = sets_of(icons, load(options.model), on_set, lambda one: options.fit or one.unseen or one.colour)
    painted = painted_sets(icons, on_set, unseen=True)
    seen, unseen = ([one for one in sets if icons.styles[one.style].unseen == new] for new in (False, True))
    coloured = [one for one in seen if one.colour]
    families = [len({one.family for one in some}) for some in (seen, unseen)]
    print(f"{len(unseen)} sets of {families[1]} unseen families to measure, {len(painted)} of them in colours, too")
    if options.fit:
        print(f"{len(seen)} sets of {families[0]} families to fit by")
        hands = fit_with_line(seen, painted_sets(icons, on_set, unseen=False))
        tensors = {name: torch.tensor(value, dtype=torch.float32) for name, value in vars(hands).items()}
        write_safetensors(tensors, WEIGHTS, metadata_of({"marks": ", ".join(MARKS)}))
        print_traits(seen)
    judge = by_report(load_hands())
    for count in HISTORIES:
        print(f"history of {count}:", told(trials(judge, unseen, count, np.random.default_rng(1))))
    for name, some in {"in colours": painted, "drawn in colours, of seen families": coloured}.items():
        for count in HISTORIES[:2] if len({one.family for one in some}) > 1 else ():
            print(f"{name}, history of {count}:", told(trials(judge, some, count, np.random.default_rng(1))))
    print(f"true ones, as the model's codes hold them, called misfits: {100 * coded_misfits(judge, unseen):.1f} %")


if __name__ == "__main__":
    main()
