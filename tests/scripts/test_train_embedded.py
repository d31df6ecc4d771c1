"""The script that trains the embedded model: what it begins with, and that it trains as CONFIG.toml does."""

import argparse
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from drc.train.checkpoints import WEIGHTS, RunFolder
from drc.train.config import Config
from drc.train.config_file import read_config
from drc.train.run import train as train_here
from scripts import train_embedded
from scripts.lib.environment import BUILD
from scripts.lib.recipes import FOLDER, recipe
from scripts.lib.tiny import CONFIG, write_tiny

USUAL = Config()
OF_EVERY_TRAINING = {"source", "folder", "file", "stage", "steps", "batch", "log_every", "sampling_warm_up"}
OF_EVERY_TRAINING |= {"all_blank", "some_blank"}  # these follow from the stage


@pytest.fixture
def options(tmp_path):
    weights, folder = tmp_path / "weights.safetensors", tmp_path / "out"
    weights.write_bytes(b"shipped")
    return argparse.Namespace(
        out=folder, data=tmp_path, weights=weights, steps=4, batch=2, seed=0, precision="float32", compile=False,
        device="cpu", save_every=100, micro_batch=0,
    )  # fmt: skip


@pytest.fixture
def shipped(tmp_path):
    (tmp_path / "start.safetensors").write_bytes(b"shipped")
    return tmp_path / "start.safetensors"


@pytest.fixture
def starts(monkeypatch):
    """The files that trainings were begun with."""
    found = []
    monkeypatch.setattr(train_embedded, "train", lambda config, *rest, **named: found.append(config.model.file))
    return found


def test_further_goes_on_from_what_it_began_with(train, shipped, starts, tmp_path):
    train("further")
    shipped.write_bytes(b"exported")
    train("further")
    start = tmp_path / "further-start.safetensors"
    assert starts == [str(start)] * 2 and start.read_bytes() == b"shipped"


def test_a_complete_run_is_left_alone(train, shipped, starts, tmp_path):
    (tmp_path / "further" / "step-000002").mkdir(parents=True)
    train("further")
    assert starts == [] and not (tmp_path / "further-start.safetensors").exists()


@pytest.fixture
def run_script(root, tmp_path, monkeypatch, in_this_process):
    """Runs train_embedded.sh with small numbers and a Python that writes down what it was called with; then what of it
    is train_embedded.py here, where `options` are. Gives the names of the scripts."""
    monkeypatch.setattr(train_embedded, "CONFIG", CONFIG)

    def run(options):
        calls, python = tmp_path / "calls", tmp_path / "python"
        python.write_text(f'#!/usr/bin/env bash\necho "$@" >> {shlex.quote(str(calls))}\n')
        python.chmod(0o755)
        steps = {f"{stage}_STEPS": "2" for stage in ("TOKENIZER", "STAGE1", "STAGE2", "FURTHER")}
        small = steps | {"PYTHON": str(python), "BATCH": "2", "SHIPPED_TOKENIZER": "1"}
        script = root / "scripts" / "train_embedded.sh"
        subprocess.run(["bash", str(script)], env=os.environ | small, check=True, timeout=60)
        here = [f"--{name}={getattr(options, name)}" for name in ("data", "out", "weights", "precision", "device")]
        called = [line.split() for line in calls.read_text().splitlines()]
        for name, *words in called:
            if name == "scripts/train_embedded.py":
                assert in_this_process(train_embedded, *words, *here)[0] is None
        return [name for name, *_ in called]

    return run


def test_script_and_toml_train_the_same_weights(data, options, run_script):
    """And a node the same as a TOML, see tests/nodes/test_training_nodes.py."""
    options.data = data
    shipped = write_tiny(options.weights).read_bytes()
    assert run_script(options)[:2] == ["scripts/build_emoji.py", "scripts/build_restyled.py"]
    assert options.weights.read_bytes() != shipped
    starts = {"stage1": "base.safetensors", "stage2": "stage1/step-000002/weights.safetensors"}
    for name, start in (starts | {"further": "further-start.safetensors"}).items():
        by_script = RunFolder(options.out / name).last(WEIGHTS)
        config = read_config(by_hand(name, options, options.out / start))
        trained = train_here(config, options.out / f"toml-{name}", options.out / "cache")
        assert trained.step == 2 and trained.file.read_bytes() == by_script.read_bytes()
        assert by_script.read_bytes() != (options.out / start).read_bytes()


def by_hand(name, options, start):
    """A recipe as a user bends it: other places, and smaller."""
    text = (FOLDER / f"{name}.toml").read_text()
    for key, value in {"folder": str(options.data), "file": str(start), "steps": 2, "batch": 2}.items():
        text, count = re.subn(rf"(?m)^{key} = .*", f"{key} = {json.dumps(value)}", text)
        assert count == 1
    file = options.out / f"{name}.toml"
    file.write_text(f"{text}precision = 'float32'\n")
    return file


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)
def test_a_recipe_serves_as_it_is_and_says_what_the_documents_say(root, file):
    """Whatever it says otherwise than a node that is left as it is has its name in docs/rebuilding.md."""
    config, document = read_config(file), (root / "docs" / "rebuilding.md").read_text("utf-8")
    told = document[document.index("scripts/recipes") :]
    assert Path(config.data.folder) == BUILD / "data" and Path(config.model.file).is_relative_to(root)
    for table in ("data", "model", "training"):
        for name, usual in vars(getattr(USUAL, table)).items():
            other = getattr(getattr(config, table), name) != usual
            assert not other or name in OF_EVERY_TRAINING or f"`{name}`" in told, name


def test_the_steps_of_the_script_are_those_of_the_recipes(root):
    text = (root / "scripts" / "train_embedded.sh").read_text()
    for name in ("stage1", "stage2", "further"):
        of = recipe(name)["training"]
        assert f"${{{name.upper()}_STEPS:-{of['steps']}}}" in text and f"${{BATCH:-{of['batch']}}}" in text
