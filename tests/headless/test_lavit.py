"""Training over a LaVIT by command, with paths relative to the file, alone and on two processes."""

import shutil
import sys

import pytest
from safetensors.torch import load_file

from drc.checkpoint import load
from drc.train.__main__ import main
from drc.train.checkpoints import WEIGHTS, RunFolder

from .test_processes import SHARDED, assert_all_finished

PLACES = {"lmm": "../models/tiny-lavit", "restyled_views": 1, "steps": 2, "save_every": 2, "validate_every": 2}


@pytest.fixture(scope="module")
def place(tiny_lavit, tmp_path_factory):
    """A folder with a converted LaVIT below models."""
    folder = tmp_path_factory.mktemp("lavit")
    shutil.copytree(tiny_lavit / "drc", folder / "models")
    return folder


@pytest.fixture(scope="module")
def alone(course, command, place):
    """The run folder of stage 1."""
    config = course.write(place / "alone", file="../models/tiny-lavit/lavit.json", samples=2, **PLACES)
    code, out, err = command.run(config, "--cache", course.cache)
    assert code == 0, err
    assert out == f"{place / 'alone' / 'step-000002' / WEIGHTS}\n"
    return place / "alone"


def test_both_stages_with_relative_paths(course, alone, place, monkeypatch, signals):
    settings = PLACES | {"file": f"../alone/step-000002/{WEIGHTS}"}
    assert run_here(course.write(place / "second", 2, **settings), course.cache, monkeypatch) == 0
    file = place / "second" / "step-000002" / WEIGHTS
    assert load(file, lmm=place / "models" / "tiny-lavit").stage == 2


def test_without_the_folder_of_its_lavit(course, alone, place, monkeypatch, signals, capfd):
    settings = PLACES | {"file": f"../alone/step-000002/{WEIGHTS}", "lmm": ""}
    assert run_here(course.write(place / "without", 2, **settings), course.cache, monkeypatch) == 2
    assert "weights.safetensors was trained over 'tiny-lavit', which was not given" in capfd.readouterr().err


def run_here(config, cache, monkeypatch):
    arguments = [config, "--cache", cache, "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["drc.train", *map(str, arguments)])
    return main()


def test_two_processes_that_share_the_weights_out(course, launcher, alone, place):
    config = course.write(place / "two", file="../models/tiny-lavit/lavit.json", **PLACES)

    assert_all_finished(launcher.run(config, **SHARDED))

    records, same = (RunFolder(folder).read_log() for folder in (config.parent, alone))
    for record, other in zip(records, same, strict=True):
        assert all(
            abs(record[name] - other[name]) < 2e-5 for name in record if name.endswith("loss") or name == "tokens"
        )
    tensors, same = (load_file(folder / "step-000002" / WEIGHTS) for folder in (config.parent, alone))
    assert tensors.keys() == same.keys() and any("up.weight" in name for name in tensors)
