"""The training that goes on from the weights that ship can go on when others ship."""

import argparse

import pytest

from scripts import train_embedded


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
