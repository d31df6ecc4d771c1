"""A third large multimodal model with files of its own is a class and a line of the registry."""

import shutil
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from drc import checkpoint
from drc.checkpoint import load, read_header, save
from drc.lmm.lavit.model import LavitConfig
from drc.lmm.lavit.reading import LavitSet, open_set
from drc.lmm.registry import LMMS


@dataclass(frozen=True)
class ThirdConfig(LavitConfig):
    kind: str = "third"
    description: ClassVar = "third.json"

    @staticmethod
    def open_set(folder):
        return ThirdSet(**vars(open_set(folder)))


class ThirdSet(LavitSet):
    def config(self):
        return ThirdConfig(self.sizes, *(getattr(super(ThirdSet, self).config(), name) for name in ("before", "after")))


@pytest.fixture
def description(tiny_lavit, tmp_path, monkeypatch):
    folder = shutil.copytree(tiny_lavit / "drc" / "tiny-lavit", tmp_path / "third")
    monkeypatch.setitem(LMMS, "third", ThirdConfig)
    return shutil.copy(folder / "lavit.json", folder / "third.json")


def test_it_is_loaded_saved_and_loaded_again(description, tmp_path):
    model, lavit = load(description), load(description.with_name("lavit.json"))
    codes = torch.arange(3)
    assert model.config.lmm.kind == "third" and torch.equal(model.lmm.embed(codes), lavit.lmm.embed(codes))
    path = tmp_path / "trained.safetensors"
    save(model, path)
    assert read_header(path)["architecture"] == "drc-third-1"
    again = load(path, lmm=description.parent)
    assert again.config == model.config and torch.equal(again.lmm.embed(codes), lavit.lmm.embed(codes))
    with pytest.raises(ValueError, match="has the sizes of another architecture"):
        checkpoint.words_of(read_header(path) | {"architecture": "drc-lavit-1"}, model.config)
