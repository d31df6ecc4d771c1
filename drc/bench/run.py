"""One run of a benchmark, from its settings to its report: the same for a node, for `python -m drc.bench` and for many
processes."""

from collections.abc import Callable, Mapping, Sequence

from ..progress import Tell
from ..train.machine.processes import OneProcess
from .answers import Answers
from .cases import open_cases, open_domain
from .cases.domain import Domain
from .config import BenchConfig, check
from .generated import Generated
from .judges import open_judges
from .judges.cache import CHUNK, FeatureCache, chunks_of
from .judges.judge import Judge
from .models import LMMModel, open_models
from .plan import Plan
from .report.report import Report
from .report.sheets import sheets
from .results import results_of
from .scores.encoders import open_networks
from .scores.pigeon import Networks


class Run:
    """What one process does of a run. `shares` are done in their order, each after all processes did the one before."""

    def __init__(
        self,
        config: BenchConfig,
        domain: Domain,
        models: Mapping[str, LMMModel],
        judges: Sequence[Judge],
        processes: OneProcess | None = None,
        on_progress: Tell | None = None,
        networks: Networks | None = None,
    ):
        self.processes, self.networks = processes or OneProcess(), networks
        self.tell = on_progress or (lambda what, done, total: None)
        self.plan = Plan(config, domain, models, self.processes.device)
        self.generated = Generated(config.out / "drawn", domain, config.seed, self.processes.device)
        self.answers = Answers(self.plan, self.generated)
        rank, count = self.processes.rank, self.processes.count
        self.caches = [FeatureCache(judge, config.cache, rank, count) for judge in judges]

    def shares(self) -> tuple[Callable[[], None], ...]:
        return self.draw, self.judge_truth, self.judge_answers

    def draw(self) -> None:
        requests = [request for test in self.plan.tests for request in self.plan.requests(test)]
        batches = [(request, cases) for request in requests for cases in request.batches()]
        batches = batches[self.processes.rank :: self.processes.count]
        for done, (request, cases) in enumerate(batches):
            self.tell("drawing", done, len(batches))
            self.generated.draw(request, cases)
        self.tell("drawing", len(batches), len(batches))

    def judge_truth(self) -> None:
        """What judges see in the pictures of the domain."""
        rows = [(cache, part) for cache in self.caches for test in self.plan.tests for part in self.plan.rows(test)]
        done, total = 0, sum(-(-len(some) // CHUNK) for _, some in rows)
        for cache, some in rows:
            for chunk in chunks_of(self.plan.domain, some):
                self.tell("judging what is true", done, total)
                cache.look(chunk)
                done += 1
        self.tell("judging what is true", total, total)

    def judge_answers(self) -> None:
        """What judges see in the answers, and how far these are from the truth."""
        parts = [(test, cache) for test in self.plan.tests for cache in self.caches]
        for done, (test, cache) in enumerate(parts):
            for answer in self.answers.of(test, self.answers.seen(test, cache)):
                self.tell("judging what was drawn", done, len(parts))
                for chunk, target in zip(answer.chunks(), self.answers.targets(test, answer), strict=True):
                    self.tell("judging what was drawn", done, len(parts))
                    if answer.rows is None:
                        cache.look(chunk)
                    cache.compare(chunk, target)
        self.tell("judging what was drawn", len(parts), len(parts))

    def report(self) -> Report:
        """After all shares."""
        results = results_of(self.plan, self.answers, self.caches, self.tell, self.networks)
        return Report(results, sheets(self.plan, self.generated))


def run(
    config: BenchConfig,
    on_progress: Tell | None = None,
    processes: OneProcess | None = None,
    domain: Domain | None = None,
    models: Mapping[str, LMMModel] | None = None,
    judges: Sequence[Judge] | None = None,
) -> Report | None:
    """Measures, writes the report into `config.out` and returns it; None on every process but the first.

    Domain, models and judges are those of the settings unless they are given. `on_progress(what, done, total)` is told
    of every batch and may raise to stop; what was drawn and judged is kept, and the same call goes on from there.
    Raises ValueError, in one sentence, for settings or files that do not serve.
    """
    processes = processes or OneProcess()
    with processes.together():
        check(config)
        if domain is None:
            cases = config.cases
            domain = open_cases(cases, config.pictures) if cases else open_domain(config.domain, config.data)
        if models is None:
            ways = config.dials.strengths, config.sampling, config.controls, config.by_word, config.by_drawing
            models = open_models(config.models, *ways, processes.device, config.lmm)
        judges = judges or open_judges(config.judges, config.evaluator, config.packages, domain, processes.device)
        wanted = config.as_pigeon and processes.main
        networks = open_networks(**config.encoders, device=processes.device) if wanted else None
        whole = Run(config, domain, models, judges, processes, on_progress, networks)
    for share in whole.shares():
        with processes.together():
            share()
    if not processes.main:
        return None
    report = whole.report()
    report.write(config.out)
    return report
