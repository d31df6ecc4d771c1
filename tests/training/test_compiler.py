"""With compile the losses and the fusion network are fused; where nothing can be built, that is one sentence before
anything begins."""

import functools

import pytest
import torch

from drc.train.errors import TrainingError
from drc.train.run import Hooks


def test_what_torch_compiles_are_the_losses_and_the_fusion_network(tiny_training, tmp_path, monkeypatch):
    plain, fused = tiny_training.train(tmp_path / "plain", steps=2), []
    monkeypatch.setattr("drc.train.run.require_compiler", lambda device: fused.append(device.type))
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: fused.append(function.__name__) or function)
    assert tiny_training.train(tmp_path / "fused", steps=2, compile=True).file.read_bytes() == plain.file.read_bytes()
    assert fused == ["cpu", "token_losses", "forward"]


def test_the_compiler_can_follow_them_and_is_told_of(tiny_training, tmp_path, monkeypatch):
    """What it would build from what it followed takes minutes, so that runs as it stands."""
    plain, notes = tiny_training.train(tmp_path / "plain", steps=1), []
    monkeypatch.setattr("drc.train.run.require_compiler", lambda device: None)
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    fused = tiny_training.train(tmp_path / "fused", Hooks(on_note=notes.append), steps=1, compile=True)
    assert [fused.records[0][name] for name in ("loss", "gradient")] == pytest.approx(
        [plain.records[0][name] for name in ("loss", "gradient")], rel=1e-3
    )
    assert notes[:1] == [
        "compile is on: the first step and the first validation take a minute or more longer, as code is built for them"
    ]


def test_without_a_compiler_it_is_one_sentence(tiny_training, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "fresh"))
    sentence = (
        "compile is on, but torch cannot build code on this machine .*; install a C.. compiler, or turn compile off$"
    )
    with pytest.raises(TrainingError, match=f"^{sentence}") as error:
        tiny_training.train(tmp_path / "run", compile=True)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()
