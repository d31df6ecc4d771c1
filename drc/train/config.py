"""What a training can be told: the settings that a node makes, that CONFIG.toml holds, and that scripts give.

Plain values and their defaults alone, so that the nodes' widgets are made from them before anything heavy is imported.
"""

import dataclasses
import math
from dataclasses import dataclass, field

from ..data.augment import Augmentations
from ..data.repaint import FAMILIES
from ..parsing import brief
from ..seeds import SEEDS
from .errors import TrainingError

SOURCES = ("folder", "emoji benchmark", "icon matrix")
PAIRINGS = ("automatic", "labels", "restyle", "neighbours")
STARTS = ("from the model", "from nothing")
LANGUAGES = ("automatic", "everything", "LoRA", "frozen")
SAMPLINGS = ("difficulty-aware", "static", "uniform")
PRECISIONS = ("automatic", "bfloat16", "float32")
CHOICES = {
    "source": SOURCES,
    "pairing": PAIRINGS,
    "start": STARTS,
    "train_language": LANGUAGES,
    "sampling": SAMPLINGS,
    "precision": PRECISIONS,
    "code_precision": PRECISIONS,
    "stage": (1, 2),
}
SECOND_VIEW = 0.5  # share of the cases whose reference is seen in two styles, where nobody says otherwise


@dataclass(frozen=True)
class Pairing:
    """How pairs are made of a folder's pictures. `restylings` are names of families of `drc.data.repaint`; without
    `augmentations` references are seen as they are."""

    pairing: str = "automatic"
    restylings: tuple[str, ...] = FAMILIES
    restyled_views: int = 12
    own_share: float = 0.5  # of targets that are pictures as they are
    validation_share: float = 0.1
    pair_seed: int = 0
    augmentations: Augmentations | None = None

    @property
    def fingerprint(self) -> str:
        """What tells one pairing from another; checkpoints hold a hash of these very words."""
        return (
            f"Pairing(pairing={self.pairing!r}, restylings={self.restylings!r}, "
            f"restyled_views={self.restyled_views!r}, own_share={self.own_share!r}, "
            f"validation_share={self.validation_share!r}, "
            f"augmentations={self.augmentations!r}, seed={self.pair_seed!r})"
        )


@dataclass(frozen=True)
class DataConfig(Pairing):
    """Where the pictures are; `pattern` filters file names, see `drc.data.folder.scan`."""

    source: str = "folder"
    folder: str = ""
    table: str = ""
    pattern: str = "*"


@dataclass(frozen=True)
class ModelConfig:
    """The model that a training starts from. `start` "from nothing" keeps its tokeniser, words and sizes alone, and a
    pretrained language model.

    The towers and the fusion network always learn. A language model that was pretrained learns through a LoRA or not at
    all; the embedded one, which was not, learns whole: so it is when train_language is automatic. `lmm` is the folder
    of the set that a `file` trained over a pretrained model needs.
    """

    file: str = ""
    start: str = "from the model"
    train_language: str = "automatic"
    lmm: str = ""
    lora_rank: int = 8
    lora_alpha: float = 16.0


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: AdamW with a linear warm-up and a cosine decay to a twentieth."""

    steps: int
    rate: float
    warm_up: int = 100
    weight_decay: float = 0.02
    gradient_norm: float = 1.0
    average: float = 0.998
    seed: int = 0
    save_every: int = 200
    log_every: int = 20
    validate_every: int = 400
    patience: int = 0  # validations without a better one after which the training ends; 0: never

    def factor_at(self, step: int) -> float:
        """What every rate is multiplied with."""
        decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps)))
        return min(1.0, (step + 1) / self.warm_up) * decay


BLANKING = {1: {"all_blank": 0.5, "some_blank": 0.3}, 2: {"all_blank": 0.2, "some_blank": 0.4}}
"""By stage: in stage 1 the instruction must be worth reading before neighbours are."""


@dataclass(frozen=True)
class Conditioning:
    """How often conditions are dropped, masked or blanked; our choices (METHOD.md, 4 and 5)."""

    drop_style: float = 0.10
    drop_semantics: float = 0.05
    drop_both: float = 0.05
    keep_text: float = 0.3
    text_alone: float = 0.10  # text without reference
    mask: float = 0.3  # share of samples whose semantic rows are masked, by a ratio of U(0, 1)
    all_blank: float = BLANKING[2]["all_blank"]
    some_blank: float = BLANKING[2]["some_blank"]


@dataclass(frozen=True)
class TrainingConfig(Schedule, Conditioning):
    """How it learns. `rate` is that of towers, fusion and auxiliary head, `language_rate` that of the language model.

    micro_batch: samples that go through the model at once, 0: as many as are quickest, see `machine.memory.QUICKEST`;
        memory, not the result, depends on it.
    second_view, mirrored: how training batches are disturbed, see `drc.train.data.batches.Batches`; validation's never
        are.
    instructions_first: share of the steps in which the language model reads a quarter of a doubled batch.
    recompute: forget the language model's activations and compute them again: less memory, more time.
    code_precision: what pictures are turned into codes in; in bfloat16, several times as quick where the machine
        multiplies in it, a few codes are others that are nearly as near.
    compile: fuse the losses by torch's compiler, which needs a C++ compiler: quicker steps after a slow first one.

    all_blank, some_blank, log_every and sampling_warm_up follow from stage and steps where nobody says otherwise.
    """

    stage: int = 1
    steps: int = 200
    batch: int = 16
    rate: float = 2e-4
    language_rate: float = 2e-4
    warm_up: int = 20
    save_every: int = 100
    log_every: int = None
    validate_every: int = 100
    samples: int = 4
    history: int = 6
    second_view: float = SECOND_VIEW
    mirrored: bool = True
    sampling: str = "difficulty-aware"
    sampling_warm_up: int = None
    instructions_first: float = 0.0
    all_blank: float = None
    some_blank: float = None
    micro_batch: int = 0
    recompute: bool = False
    precision: str = "automatic"
    code_precision: str = "float32"
    compile: bool = False

    def __post_init__(self):
        follow = {"log_every": max(1, min(20, self.steps // 10)), "sampling_warm_up": min(200, self.steps // 5)}
        for name, value in (follow | BLANKING.get(self.stage, {})).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Config:
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


AT_LEAST_1 = ("steps", "batch", "save_every", "log_every", "validate_every", "warm_up", "history", "lora_rank")
MOST = {
    "batch": 2**16, "micro_batch": 2**16, "history": 2**10, "samples": 2**10, "lora_rank": 2**10,
    "restyled_views": 2**10, "steps": 2**31, "save_every": 2**31, "log_every": 2**31, "validate_every": 2**31,
    "warm_up": 2**31, "sampling_warm_up": 2**31, "patience": 2**31,
    "seed": SEEDS - 1, "pair_seed": SEEDS - 1,
}  # fmt: skip
"""What is built one by one, or counted, has an end; far beyond what anybody trains with."""
SHARES = (
    "own_share", "validation_share", "average", "second_view", "instructions_first", "drop_style", "drop_semantics",
    "drop_both", "keep_text", "text_alone", "mask", "all_blank", "some_blank",
)  # fmt: skip


def check(config, where: str = "") -> None:
    """TrainingError for a value out of range."""
    for one in dataclasses.fields(config):
        value = getattr(config, one.name)
        if value is None:  # what follows from another that does not fit
            continue
        if one.name in CHOICES and value not in CHOICES[one.name]:
            choices = ", ".join(map(repr, CHOICES[one.name]))
            raise TrainingError(
                f"{where}{one.name} is {brief(repr(value))}, expected one of {choices}; choose one of them"
            )
        if isinstance(value, (int, float)) and not 0 <= value < math.inf:  # also true of what is not a number
            raise TrainingError(f"{where}{one.name} is {value}, expected 0 or more; correct it")
        if one.name in SHARES and value > 1:
            raise TrainingError(f"{where}{one.name} is {value}, expected 0 to 1; correct it")
        if one.name in MOST and value > MOST[one.name]:
            raise TrainingError(f"{where}{one.name} is {value}, expected at most {MOST[one.name]}; correct it")
        if one.name in AT_LEAST_1 and value < 1:
            raise TrainingError(f"{where}{one.name} is {value}, expected 1 or more; correct it")
