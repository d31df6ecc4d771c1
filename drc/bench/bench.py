"""The cases of all tests of a run, who answers them, and what judges say of the answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import torch

from ..data.sheet import contact_sheet
from ..train.processes import OneProcess
from ..train.tokenizer import as_images
from .artists import Artist, Chooser, DRCArtist, LMMArtist, Tokeniser
from .baselines import TRUTH, WHITE, baseline_rows
from .config import BenchConfig
from .domain import Domain, in_order
from .drawings import Drawings, Request
from .factors import canvas, factor_scores
from .gaps import measure_gaps
from .judges import EfficientNetJudge, Judge, open_judge
from .metrics import PART, Scorer, Seen
from .notes import CHUNK, Chunk, Notes, chunks_of

Progress = Callable[[str, int, int], None]
CEILING = "the target through the tokeniser"
SHOWN, HISTORY_SHOWN = 16, 8  # cases of a contact sheet, and pictures of their history


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


class Bench:
    """`artists` by name, the first being the one in question; they share the work with those of other processes."""

    def __init__(
        self,
        config: BenchConfig,
        domain: Domain,
        artists: Mapping[str, LMMArtist],
        jury: Sequence[Judge],
        processes: OneProcess | None = None,
        on_progress: Progress | None = None,
    ):
        self.config, self.domain, self.artists = config, domain, artists
        self.processes = processes or OneProcess()
        self.tell = on_progress or (lambda what, done, total: None)
        self.main_history, *self.other_histories = dict.fromkeys(config.histories)
        self.tests = list(dict.fromkeys(config.tests or domain.reported))
        self.cases = {test: domain.cases(test, config.limit) for test in self.tests}
        self.drawings = Drawings(config.out / "drawn", domain, config.seed, self.processes.device)
        self.notes = [Notes(judge, config.cache, self.processes.rank, self.processes.count) for judge in jury]

    @cached_property
    def drawers(self) -> dict[str, Artist]:
        """The artists, or choosers among their candidates."""
        config, device = self.config, self.processes.device
        if config.candidates == 1:
            return dict(self.artists)
        judge = open_judge(EfficientNetJudge.name, config.evaluator, config.packages, self.domain, device)
        return {name: Chooser(artist, judge, config.candidates) for name, artist in self.artists.items()}

    @cached_property
    def ceilings(self) -> dict[str, Artist]:
        """One for every tokeniser that there is among the artists."""
        found = {}
        for name, artist in self.artists.items():
            tokeniser = Tokeniser(artist.lmm)
            found.setdefault(tokeniser.key, (f"{CEILING} of {name}" if found else CEILING, tokeniser))
        return dict(found.values())

    def requests(self, test: str) -> list[Request]:
        """All that is to be drawn for a test."""
        cases = self.cases[test]
        wanted = [Request(name, artist, test, cases) for name, artist in self.ceilings.items()]
        wanted += [Request(name, artist, test, cases, self.main_history) for name, artist in self.drawers.items()]
        some = cases[: self.config.sweep]
        for shown in self.other_histories:
            wanted += [Request(name, artist, test, some, shown) for name, artist in self.drawers.items()]
        return wanted

    def draw(self) -> None:
        """This process's share of the drawings."""
        requests = [request for test in self.tests for request in self.requests(test)]
        batches = [(request, cases) for request in requests for cases in request.batches()]
        batches = batches[self.processes.rank :: self.processes.count]
        for done, (request, cases) in enumerate(batches):
            self.tell("drawing", done, len(batches))
            self.drawings.draw(request, cases)
        self.tell("drawing", len(batches), len(batches))

    def rows(self, test: str) -> tuple[list[int], list[int]]:
        """Every picture that counts in a test: the gallery, which other tests may have, too, and what it lacks."""
        gallery = self.domain.gallery(test)
        return gallery, sorted(set().union(*(case.rows for case in self.cases[test])) - set(gallery))

    def look(self) -> None:
        """This process's share of what judges see in the pictures of the domain."""
        rows = [(notes, part) for notes in self.notes for test in self.tests for part in self.rows(test)]
        done, total = 0, sum(-(-len(some) // CHUNK) for _, some in rows)
        for notes, some in rows:
            for chunk in chunks_of(self.domain, some):
                self.tell("judging what is true", done, total)
                notes.look(chunk)
                done += 1
        self.tell("judging what is true", total, total)

    def compare(self) -> None:
        """This process's share of what judges see in the answers."""
        parts = [(test, notes) for test in self.tests for notes in self.notes]
        for done, (test, notes) in enumerate(parts):
            for answer in self.answers(test, self.seen(test, notes)):
                self.tell("judging what was drawn", done, len(parts))
                for chunk, target in zip(answer.chunks(), self.targets(test, answer), strict=True):
                    if answer.rows is None:
                        notes.look(chunk)
                    notes.compare(chunk, target)
        self.tell("judging what was drawn", len(parts), len(parts))

    def seen(self, test: str, notes: Notes) -> Seen:
        gallery, rest = self.rows(test)
        chunks = chain(chunks_of(self.domain, gallery), chunks_of(self.domain, rest))
        rows = np.array(gallery + rest)
        return Seen(np.sort(rows), notes.features(chunks)[rows.argsort()])

    def targets(self, test: str, answer: Answer) -> Iterator[Chunk]:
        cases = self.cases[test][: len(answer.pictures)]
        return chunks_of(self.domain, [case.target for case in cases])

    def answers(self, test: str, seen: Seen) -> Iterator[Answer]:
        """Ceilings, baselines, then what was drawn; `seen` decides what is nearest."""
        cases, main = self.cases[test], self.main_history
        for name, rows in baseline_rows(self.domain, test, cases, seen).items():
            pictures = self.domain.pictures.read(np.array(rows))
            yield Answer(main, name, pictures, rows)
            if name == TRUTH:
                for request in self.requests(test):
                    if not request.shown:
                        yield Answer(main, request.answer, self.drawings.read(request))
        yield Answer(main, WHITE, np.full_like(pictures, 255))
        for request in self.requests(test):
            if request.shown:
                yield Answer(request.shown, request.answer, self.drawings.read(request))

    def results(self) -> dict:
        """All that was found, as JSON can hold it; see `report`."""
        tests = {}
        for done, test in enumerate(self.tests):
            self.tell("scoring", done, len(self.tests))
            cases, parts = self.cases[test], self.boxes(test)
            tests[test] = {
                "what": self.domain.tests[test],
                "gallery": len(self.domain.gallery(test)),
                "cases": [self.domain.case_name(test, case, ()) for case in cases],
                "meanings": [self.domain.record(case.target).meaning for case in cases],
                "facets": [self.domain.facets(case.target) for case in cases],
                "judges": {notes.judge.name: self.judged(test, notes, parts) for notes in self.notes},
                "gaps": self.gaps(test) if self.config.gaps else {},
            }
        self.tell("scoring", len(self.tests), len(self.tests))
        return {
            "domain": self.domain.name,
            "pictures": self.domain.fingerprint,
            "settings": self.config.settings() | {"tests": self.tests, "histories": list(self.config.histories)},
            "artists": {name: artist.key for name, artist in self.drawers.items()},
            "files": {name: artist.digest for name, artist in self.artists.items()},
            "judges": {notes.judge.name: notes.judge.version for notes in self.notes},
            "tests": tests,
        }

    def boxes(self, test: str) -> Seen | None:
        """The targets of a test and what differs from them in one part alone, as `canvas` sees them."""
        rows = [
            row for case in self.cases[test] for rivals in self.domain.rivals(case.target).values() for row in rivals
        ]
        if not rows:
            return None
        rows = sorted({*rows, *(case.target for case in self.cases[test])})
        vectors = [canvas(as_images(chunk)) for chunk in chunks_of(self.domain, rows)]
        return Seen(np.array(rows), torch.cat(vectors))

    def parts(self, test: str, answer: Answer, boxes: Seen | None) -> dict[str, np.ndarray]:
        """Which parts of style and meaning are right; no judge is asked."""
        if boxes is None:
            return {}
        targets = [case.target for case in self.cases[test][: len(answer.pictures)]]
        rivals = [self.domain.rivals(target) for target in targets]
        found = factor_scores(canvas(as_images(answer.pictures)), boxes, targets, rivals)
        return {f"{PART}{name}": values for name, values in found.items()}

    def judged(self, test: str, notes: Notes, boxes: Seen | None) -> dict[str, dict[str, dict[str, list]]]:
        """History shown -> answer -> metric -> a number for each case."""
        seen, cases = self.seen(test, notes), self.cases[test]
        scorer = Scorer(self.domain, cases, self.domain.gallery(test), seen)
        found: dict[str, dict] = {}
        for answer in self.answers(test, seen):
            chunks = answer.chunks()
            features = notes.features(chunks) if answer.rows is None else seen[answer.rows]
            histories = [case.given(answer.shown) for case in cases[: len(answer.pictures)]]
            numbers = scorer.scores(features, histories) | self.parts(test, answer, boxes)
            if notes.judge.distance:
                pairs = zip(chunks, self.targets(test, answer), strict=True)
                numbers["distance"] = notes.distances(pairs).numpy().round(5)
            found.setdefault(answer.shown, {})[answer.name] = {name: as_json(one) for name, one in numbers.items()}
        return found

    def gaps(self, test: str) -> dict[str, dict[str, float]]:
        """What a wrong history or reference adds to the loss of every DRC model."""
        found, done = {}, set()
        for name, artist in self.artists.items():
            if isinstance(artist, DRCArtist) and id(artist.drc) not in done:
                done.add(id(artist.drc))
                found[name] = measure_gaps(artist.drc, self.domain, self.cases[test], self.main_history)
        return found

    def sheets(self) -> dict[str, np.ndarray]:
        """Contact sheets uint8 [H, W, 3] by name: what was drawn in each test, and what more history does."""
        found = {}
        for test in self.tests:
            requests = [request for request in self.requests(test) if request.shown]
            mains = [request for request in requests if request.shown == self.main_history]
            found[test] = self.sheet(test, {request.answer: request for request in mains}, SHOWN, HISTORY_SHOWN)
            own = {request.shown: request for request in requests if request.answer == mains[0].answer}
            if len(own) > 1:
                columns = {shown: own[shown] for shown in in_order(own)}
                count = min(SHOWN, len(self.cases[test]), self.config.sweep)
                found[f"{test} histories"] = self.sheet(test, columns, count, 0)
        return found

    def sheet(self, test: str, columns: dict[str, Request], count: int, history: int) -> np.ndarray:
        """A row for each of the first `count` cases: history, reference, what was drawn, truth."""
        cases, rows = self.cases[test][:count], []
        history = min(history, max(len(case.given(self.main_history)) for case in cases))
        drawn = [self.drawings.read(request, count) for request in columns.values()]
        for index, case in enumerate(cases):
            rows_shown = [*case.given(self.main_history)[:history], case.reference, case.target]
            *given, reference, truth = self.domain.pictures.read(np.array(rows_shown))
            given += [None] * (history - len(given))
            rows.append([*given, reference, *(pictures[index] for pictures in drawn), truth])
        heads = ["history", *[""] * history][:history] + ["reference", *columns, "truth"]
        names = [next(iter(self.domain.facets(case.target).values())) for case in cases]
        return contact_sheet(rows, heads, names, cell=72, gap=6)


def as_json(values: np.ndarray) -> list[int | float | None]:
    """Whole numbers without a point, nothing for nan."""
    return [None if np.isnan(value) else int(value) if value == int(value) else float(value) for value in values]
