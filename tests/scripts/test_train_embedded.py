"""The script that trains the embedded model: what it begins with, and that it trains as CONFIG.toml does."""

import argparse
import json
import os
import shlex
import subprocess

import pytest

from drc.train.checkpoints import WEIGHTS, RunFolder
from drc.train.config_file import read_config
from drc.train.run import train as train_here
from scripts import train_embedded
from scripts.lib.tiny import CONFIG, write_tiny

# What the script sets otherwise than a node: it begins from nothing and takes thousands of steps.
FROM_NOTHING = """
rate = 0.001
language_rate = 0.001
warm_up = 100
instructions_first = 0.4
log_every = 20
validate_every = 400
samples = 0
"""


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
    starts = {1: options.out / "base.safetensors", 2: RunFolder(options.out / "stage1").last(WEIGHTS)}
    for stage, start in starts.items():
        by_script = RunFolder(options.out / f"stage{stage}").last(WEIGHTS)
        by_hand = train_here(
            read_config(by_toml(options, stage, start)), options.out / f"toml{stage}", options.out / "cache"
        )
        assert by_hand.step == 2 and by_hand.file.read_bytes() == by_script.read_bytes()
        assert by_script.read_bytes() != start.read_bytes()


def by_toml(options, stage, start):
    file = options.out / f"stage{stage}.toml"
    model = {1: 'start = "from nothing"', 2: ""}[stage]
    training = {1: "", 2: "history = 8"}[stage]
    file.write_text(
        f"[data]\nsource = 'emoji benchmark'\nfolder = {json.dumps(str(options.data))}\nown_share = 0.35\n"
        f"[model]\nfile = {json.dumps(str(start))}\n{model}\n"
        f"[training]\nstage = {stage}\nsteps = 2\nbatch = 2\nprecision = 'float32'\n{FROM_NOTHING}{training}\n"
    )
    return file
