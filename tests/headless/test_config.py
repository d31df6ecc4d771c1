"""CONFIG.toml: what is written is what is read, and whatever does not fit is said in one sentence."""

import dataclasses
import sys
from pathlib import Path

import pytest

from drc.train.checkpoints import TrainingError
from drc.train.config import CHOICES, Config, DataConfig, ModelConfig, TrainingConfig, read_config

TABLES = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
FIELDS = [(name, field) for name, kind in TABLES.items() for field in dataclasses.fields(kind)]
NEEDED = '[data]\nfolder = "pictures"\n[model]\nfile = "model.safetensors"\n[training]\n'


def another(name: str, value):
    """A value of the same kind that is allowed and not the default."""
    if name in CHOICES:
        return next(choice for choice in CHOICES[name] if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 7
    if isinstance(value, float):
        return value / 3 + 0.01
    if isinstance(value, tuple):
        return value[2:4]
    return f'/a "quoted" \\ folder/\u00fcber/{name}'


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "c.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(TrainingError) as caught:
        read_config(written(folder, text))
    sentence = str(caught.value)
    assert str(folder / "c.toml") in sentence and "\n" not in sentence and not sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(("table", "field"), FIELDS, ids=[f"{table}.{field.name}" for table, field in FIELDS])
def test_every_setting_survives_the_file(tmp_path, table, field):
    config = Config(DataConfig(folder="/pictures"), ModelConfig("/model.safetensors"))
    value = another(field.name, field.default)
    changed = dataclasses.replace(getattr(config, table), **{field.name: value})
    config = dataclasses.replace(config, **{table: changed})

    read = read_config(written(tmp_path, config.to_toml()))

    assert read == config
    assert type(getattr(getattr(read, table), field.name)) is type(field.default)


@pytest.mark.parametrize("name", ["\U0001f3a8", "\U00020bb7", "\u0939\u093f", 'a "quoted"\\name', "\x7f\t\x01"])
def test_a_folder_of_any_name_survives_the_file(tmp_path, name):
    config = Config(DataConfig(folder=f"/pictures/{name}"), ModelConfig(f"/{name}.safetensors"))
    assert read_config(written(tmp_path, config.to_toml())) == config


def test_a_name_that_is_no_text_is_a_sentence():
    with pytest.raises(TrainingError, match="folder is '/pictures/.udce9', a name that is no text") as error:
        Config(DataConfig(folder="/pictures/\udce9")).to_toml()
    assert str(error.value).isprintable()


def test_what_is_left_out_has_its_default(tmp_path):
    config = read_config(written(tmp_path, NEEDED + "steps = 7"))

    assert config.training == TrainingConfig(steps=7)
    assert dataclasses.replace(config.data, folder="") == DataConfig()


def test_a_whole_number_is_a_number(tmp_path):
    rate = read_config(written(tmp_path, NEEDED + "rate = 1")).training.rate

    assert rate == 1.0 and isinstance(rate, float)


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    inner = tmp_path / "inner"
    inner.mkdir()
    written(inner, NEEDED.replace('"pictures"', '"../pictures"\ntable = "labels.csv"'))
    monkeypatch.chdir(tmp_path)

    config = read_config(Path("inner/c.toml"))

    assert config.data.folder == str(tmp_path / "pictures")
    assert config.data.table == "labels.csv"  # lies in the folder of the pictures
    assert config.model.file == str(inner / "model.safetensors")


def test_an_editor_may_put_a_mark_before_the_text(tmp_path):
    assert read_config(written(tmp_path, "\ufeff" + NEEDED)).training == TrainingConfig()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("steps = true", "steps in [training] is True, expected a whole number"),
        ("steps = 10.0", "steps in [training] is 10.0, expected a whole number"),
        ('steps = "10"', "steps in [training] is '10', expected a whole number"),
        ("rate = false", "rate in [training] is False, expected a number"),
        ("recompute = 1", "recompute in [training] is 1, expected true or false"),
        ("sampling = 3", "sampling in [training] is 3, expected text"),
        ("speed = 3", "speed in [training] is no setting; choose one of stage, steps"),
        ('sampling = "random"', "sampling is 'random', expected one of 'difficulty-aware', 'static', 'uniform'"),
        ("stage = 3", "stage is 3, expected one of 1, 2"),
        ("steps = 0", "steps is 0, expected 1 or more"),
        ("seed = -1", "seed is -1, expected 0 or more"),
        ("rate = nan", "rate is nan, expected 0 or more"),
        ("rate = inf", "rate is inf, expected 0 or more"),
        ("drop_style = 1.5", "drop_style is 1.5, expected 0 to 1"),
        ("steps = ", "is not a readable TOML file"),
        ("[modle]", "has modle, expected the tables data, model, training"),
        ("\n[data.restylings]", "restylings in [data] is {}, expected a list of texts"),
    ],
)
def test_a_setting_that_does_not_fit(tmp_path, setting, expected):
    text = NEEDED + setting
    if "data." in setting:
        text = NEEDED.replace("[model]", setting.strip() + "\n[model]")
    assert expected in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data = 3", "data is 3, expected a table; write [data] on a line of its own"),
        ("steps = 3", "has steps, expected the tables"),
        (NEEDED.replace('"pictures"', '"pictures"\nrestylings = [1]'), "restylings in [data] is [1], expected a list"),
        (NEEDED.replace('"pictures"', '""'), "folder in [data] is empty, expected the path of the pictures"),
        ('[data]\nfolder = "pictures"', "file in [model] is empty, expected the path of a DRC model"),
        (NEEDED.encode() + "# \u00fc".encode("latin-1"), "is not a readable TOML file"),
        (b"\x00\x01\x02", "is not a readable TOML file"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path, text, expected):
    assert expected in complaint(tmp_path, text)


def test_no_file(tmp_path):
    with pytest.raises(TrainingError, match=r"none\.toml is not a readable TOML file .*No such file"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(TrainingError, match="is not a readable TOML file"):
        read_config(tmp_path)


def test_a_python_that_cannot_read_toml(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tomllib", None)
    monkeypatch.setitem(sys.modules, "tomli", None)

    assert complaint(tmp_path, NEEDED).endswith("pip install tomli")
