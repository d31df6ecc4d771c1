"""`python -m drc.train CONFIG.toml`: a user's whole training, from files to a file, without ComfyUI."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drc.checkpoint import load
from drc.data.augment import Augmentations
from drc.train.__main__ import main
from drc.train.checkpoints import RunFolder
from drc.train.config_file import read_config
from drc.train.run import Hooks
from scripts.lib.environment import ROOT

from .conftest import Command, bytes_of, environment, finish, names_in, timeless, wait_for


def test_from_the_folder_of_an_installed_pack(course, tmp_path):
    """With relative paths, which are those of the file, and in an environment that ComfyUI is no part of."""
    pack = tmp_path / "custom_nodes" / "drc"
    shutil.copytree(ROOT / "drc", pack / "drc", ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    run = tmp_path / "output" / "drc" / "run_00001"
    course.write(run, folder="pictures", file="../tiny.safetensors", samples=2)
    shutil.copytree(ROOT / "nodes" / "examples", run / "pictures")
    shutil.copy(course.model, run.parent / "tiny.safetensors")
    host = "import importlib.util as u; print([u.find_spec(n) for n in ('comfy', 'folder_paths', 'server')])"
    python = Command().python
    found = subprocess.run([python, "-c", host], cwd=pack, env=environment(), capture_output=True, text=True)
    assert found.stdout == "[None, None, None]\n"

    code, out, err = Command(pack).run(run / "config.toml")

    assert code == 0, err
    assert out == f"{run / 'step-000010' / 'weights.safetensors'}\n"
    assert load(Path(out.strip())).about.step == 10
    pictures = {f"pictures/{name}" for name in names_in(ROOT / "nodes" / "examples")}
    checkpoints = {
        f"step-{step:06d}{name}" for step in (5, 10) for name in ("", "/weights.safetensors", "/state.safetensors")
    }
    others = {"config.toml", "log.jsonl", "samples", "samples/step-000005.png", "samples/step-000010.png", "pictures"}
    assert names_in(run) == pictures | checkpoints | others
    assert [path.suffix for path in (run.parent / "cache").iterdir()] == [".safetensors"]
    assert read_config(run / "config.toml").data.folder == str(run / "pictures")
    assert "Traceback" not in err and re.search(r"pictures turned into codes: 100%.* 72/72 \[\d\d:\d\d<00:00, ", err)
    assert re.search(r" steps: +0%.* 0/10 .*\n(.*\n)*.* steps: 100%.* 10/10 ", err) and "\r" not in err


def test_ctrl_c_keeps_the_step_and_a_second_start_goes_on(course, command, launcher, tmp_path):
    """The second one without accelerate."""
    config, run = course.write(tmp_path / "c", steps=24, save_every=1000), tmp_path / "run"
    process = launcher.start(config, "--out", run)
    wait_for(lambda: " step 3 " in process.log.read_text(), process)
    os.kill(process.pid, signal.SIGINT)
    ((code, said),) = finish([process])

    assert code == 130
    assert "Traceback" not in said
    assert said.endswith("Stopped; start it again and it goes on where it was.\n")
    (step,) = RunFolder(run).steps()
    assert 3 <= step < 24

    code, out, err = command.run(config, "--out", run, "--cache", course.cache)

    assert code == 0, err
    assert f"resumed {run} at step {step}" in err
    course.train(config, tmp_path / "undisturbed")
    assert bytes_of(run, 24) == bytes_of(tmp_path / "undisturbed", 24)
    assert timeless(run) == timeless(tmp_path / "undisturbed")


def test_an_error_is_a_sentence_and_no_traceback(command, tmp_path):
    code, out, err = command.run(tmp_path / "none.toml")

    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith(f"{tmp_path / 'none.toml'} is not a readable TOML file")
    assert err.endswith("; write it with a training node.\n")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"steps": 0}, "steps is 0, expected 1 or more; correct it."),
        ({"folder": "none"}, "none', which is not there; give a folder with pictures."),
        ({"folder": "damaged"}, "1 picture left out, first picture.png: "),
        ({"file": "none.safetensors"}, "none.safetensors is not a readable safetensors file"),
        ({"file": "damaged.safetensors"}, "damaged.safetensors is not a readable safetensors file"),
        ({"folder": "."}, "give another with --out."),
        ({"pairing": "labels"}, "pairing is 'labels', but no label"),
        ({"restylings": ("none",)}, "restylings names 'none'"),
        ({"rate": 1e30, "language_rate": 1e30}, "; lower the learning rate."),
        ({"source": "emoji benchmark"}, "the emoji benchmark is not built"),
        ({"source": "icon matrix"}, "the icon matrix is not built"),
    ],
)
def test_errors(course, tmp_path, capfd, monkeypatch, signals, settings, expected):
    """In this process, as there are many."""
    (tmp_path / "run" / "damaged").mkdir(parents=True)
    (tmp_path / "run" / "damaged" / "picture.png").write_bytes(b"no picture")
    (tmp_path / "run" / "damaged.safetensors").write_bytes(b"no model")
    pattern = {"pattern": "*"} if settings.get("folder") == "damaged" else {}
    config = course.write(tmp_path / "run", **settings, **pattern)

    assert run_here(config, course.cache, monkeypatch) == 2

    out, err = capfd.readouterr()
    sentence = [line for line in err.splitlines() if line and not line[:4].isdigit()]  # but for the lines of the log
    assert len(sentence) == 1 and expected in sentence[0] and sentence[0].endswith(".")
    assert out == ""


def test_a_folder_that_cannot_be_made(course, tmp_path, capfd, monkeypatch, signals):
    (tmp_path / "file").write_text("no folder")
    config = course.write(tmp_path / "c")

    assert run_here(config, course.cache, monkeypatch, "--out", tmp_path / "file") == 2

    assert f"{tmp_path / 'file'} cannot be read or written: File exists.\n" in capfd.readouterr().err


def test_a_run_that_is_complete_gives_what_was_learned(course, tmp_path, capfd, monkeypatch, signals):
    config = course.write(tmp_path / "run", steps=1)
    trained = course.train(config, tmp_path / "run")

    assert run_here(config, course.cache, monkeypatch) == 0

    assert capfd.readouterr().out.splitlines()[-1] == str(trained.file)


def test_settings_with_which_nothing_is_learned(course, tmp_path, capfd, monkeypatch, signals):
    config = course.write(tmp_path / "run", rate=0.0)

    assert run_here(config, course.cache, monkeypatch) == 2

    assert "rate is 0, with which nothing is learned; set it to 0.0001 or so." in capfd.readouterr().err


def run_here(config: Path, cache: Path, monkeypatch, *arguments) -> int:
    arguments = [config, "--cache", cache, "--device", "cpu", *arguments]
    monkeypatch.setattr(sys, "argv", ["drc.train", *map(str, arguments)])
    return main()


class Interruption(BaseException):
    """As Ctrl-C is one."""


@pytest.mark.parametrize("stage", [1, 2])
def test_forty_steps_are_twenty_and_twenty(course, launcher, tmp_path, stage):
    crops = Augmentations(0.5, 0.0, 0.0, 0.0, 0.0, 0.0) if stage == 2 else None
    config = course.write(
        tmp_path / "c", stage, steps=40, save_every=15, log_every=7, validate_every=20, augmentations=crops
    )
    course.train(config, tmp_path / "whole")

    def stop(trainer) -> None:
        if trainer.step == 20:
            raise Interruption

    with pytest.raises(Interruption):
        course.train(config, tmp_path / "halves", Hooks(on_step=stop))
    assert RunFolder(tmp_path / "halves").steps() == [15, 20]

    ((code, said),) = launcher.run(config, "--out", tmp_path / "halves", count=1)

    assert code == 0, said
    assert bytes_of(tmp_path / "halves", 40) == bytes_of(tmp_path / "whole", 40)
    assert timeless(tmp_path / "halves") == timeless(tmp_path / "whole")
