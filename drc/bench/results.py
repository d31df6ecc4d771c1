"""All that a run found, as JSON can hold it; `report.summary` says what is in it."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch

from ..pixels import from_pixels
from ..progress import OnPart, Tell
from .answers import Answer, Answers
from .baselines import BASELINES
from .judges.cache import FeatureCache, chunks_of
from .judges.judge import Seen
from .models import DRCModel
from .plan import Plan
from .report.summary import MODELS
from .scores.encoders import digests
from .scores.factors import canvas, factor_scores
from .scores.hand import HandScorer
from .scores.metrics import PART
from .scores.pigeon import Networks, Sample, protocol
from .scores.retrieval import Scorer
from .scores.sensitivity import sensitivity


def results_of(
    plan: Plan,
    answers: Answers,
    caches: Sequence[FeatureCache],
    tell: Tell,
    networks: Networks | None = None,
) -> dict:
    """With Pigeon's metrics where there are networks for them."""
    tests, hand = {}, HandScorer(plan.domain) if plan.domain.is_drawn else None
    for done, test in enumerate(plan.tests):
        tell("scoring", done, len(plan.tests))
        tests[test] = of_test(plan, answers, caches, test, hand, partial(tell, "scoring", done, len(plan.tests)))
        if networks:
            tests[test]["protocol"] = as_pigeon(answers, answers.seen(test, caches[0]), test, networks, tell)
    tell("scoring", len(plan.tests), len(plan.tests))
    return {
        "domain": plan.domain.name,
        "pictures": plan.domain.fingerprint,
        "settings": plan.config.settings() | {"domain": plan.domain.name, "tests": plan.tests},
        MODELS: {name: model.key for name, model in plan.drawing.items()},
        "files": {name: model.digest for name, model in plan.models.items()},
        "judges": {cache.judge.name: cache.judge.version for cache in caches},
        "tests": tests,
    } | ({"encoders": digests(plan.config.encoders)} if networks else {})


def of_test(
    plan: Plan,
    answers: Answers,
    caches: Sequence[FeatureCache],
    test: str,
    hand: HandScorer | None,
    on_answer: OnPart,
) -> dict:
    domain, cases, boxes = plan.domain, plan.cases[test], boxes_of(plan, test)
    facets = [domain.facets(case.target) for case in cases]
    families = {"families": [one["family"] for one in facets]} if domain.is_drawn else {}
    return families | {
        "what": domain.tests[test],
        "gallery": len(domain.gallery(test)),
        "cases": [domain.case_name(test, case, ()) for case in cases],
        "meanings": [domain.record(case.target).meaning for case in cases],
        "facets": facets,
        "judges": {cache.judge.name: judged(plan, answers, cache, test, boxes, hand, on_answer) for cache in caches},
        "gaps": sensitivities(plan, test) if plan.config.gaps else {},
    }


def judged(
    plan: Plan,
    answers: Answers,
    cache: FeatureCache,
    test: str,
    boxes: Seen | None,
    hand: HandScorer | None,
    on_answer: OnPart,
) -> dict[str, dict[str, dict[str, list]]]:
    """History shown -> answer -> metric -> a number for each case."""
    seen, cases = answers.seen(test, cache), plan.cases[test]
    scorer = Scorer(plan.domain, cases, plan.domain.gallery(test), seen)
    found: dict[str, dict] = {}
    for answer in answers.of(test, seen):
        on_answer()
        chunks = answer.chunks()
        features = cache.features(chunks) if answer.rows is None else seen[answer.rows]
        histories = [case.given(answer.shown) for case in cases[: len(answer.pictures)]]
        numbers = scorer.scores(features, histories) | parts(plan, test, answer, boxes)
        if hand is not None:
            numbers |= hand.scores(answer.pictures, histories)
        if cache.judge.distance:
            pairs = zip(chunks, answers.targets(test, answer), strict=True)
            numbers["distance"] = cache.distances(pairs).numpy().round(5)
        found.setdefault(answer.shown, {})[answer.name] = {name: as_json(one) for name, one in numbers.items()}
    return found


def as_pigeon(answers: Answers, seen: Seen, test: str, networks: Networks, tell: Tell) -> dict[str, dict[str, float]]:
    """Answer to the main history -> Pigeon's metrics."""
    plan = answers.plan
    found, total = {}, len(BASELINES) + len(plan.ceilings) + len(plan.drawing) + 1
    for answer in answers.of(test, seen):
        if answer.shown == plan.main_history:
            tell(f"measuring {test} as Pigeon does", len(found), total)
            found[answer.name] = protocol(samples(plan, test, answer), networks)
    tell(f"measuring {test} as Pigeon does", total, total)
    return found


def samples(plan: Plan, test: str, answer: Answer) -> Iterator[Sample]:
    """Pictures as the models see them."""
    domain = plan.domain
    for case, drawn in zip(plan.cases[test], answer.pictures, strict=True):
        rows = [case.target, *case.given(answer.shown)]
        target, *history = domain.pictures.read(np.array(rows))
        caption, *captions = map(domain.caption, rows)
        yield Sample(drawn, target, history, caption, tuple(captions))


def boxes_of(plan: Plan, test: str) -> Seen | None:
    """The targets of a test and what differs from them in one part alone, as `canvas` sees them."""
    targets = [case.target for case in plan.cases[test]]
    rows = {row for target in targets for rivals in plan.domain.rivals(target).values() for row in rivals}
    if not rows:
        return None
    rows = sorted({*rows, *targets})
    vectors = [canvas(from_pixels(chunk)) for chunk in chunks_of(plan.domain, rows)]
    return Seen(np.array(rows), torch.cat(vectors))


def parts(plan: Plan, test: str, answer: Answer, boxes: Seen | None) -> dict[str, np.ndarray]:
    """Which parts of style and meaning are right; no judge is asked."""
    if boxes is None:
        return {}
    targets = [case.target for case in plan.cases[test][: len(answer.pictures)]]
    rivals = [plan.domain.rivals(target) for target in targets]
    found = factor_scores(canvas(from_pixels(answer.pictures)), boxes, targets, rivals)
    return {f"{PART}{name}": values for name, values in found.items()}


def sensitivities(plan: Plan, test: str) -> dict[str, dict[str, float]]:
    """What a wrong history or reference adds to the loss of every DRC model."""
    found, done = {}, set()
    for name, model in plan.models.items():
        if isinstance(model, DRCModel) and id(model.drc) not in done:
            done.add(id(model.drc))
            found[name] = sensitivity(model.drc, plan.domain, plan.cases[test], plan.main_history)
    return found


def as_json(values: np.ndarray) -> list[int | float | None]:
    """Whole numbers without a point, nothing for nan."""
    return [None if np.isnan(value) else int(value) if value == int(value) else float(value) for value in values]
