"""One run of a benchmark, from its settings to its report: the same for a node, for `python -m drc.bench` and for many
processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..train.processes import OneProcess
from .artists import LMMArtist, open_artists
from .bench import Bench, Progress
from .config import BenchConfig, check
from .domain import Domain
from .emoji import EmojiDomain
from .judges import Judge, open_jury
from .posters import PosterDomain
from .report import Report

DOMAINS = {domain.name: domain for domain in (EmojiDomain, PosterDomain)}


def open_domain(name: str, folder: Path) -> Domain:
    """The domain of this name, built in a folder; ValueError, in one sentence, where it is not."""
    if name not in DOMAINS:
        raise ValueError(f"domain {name} was asked for, expected out of {', '.join(DOMAINS)}; choose among them")
    return DOMAINS[name].open(folder)


def run(
    config: BenchConfig,
    on_progress: Progress | None = None,
    processes: OneProcess | None = None,
    domain: Domain | None = None,
    artists: Mapping[str, LMMArtist] | None = None,
    jury: Sequence[Judge] | None = None,
) -> Report | None:
    """Measures, writes the report into `config.out` and returns it; None on every process but the first.

    Domain, artists and jury are those of the settings unless they are given. `on_progress(what, done, total)` is told
    of every batch and may raise to stop; what was drawn and judged is kept, and the same call goes on from there.
    Raises ValueError, in one sentence, for settings or files that do not serve.
    """
    processes = processes or OneProcess()
    with processes.together():
        check(config)
        domain = domain or open_domain(config.domain, config.data)
        if artists is None:
            models, device = config.models, processes.device
            artists = open_artists(models, config.strengths, config.sampling, config.controls, device)
        jury = jury or open_jury(config.judges, config.evaluator, config.packages, domain, processes.device)
        bench = Bench(config, domain, artists, jury, processes, on_progress)
    for share in (bench.draw, bench.look, bench.compare):  # each needs what all processes did before
        with processes.together():
            share()
    if not processes.main:
        return None
    report = Report(bench.results(), bench.sheets())
    report.write(config.out)
    return report
