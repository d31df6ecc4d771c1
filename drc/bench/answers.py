"""Everything that answers the cases of a test: the truth, ceilings, baselines and models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from .baselines import BASELINES, TRUTH, Asked, Pictures, Rows
from .generated import Generated
from .judges.cache import CHUNK, Chunk, FeatureCache, chunks_of
from .judges.judge import Seen
from .plan import Plan


@dataclass(frozen=True)
class Answer:
    """Pictures uint8 [n, S, S, 3] that answer the first n cases of a test, `shown` one of HISTORIES; `rows` where they
    are pictures of the domain."""

    shown: str
    name: str
    pictures: np.ndarray
    rows: Sequence[int] | None = None

    def chunks(self) -> list[Chunk]:
        return [self.pictures[first : first + CHUNK] for first in range(0, len(self.pictures), CHUNK)]


class Answers:
    def __init__(self, plan: Plan, generated: Generated):
        self.plan, self.generated = plan, generated

    def of(self, test: str, seen: Seen) -> Iterator[Answer]:
        """The truth, ceilings, baselines, then what was drawn; `seen` is how a judge saw the pictures of the test."""
        plan = self.plan
        cases, requests = plan.cases[test], plan.requests(test)
        yield self.baseline(TRUTH, [case.target for case in cases])
        for request in requests:
            if not request.shown:
                yield Answer(plan.main_history, request.answer, self.generated.read(request))
        for name, answer in BASELINES.items():
            yield self.baseline(name, answer(Asked(plan.domain, test, cases, seen)))
        for request in requests:
            if request.shown:
                yield Answer(request.shown, request.answer, self.generated.read(request))

    def baseline(self, name: str, found: Rows | Pictures) -> Answer:
        if isinstance(found, np.ndarray):
            return Answer(self.plan.main_history, name, found)
        return Answer(self.plan.main_history, name, self.plan.domain.pictures.read(np.array(found)), found)

    def targets(self, test: str, answer: Answer) -> Iterator[Chunk]:
        """The true pictures of an answer's cases, chunk by chunk like its own."""
        cases = self.plan.cases[test][: len(answer.pictures)]
        return chunks_of(self.plan.domain, [case.target for case in cases])

    def seen(self, test: str, cache: FeatureCache) -> Seen:
        """The domain's pictures that count in a test."""
        gallery, rest = self.plan.rows(test)
        chunks = chain(chunks_of(self.plan.domain, gallery), chunks_of(self.plan.domain, rest))
        rows = np.array(gallery + rest)
        return Seen(np.sort(rows), cache.features(chunks)[rows.argsort()])
