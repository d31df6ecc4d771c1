"""The settings of one training, as a node makes them and as CONFIG.toml holds them: three tables of plain values."""

import dataclasses
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_origin, get_type_hints

from ..data.augment import Augmentations
from ..data.repaint import FAMILIES
from ..seeds import SEEDS
from ..settings import brief
from .batches import SECOND_VIEW
from .checkpoints import TrainingError
from .conditioning import Conditioning
from .importance import SAMPLINGS
from .loop import Schedule
from .objectives import INSTRUCTIONS_FIRST
from .pairs import PAIRINGS, Pairing
from .precision import PRECISIONS

SOURCES = ("folder", "emoji benchmark")
STARTS = ("from the model", "from nothing")
LANGUAGES = ("automatic", "everything", "LoRA", "frozen")
CHOICES = {
    "source": SOURCES,
    "pairing": PAIRINGS,
    "start": STARTS,
    "train_language": LANGUAGES,
    "sampling": SAMPLINGS,
    "precision": PRECISIONS,
    "stage": (1, 2),
}


@dataclass(frozen=True)
class DataConfig:
    """Where the pictures are and how they are paired; `pattern` filters file names, see `drc.data.folder.scan`."""

    source: str = "folder"
    folder: str = ""
    table: str = ""
    pattern: str = "*"
    pairing: str = "automatic"
    restylings: tuple[str, ...] = FAMILIES
    restyled_views: int = 12
    own_share: float = 0.5
    validation_share: float = 0.1
    pair_seed: int = 0
    augment: bool = False
    crop: float = 0.0
    colour: float = 0.0
    grey: float = 0.0
    blur: float = 0.0
    rotate: float = 0.0
    mirror: float = 0.0

    def pairing_of(self) -> Pairing:
        shared = {name.name: getattr(self, name.name) for name in dataclasses.fields(Augmentations)}
        return Pairing(
            self.pairing,
            self.restylings,
            self.restyled_views,
            self.own_share,
            self.validation_share,
            Augmentations(**shared) if self.augment else None,
            self.pair_seed,
        )


def with_augmentations(data: DataConfig, augmentations: Augmentations | None) -> DataConfig:
    if augmentations is None:
        return data
    return dataclasses.replace(data, augment=True, **dataclasses.asdict(augmentations))


@dataclass(frozen=True)
class ModelConfig:
    """The model that a training starts from. `start` "from nothing" keeps its tokeniser, words and sizes alone, and a
    pretrained language model.

    The towers and the fusion network always learn. A language model that was pretrained learns through a LoRA or not at
    all; the embedded one, which was not, learns whole: so it is when train_language is automatic. `lmm` is the folder
    of the converted set that a `file` trained over a pretrained model needs.
    """

    file: str = ""
    start: str = "from the model"
    train_language: str = "automatic"
    lmm: str = ""
    lora_rank: int = 8
    lora_alpha: float = 16.0


@dataclass(frozen=True)
class TrainingConfig:
    """How it learns. `rate` is that of towers, fusion and auxiliary head, `language_rate` that of the language model.

    micro_batch: samples that go through the model at once, 0: as many as are quickest, see `drc.train.run.QUICKEST`;
        memory, not the result, depends on it.
    second_view, mirrored: how training batches are disturbed, see `drc.train.batches.Batches`; validation's never are.
    instructions_first: share of the steps in which the language model reads a quarter of a doubled batch.
    recompute: forget the language model's activations and compute them again: less memory, more time.
    """

    stage: int = 1
    steps: int = 1000
    batch: int = 32
    rate: float = 1e-3
    language_rate: float = 1e-3
    warm_up: int = 100
    weight_decay: float = 0.02
    gradient_norm: float = 1.0
    average: float = 0.998
    seed: int = 0
    save_every: int = 200
    log_every: int = 20
    validate_every: int = 400
    patience: int = 0
    samples: int = 4
    history: int = 6
    second_view: float = SECOND_VIEW
    mirrored: bool = True
    sampling: str = "difficulty-aware"
    sampling_warm_up: int = 200
    instructions_first: float = INSTRUCTIONS_FIRST
    drop_style: float = 0.10
    drop_semantics: float = 0.05
    drop_both: float = 0.05
    keep_text: float = 0.3
    text_alone: float = 0.10
    mask: float = 0.3
    all_blank: float = 0.2
    some_blank: float = 0.4
    micro_batch: int = 0
    recompute: bool = False
    precision: str = "automatic"

    def schedule(self) -> Schedule:
        return Schedule(**{name.name: getattr(self, name.name) for name in dataclasses.fields(Schedule)})

    def conditioning(self) -> Conditioning:
        return Conditioning(**{name.name: getattr(self, name.name) for name in dataclasses.fields(Conditioning)})


@dataclass(frozen=True)
class Config:
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_toml(self) -> str:
        """Every value, so that the file says all; TrainingError for a name that no text can hold."""
        lines = []
        for name, table in dataclasses.asdict(self).items():
            lines += [f"[{name}]", *(f"{key} = {toml_of(key, value)}" for key, value in table.items()), ""]
        return "\n".join(lines)


def toml_of(name: str, value) -> str:
    """JSON's strings, numbers and lists are TOML's, too, but for letters as two halves, and for one that stays bare."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise TrainingError(f"{name} is {value!a}, a name that is no text and cannot be written down; rename it")
    return text


MOST_BYTES = 2**16  # of the file, which takes time in the square of its tables
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
KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list of texts"}
TABLES = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}


def read_config(path: Path) -> Config:
    """The settings in a TOML file; what it leaves out has its default, but for the pictures and the model.

    A relative path in it is relative to the folder that the file lies in. TrainingError names what does not fit.
    """
    tables = read_toml(path)
    unknown = tables.keys() - TABLES.keys()
    if unknown:
        raise TrainingError(
            f"{path} has {brief(min(unknown))}, expected the tables {', '.join(TABLES)}; correct its name"
        )
    config = Config(**{name: table_of(kind, tables.get(name, {}), name, path) for name, kind in TABLES.items()})

    def found(name: str, value: str, what: str) -> str:
        if not value:
            raise TrainingError(f"{path}: {name} is empty, expected the path of {what}; fill it in")
        return os.path.abspath(path.parent / value)

    data = dataclasses.replace(config.data, folder=found("folder in [data]", config.data.folder, "the pictures"))
    model = dataclasses.replace(config.model, file=found("file in [model]", config.model.file, "a DRC model"))
    if model.lmm:
        model = dataclasses.replace(model, lmm=os.path.abspath(path.parent / model.lmm))
    return dataclasses.replace(config, data=data, model=model)


def read_toml(path: Path) -> dict:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        try:
            import tomli as tomllib
        except ImportError as error:
            raise TrainingError(f"{path} needs Python 3.11, or tomli beside 3.10; pip install tomli") from error
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes, expected at most {MOST_BYTES}")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark before the text
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(
            f"{path} is not a readable TOML file ({brief(error, 200)}); write it with a training node"
        ) from error


def table_of(kind: type, values: dict, name: str, path: Path):
    if not isinstance(values, dict):
        raise TrainingError(
            f"{path}: {name} is {brief(repr(values))}, expected a table; write [{name}] on a line of its own"
        )
    types = get_type_hints(kind)
    settings = {}
    for key, value in values.items():
        where = f"{path}: {brief(key)} in [{name}]"
        if key not in types:
            raise TrainingError(f"{where} is no setting; choose one of {', '.join(types)}")
        expected = get_origin(types[key]) or types[key]
        if not fits(value, expected):
            raise TrainingError(f"{where} is {brief(repr(value))}, expected {KINDS[expected]}; correct it")
        settings[key] = expected(value)
    config = kind(**settings)
    check(config, f"{path}: ")
    return config


def fits(value, expected: type) -> bool:
    """Whether a value from a TOML file is of a setting's type; whole numbers are numbers, true and false are none."""
    if expected is tuple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return expected is bool
    if isinstance(value, int) and abs(value) >= 2**128:  # no number of any kind here
        return False
    return isinstance(value, (int, float) if expected is float else expected)


def check(config, where: str = "") -> None:
    """TrainingError for a value out of range."""
    for one in dataclasses.fields(config):
        value = getattr(config, one.name)
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
