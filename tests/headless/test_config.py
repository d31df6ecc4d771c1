"""CONFIG.toml: what is written is what is read, and whatever does not fit is said in one sentence."""

import dataclasses
import sys
from pathlib import Path

import pytest

from drc.data.augment import Augmentations
from drc.train.config import CHOICES, Config, DataConfig, ModelConfig, TrainingConfig
from drc.train.config_file import read_config, to_toml
from drc.train.errors import TrainingError

TABLES = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
FIELDS = [(name, field) for name, kind in TABLES.items() for field in dataclasses.fields(kind)]
NEEDED = '[data]\nfolder = "pictures"\n[model]\nfile = "model.safetensors"\n[training]\n'

FIRST_VERSION = """
[data]
source = "folder"
folder = "/pictures"
table = ""
pattern = "*"
pairing = "labels"
restylings = ["line", "neon"]
restyled_views = 3
own_share = 0.25
validation_share = 0.2
pair_seed = 7
augment = true
crop = 0.5
colour = 0.0
grey = 0.25
blur = 0.0
rotate = 1.0
mirror = 0.0

[model]
file = "/model.safetensors"
start = "from the model"
train_language = "automatic"
lmm = ""
lora_rank = 4
lora_alpha = 16.0

[training]
stage = 2
steps = 9
batch = 8
rate = 0.01
language_rate = 0.001
warm_up = 100
weight_decay = 0.02
gradient_norm = 1.0
average = 0.998
seed = 0
save_every = 200
log_every = 3
validate_every = 400
patience = 0
samples = 4
history = 6
second_view = 0.5
mirrored = false
sampling = "difficulty-aware"
sampling_warm_up = 1
instructions_first = 0.4
drop_style = 0.1
drop_semantics = 0.05
drop_both = 0.05
keep_text = 0.3
text_alone = 0.1
mask = 0.3
all_blank = 0.5
some_blank = 0.4
micro_batch = 0
recompute = false
precision = "automatic"
code_precision = "float32"
"""


def another(name: str, value):
    """A value of the same kind that is allowed and not the default."""
    if name == "augmentations":
        return Augmentations(crop=0.3)
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
    value = another(field.name, getattr(TABLES[table](), field.name))
    changed = dataclasses.replace(getattr(config, table), **{field.name: value})
    config = dataclasses.replace(config, **{table: changed})

    read = read_config(written(tmp_path, to_toml(config)))

    assert read == config
    assert type(getattr(getattr(read, table), field.name)) is type(value)


@pytest.mark.parametrize("name", ["\U0001f3a8", "\U00020bb7", "\u0939\u093f", 'a "quoted"\\name', "\x7f\t\x01"])
def test_a_folder_of_any_name_survives_the_file(tmp_path, name):
    config = Config(DataConfig(folder=f"/pictures/{name}"), ModelConfig(f"/{name}.safetensors"))
    assert read_config(written(tmp_path, to_toml(config))) == config


def test_a_name_that_is_no_text_is_a_sentence():
    with pytest.raises(TrainingError, match="folder is '/pictures/.udce9', a name that is no text") as error:
        to_toml(Config(DataConfig(folder="/pictures/\udce9")))
    assert str(error.value).isprintable()


def test_what_is_left_out_has_its_default(tmp_path):
    config = read_config(written(tmp_path, NEEDED + "steps = 7"))

    assert config.training == TrainingConfig(steps=7)
    assert dataclasses.replace(config.data, folder="") == DataConfig()


def test_a_file_of_the_first_version_says_the_same_today(tmp_path):
    data = DataConfig(
        "labels", ("line", "neon"), 3, 0.25, 0.2, 7, Augmentations(0.5, 0.0, 0.25, 0.0, 1.0, 0.0), folder="/pictures"
    )
    model = ModelConfig("/model.safetensors", lora_rank=4)
    training = TrainingConfig(
        steps=9,
        rate=0.01,
        language_rate=0.001,
        warm_up=100,
        save_every=200,
        log_every=3,
        validate_every=400,
        stage=2,
        batch=8,
        mirrored=False,
        sampling_warm_up=1,
        instructions_first=0.4,
        all_blank=0.5,
        some_blank=0.4,
    )
    assert read_config(written(tmp_path, FIRST_VERSION)) == Config(data, model, training)


def test_augmentations_that_are_off_are_none(tmp_path):
    off = FIRST_VERSION.replace("augment = true", "augment = false")
    assert read_config(written(tmp_path, off)).data.augmentations is None
    wrong = FIRST_VERSION.replace("rotate = 1.0", "rotate = 1.5")
    assert complaint(tmp_path, wrong).endswith("the augmentation rotate is 1.5, expected 0 (off) to 1; choose another")


def test_stage_and_steps_decide_what_is_left_out(tmp_path):
    first, second = (read_config(written(tmp_path, f"{NEEDED}stage = {stage}")).training for stage in (1, 2))
    assert (first.all_blank, first.some_blank, second.all_blank, second.some_blank) == (0.5, 0.3, 0.2, 0.4)
    short = read_config(written(tmp_path, NEEDED + "steps = 30\nsome_blank = 0.1")).training
    assert (short.log_every, short.sampling_warm_up, short.all_blank, short.some_blank) == (3, 6, 0.5, 0.1)


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
