"""Whole sets of hands that training never saw, completed by word, by reference, and by the best of several drawings.

    python scripts/measure_sets.py [--hands 12] [--concepts 24] [--coloured 6] [--best-of 1,4,8] [--out build/sets]

Every hand gives eight pictures, and all its concepts are drawn from them: by the concept's reference, and by the word,
as the node of sets does, by what other hands drew of it. Of several drawings the model's own likelihoods choose, never
a judge. Both judges score, among all hands' pictures of every concept that is asked; the benchmark's report is written,
too. Goes on where it was stopped.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.bench.baselines import COPY, RECOLOURED  # noqa: E402
from drc.bench.cases.domain import Case  # noqa: E402
from drc.bench.cases.icons import IconDomain, in_turns  # noqa: E402
from drc.bench.config import BenchConfig  # noqa: E402
from drc.bench.models import DrawingModel, DRCModel, LMMModel  # noqa: E402
from drc.bench.report.summary import indexed  # noqa: E402
from drc.bench.run import run  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.complete.best import best_of, scores_of  # noqa: E402
from drc.instruction import HANDS  # noqa: E402
from drc.model import DRC  # noqa: E402
from scripts.draw_icon_sets import HISTORY, cases_of, hands_of  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.card import table  # noqa: E402

TEST = "sets"
METRICS = {"joint_top1": "both right", "semantic_top1": "meaning", "style_top1": "style", "stroke": "line width"}


class Sets(IconDomain):
    """The concepts of `hands` unseen hands, each hand's from one history."""

    tests = {TEST: "unseen hands, a whole set each"}
    reported = (TEST,)
    unindexed = frozenset(reported)
    hands_asked, coloured, concepts = 12, 6, 24

    def cases(self, test: str, limit: int) -> list[Case]:
        hands = hands_of(self, self.hands_asked, self.coloured)
        return in_turns(cases_of(self, hand, self.concepts) for hand in hands)[:limit]

    def gallery(self, test: str) -> list[int]:
        asked = {self.record(case.target).meaning for case in self.cases(test, self.hands_asked * self.concepts)}
        return [row for meaning in sorted(asked) for row in self.by_meaning[meaning]]


class Candidates:
    """Drawings of what a batch asks for, each drawn once, whoever asks; `drawing` and `choosing` are seconds so far."""

    def __init__(self, model: DrawingModel):
        self.model, self.drawn, self.drawing, self.choosing = model, {}, 0.0, 0.0

    def of(self, candidate: int, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        """Codes [B, N]."""
        key, model, started = (candidate, *seeds), self.model, time.perf_counter()
        if key not in self.drawn:
            style, meaning = list(map(model.drc.style, history)), model.meaning(reference, words)
            its_seeds = [seed + candidate for seed in seeds]
            how = *model.strengths, its_seeds, model.sampling
            self.drawn[key] = model.drc.draw(style, *meaning, *how, as_codes=True)
            self.drawing += time.perf_counter() - started
        return self.drawn[key]


class Best(LMMModel):
    """The best of `count` drawings by the model's own likelihoods."""

    def __init__(self, candidates: Candidates, count: int):
        model = candidates.model
        super().__init__(model.lmm, model.sampling, model.digest, f"{model.key}, best of {count}")
        self.candidates, self.count = candidates, count

    def draw_squares(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        drc, asked = self.candidates.model.drc, (history, reference, words, seeds)
        codes = torch.stack([self.candidates.of(number, *asked) for number in range(self.count)], dim=1)  # [B, n, N]
        started = time.perf_counter()
        semantics, texts = self.candidates.model.meaning(reference, words)
        best = [
            best_of(scores_of(drc, some, drc.style(one), meaning, texts)) if self.count > 1 else 0
            for some, one, meaning in zip(codes, history, semantics, strict=True)
        ]
        self.candidates.choosing += time.perf_counter() - started
        return drc.lmm.detokenize(codes[torch.arange(len(codes)), best])


def models_of(drc: DRC, config: BenchConfig, counts: Sequence[int]) -> tuple[dict[str, LMMModel], Candidates]:
    dials = *config.dials.strengths, config.sampling
    candidates = Candidates(DrawingModel(drc, *dials, HANDS))
    models = {"by reference": DRCModel(drc, *dials)}
    return models | {f"by word, best of {count}": Best(candidates, count) for count in counts}, candidates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    for name in ("data", "packages"):
        parser.add_argument(f"--{name}", type=Path, default=ROOT / "build" / name)
    parser.add_argument("--evaluator", type=Path, default=ROOT / "build" / "evaluator" / "evaluator.safetensors")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sets")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "bench" / "cache")
    parser.add_argument("--hands", type=int, default=Sets.hands_asked)
    parser.add_argument("--concepts", type=int, default=Sets.concepts)
    parser.add_argument("--coloured", type=int, default=Sets.coloured)
    parser.add_argument("--best-of", type=lambda text: list(map(int, text.split(","))), default=[1, 4, 8])
    options = parser.parse_args()
    try:
        domain = Sets.open(options.data)
        domain.hands_asked, domain.coloured, domain.concepts = options.hands, options.coloured, options.concepts
        paths = {name: getattr(options, name) for name in ("data", "packages", "evaluator", "out", "cache")}
        config = BenchConfig(
            models={"by reference": str(options.model)},
            domain="icons",
            histories=(str(HISTORY),),
            limit=options.hands * options.concepts,
            **paths,
        )
        models, candidates = models_of(load(options.model), config, options.best_of)
        with bar("batch") as progress:
            report = run(config, lambda what, done, total: progress(done, total), domain=domain, models=models)
    except ValueError as error:
        sys.exit(str(error))
    numbers = indexed(report.numbers)
    answers = [*models, RECOLOURED, COPY]
    lines = table(["judge", "drawn", *METRICS.values()])
    for judge in config.judges:
        for answer in answers:
            found = [numbers.get((TEST, str(HISTORY), judge, answer, "", "", metric)) for metric in METRICS]
            lines.append(f"| {judge} | {answer} | {' | '.join('-' if one is None else str(one) for one in found)} |")
    print("\n".join(lines))
    if candidates.drawing and max(options.best_of) > 1:
        share = candidates.choosing / candidates.drawing
        print(f"choosing took {share:.2f} of the time that drawing took")


if __name__ == "__main__":
    main()
