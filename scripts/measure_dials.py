"""Do the dials do what they say? One strength is turned up step by step, the other stays.

    python scripts/measure_dials.py [--tests P3] [--limit 192] [--steps 0,0.5,1,2,4] [--picture dials.png]

Draws the same cases of the emoji benchmark at every step (build/data, and the judges of `python -m drc.bench run`), and
prints how often style and meaning were right, and whether the dial moved its own side alone: style must not fall from
step to step, and meaning may change by a third as much at most; and the reverse. A judge may itself miss a style where
the drawing is another, so its last line tells how often it is right about true pictures: about the style of one that
shows something else, and about the meaning of the reference. Goes on where it was stopped.
"""

import argparse
import contextlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bar import Bar  # noqa: E402
from drc.bench.baselines import COPY, RANDOM  # noqa: E402
from drc.bench.config import BenchConfig  # noqa: E402
from drc.bench.models import EMBEDDED, DRCModel  # noqa: E402
from drc.bench.report.html import encoded  # noqa: E402
from drc.bench.report.summary import Number  # noqa: E402
from drc.bench.run import run  # noqa: E402
from drc.bench.scores.metrics import metric_of  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from drc.instruction import Dials  # noqa: E402
from drc.plots.canvas import COLOURS, MUTED, Canvas, Panel, legend, write_head  # noqa: E402

STEPS = "0,0.5,1,2,4"  # they double, as what a strength does wears off
OWN = {"style_strength": "style_top1", "semantic_strength": "semantic_top1"}
METRICS = ("style_top1", "semantic_top1", "joint_top1")
MOST = 1 / 3  # of what a dial changes on its own side it may change on the other

Found = dict[tuple[str, str, str, str], Number]  # test, judge, answer, metric


def strengths_of(dial: str, step: float) -> tuple[float, float]:
    return replace(Dials(), **{dial: step}).strengths


def answer_of(dial: str, step: float) -> str:
    return f"{dial.removesuffix('_strength')} {step:g}"


def measure(config: BenchConfig, model: Path, steps: Sequence[float]) -> Found:
    drc = load(model)
    models = {
        answer_of(dial, step): DRCModel(drc, *strengths_of(dial, step), config.sampling)
        for dial in OWN
        for step in steps
    }
    with contextlib.closing(Bar()) as bar:
        numbers = run(config, bar, models=models).numbers
    return {(one.test, one.judge, one.answer, one.metric): one for one in numbers if not one.facet}


def told(found: Found, test: str, judge: str, dial: str, steps: Sequence[float]) -> str:
    """One line: what the dial did on its own side and on the other."""
    own = OWN[dial]
    (other,) = (metric for metric in OWN.values() if metric != own)
    answers = [answer_of(dial, step) for step in steps]
    means = {metric: np.array([found[test, judge, one, metric].mean for one in answers]) for metric in (own, other)}
    falls, gain = -np.diff(means[own]).min(), means[own][-1] - means[own][0]
    moved = np.ptp(means[other])
    owns = " ".join(f"{100 * mean:.0f}" for mean in means[own])
    others = " ".join(f"{100 * mean:.0f}" for mean in means[other])
    verdict = "never falls" if falls <= 0 else f"falls by up to {100 * falls:.0f}"
    ratio = f"by {moved / gain:.2f} of that gain" if gain > 0 else f"by {100 * moved:.0f}, for no gain"
    return (
        f"{test}, {judge}, {dial}: {metric_of(own).head} {owns} ({verdict}), {metric_of(other).head} {others} (moves "
        f"{ratio}, at most {MOST:.2f} is wanted)"
    )


def told_of_truth(found: Found, test: str, judge: str) -> str:
    """One line: what the judge says of true pictures that a dial at zero may at best be like."""
    style, meaning = found[test, judge, RANDOM, "style_top1"].mean, found[test, judge, COPY, "semantic_top1"].mean
    return (
        f"{test}, {judge}: a true picture of another thing is right in style in {100 * style:.0f}, "
        f"the reference in meaning in {100 * meaning:.0f}"
    )


def picture(found: Found, config: BenchConfig, steps: Sequence[float]) -> np.ndarray:
    """A row of panels for each judge, one for each dial, of the first test: uint8 [H, W, 3]."""
    side, high, edge, head = 300, 170, 48, 84
    width, height = len(OWN) * (side + edge) + 24, head + len(config.judges) * (high + 62) + 26
    canvas = Canvas(width, height)
    untouched = f"untouched they stand at {Dials.style_strength:g} and {Dials.semantic_strength:g}"
    write_head(
        canvas, "what the dials do", f"percent right of {config.limit} pictures, with 95 % intervals; {untouched}"
    )
    colour = dict(zip(METRICS, COLOURS, strict=False))
    for line, judge in enumerate(config.judges):
        for column, dial in enumerate(OWN):
            panel = Panel(canvas, edge + column * (side + edge), head + 24 + line * (high + 62), side, high)
            panel.grid()
            canvas.text(panel.left, panel.top - 8, f"{dial}, by {judge}", room=side)
            across = np.linspace(0.04, 0.96, len(steps))
            for x, step in zip(across, steps, strict=True):
                canvas.text(panel.place(x, 0)[0], panel.top + high + 6, f"{step:g}", MUTED, 12, "mt")
            for metric in METRICS:
                its = [found[config.tests[0], judge, answer_of(dial, step), metric] for step in steps]
                places = [panel.place(x, one.mean) for x, one in zip(across, its, strict=True)]
                canvas.line(places, colour[metric], 1.5)
                for x, one in zip(across, its, strict=True):
                    panel.mark(x, one, colour[metric])
    legend(canvas, 16, height - 14, width - 16, {metric_of(name).head: colour[name] for name in METRICS})
    return canvas.array()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--tests", default="P3", help="with commas; the picture is of the first")
    parser.add_argument("--steps", default=STEPS, help="of each strength, with commas")
    parser.add_argument("--limit", type=int, default=192, help="cases of a test")
    parser.add_argument("--judges", default=",".join(BenchConfig.judges))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "dials")
    parser.add_argument("--picture", type=Path, help="where to put the plot")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = BenchConfig(
        tests=tuple(options.tests.split(",")),
        histories=("8",),
        limit=options.limit,
        sweep=options.limit,
        judges=tuple(options.judges.split(",")),
        out=options.out,
        **{name: ROOT / getattr(BenchConfig, name) for name in ("data", "packages", "evaluator", "cache")},
    )
    steps = tuple(map(float, options.steps.split(",")))
    found = measure(config, options.model, steps)
    for test in config.tests:
        for judge in config.judges:
            for dial in OWN:
                sys.stdout.write(f"{told(found, test, judge, dial, steps)}\n")
            sys.stdout.write(f"{told_of_truth(found, test, judge)}\n")
    if options.picture:
        write_bytes(encoded(picture(found, config, steps), "PNG"), options.picture)


if __name__ == "__main__":
    main()
