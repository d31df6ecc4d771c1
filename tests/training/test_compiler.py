"""With compile the losses are fused; where nothing can be built, that is one sentence before anything begins."""

import pytest
import torch

from drc.train.errors import TrainingError


def test_what_torch_compiles_are_the_losses(tiny_training, tmp_path, monkeypatch):
    plain, fused = tiny_training.train(tmp_path / "plain", steps=2), []
    monkeypatch.setattr("drc.train.run.require_compiler", lambda device: fused.append(device.type))
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: fused.append(function.__name__) or function)
    assert tiny_training.train(tmp_path / "fused", steps=2, compile=True).file.read_bytes() == plain.file.read_bytes()
    assert fused == ["cpu", "token_losses"]


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
