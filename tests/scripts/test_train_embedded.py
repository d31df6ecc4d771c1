"""The script that trains the embedded model: what it begins with, and that it trains as CONFIG.toml does."""

import argparse
import json

import pytest

from drc.train.checkpoints import WEIGHTS, RunFolder
from drc.train.config_file import read_config
from drc.train.run import train
from scripts import train_embedded
from scripts.lib.tiny import write_tiny

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
def starts(monkeypatch):
    """The files that trainings were begun with."""
    found = []
    monkeypatch.setattr(train_embedded, "train", lambda config, *rest, **named: found.append(config.model.file))
    return found


def test_further_goes_on_from_what_it_began_with(options, starts):
    train_embedded.train_further(options)
    options.weights.write_bytes(b"exported")
    train_embedded.train_further(options)
    start = options.out / "further-start.safetensors"
    assert starts == [str(start)] * 2 and start.read_bytes() == b"shipped"


def test_a_complete_run_is_left_alone(options, starts):
    (options.out / "further" / "step-000004").mkdir(parents=True)
    train_embedded.train_further(options)
    assert starts == [] and not (options.out / "further-start.safetensors").exists()


def test_script_and_toml_train_the_same_weights(data, options):
    """And a node the same as a TOML, see tests/nodes/test_training_nodes.py."""
    options.data, options.steps = data, 2
    options.out.mkdir()
    write_tiny(options.out / "base.safetensors", stage=0)
    train_embedded.train_stage1(options)
    train_embedded.train_stage2(options)
    starts = {1: options.out / "base.safetensors", 2: RunFolder(options.out / "stage1").last(WEIGHTS)}
    for stage, start in starts.items():
        by_script = RunFolder(options.out / f"stage{stage}").last(WEIGHTS)
        by_hand = train(
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
