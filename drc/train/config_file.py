"""CONFIG.toml: the settings of one training as three tables of plain values."""

import dataclasses
import inspect
import json
import os
from pathlib import Path
from typing import get_origin, get_type_hints

from .. import parsing
from ..data.augment import Augmentations
from ..files import bytes_of
from ..parsing import brief
from .config import Config, DataConfig, ModelConfig, TrainingConfig, check
from .errors import TrainingError

MOST_BYTES, MOST_DOTS = 2**16, 2**9  # of the file, and of a line; dotted names take time in the third power of them
KINDS = parsing.KINDS | {tuple: "a list of texts"}
TABLES = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}


AUGMENT = "augment"  # whether there are augmentations; their strengths are keys of the same table


def to_toml(config: Config) -> str:
    """Every value, so that the file says all; TrainingError for a name that no text can hold."""
    lines = []
    for name in TABLES:
        values = keys_of(getattr(config, name))
        lines += [f"[{name}]", *(f"{key} = {toml_of(key, value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def keys_of(table) -> dict[str, object]:
    """The values of a table by key, those that it does not inherit first."""
    own, every = inspect.get_annotations(type(table)), [field.name for field in dataclasses.fields(table)]
    values = {name: getattr(table, name) for name in dict.fromkeys((*own, *every))}
    if "augmentations" in values:
        chosen = values.pop("augmentations")
        strengths = dict.fromkeys(get_type_hints(Augmentations), 0.0) if chosen is None else dataclasses.asdict(chosen)
        values |= {AUGMENT: chosen is not None, **strengths}
    return values


def toml_of(name: str, value) -> str:
    """JSON's strings, numbers and lists are TOML's, too, but for letters as two halves, and for one that stays bare."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise TrainingError(f"{name} is {value!a}, a name that is no text and cannot be written down; rename it")
    return text


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
        text = bytes_of(path, MOST_BYTES).decode("utf-8-sig")  # some editors put a mark before it
        if (dots := max(line.count(".") for line in text.split("\n"))) > MOST_DOTS:
            raise ValueError(f"a line with {dots} dots, expected at most {MOST_DOTS}")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrainingError(
            f"{path} is not a readable TOML file ({brief(error, 200)}); write it with a training node"
        ) from error


def table_of(kind: type, values: dict, name: str, path: Path):
    if not isinstance(values, dict):
        raise TrainingError(
            f"{path}: {name} is {brief(repr(values))}, expected a table; write [{name}] on a line of its own"
        )
    types, settings = get_type_hints(kind) | get_type_hints(Augmentations) | {AUGMENT: bool}, {}
    for key, value in values.items():
        where = f"{path}: {brief(key)} in [{name}]"
        if key not in (keys := keys_of(kind())):
            raise TrainingError(f"{where} is no setting; choose one of {', '.join(keys)}")
        expected = get_origin(types[key]) or types[key]
        if not fits(value, expected):
            raise TrainingError(f"{where} is {brief(repr(value))}, expected {KINDS[expected]}; correct it")
        settings[key] = expected(value)
    if kind is DataConfig:
        settings = with_augmentations(settings, path)
    config = kind(**settings)
    check(config, f"{path}: ")
    return config


def with_augmentations(settings: dict, path: Path) -> dict:
    """Those of a table, with the strengths of augmentations as one."""
    strengths = {name: settings.pop(name) for name in get_type_hints(Augmentations) if name in settings}
    try:
        augmentations = Augmentations(**strengths)
    except ValueError as error:
        raise TrainingError(f"{path}: {error}") from error
    return settings | {"augmentations": augmentations if settings.pop(AUGMENT, False) else None}


def fits(value, expected: type) -> bool:
    """Whether a value from a TOML file is of a setting's type; whole numbers are numbers, true and false are none."""
    if expected is tuple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return expected is bool
    if isinstance(value, int) and abs(value) >= 2**128:  # no number of any kind here
        return False
    return isinstance(value, (int, float) if expected is float else expected)
