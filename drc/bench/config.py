"""The settings of a run of a benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..instruction import Dials
from ..lmm.generate import Sampling
from .cases.domain import check_histories
from .judges import JUDGES
from .judges.efficientnet import EfficientNetJudge
from .judges.evaluator import EvaluatorJudge

ENCODERS = ("clip", "dino", "lpips", "inception")
PATHS = ("models", "lmm", "data", "packages", "evaluator", "out", "cache", "cases", "pictures", *ENCODERS)


@dataclass(frozen=True)
class BenchConfig:
    """What is measured, and how.

    models: files by name, see `models.open_models`; the first is the one in question.
    lmm: the folder of the pretrained model that those of them need which were trained over one.
    tests: of the domain; none: all that its report has.
    histories: see `cases.domain.HISTORIES`; none: all that the domain shows. The first is what the tables are about,
        the others are drawn for `sweep` cases.
    limit: cases of a test.
    candidates: drawn for each case, of which EfficientNet picks one; it is no judge then.
    controls: every DRC model with the history alone and with the reference alone, too.
    by_word: every DRC model with the history and a word in place of the reference, too; icons alone have words.
    by_drawing: every DRC model with the history and what one, two and three hands drew of a word in place of the
        reference, too; in tests of hands that are not in the index of `drc.drawings`.
    gaps: also the loss that a wrong history or reference adds.
    cases: a file of imported cases, in place of a domain; `pictures`: where these lie, if they have moved.
    clip, dino, lpips, inception: what Pigeon's metrics look with, see `scores.encoders`.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    lmm: Path | None = None
    domain: str = "emoji"
    tests: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()
    limit: int = 64
    sweep: int = 16
    dials: Dials = field(default_factory=Dials)
    top_k: int = Sampling.top_k
    top_p: float = Sampling.top_p
    candidates: int = 1
    seed: int = 0
    controls: bool = False
    by_word: bool = False
    by_drawing: bool = False
    gaps: bool = False
    judges: tuple[str, ...] = JUDGES
    data: Path = Path("build/data")
    packages: Path = Path("build/packages")
    evaluator: Path = Path("build/evaluator/evaluator.safetensors")
    out: Path = Path("build/bench/run")
    cache: Path = Path("build/bench/cache")
    cases: Path | None = None
    pictures: Path | None = None
    clip: Path | None = None
    dino: Path | None = None
    lpips: Path | None = None
    inception: Path | None = None

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.dials.temperature, self.top_k, self.top_p)

    @property
    def encoders(self) -> dict[str, Path | None]:
        return {name: getattr(self, name) for name in ENCODERS}

    @property
    def as_pigeon(self) -> bool:
        """Whether Pigeon's metrics are taken: of its own kind of cases, and where something to look with is given."""
        return self.cases is not None or any(self.encoders.values())

    def settings(self) -> dict:
        """What a report says of itself, each value by a name."""
        kept = {}
        for name, value in vars(self).items():
            if name not in PATHS:
                kept |= vars(value) if isinstance(value, Dials) else {name: value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


def check(config: BenchConfig) -> None:
    """ValueError, in one sentence, for settings that do not serve."""
    check_histories(config.histories)
    for name in ("limit", "sweep", "candidates"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}, expected at least 1; raise it")
    if config.candidates > 1 and EfficientNetJudge.name in config.judges:
        raise ValueError(
            f"{EfficientNetJudge.name} picks one of {config.candidates} candidates and must not score it; "
            "give --judges evaluator"
        )
    if config.pictures and not config.cases:
        raise ValueError("pictures is given without cases; give --cases FILE, whose pictures lie there")
    if config.cases and EvaluatorJudge.name in config.judges:
        raise ValueError(
            f"the judge {EvaluatorJudge.name} knows emoji alone and cannot judge imported cases; "
            f"give --judges {EfficientNetJudge.name}"
        )
