"""The trainings that the model card compares."""

import pytest
import torch

from drc.checkpoint import load
from drc.train.run import Hooks
from scripts.compare_ablations import VARIANTS, one_tower


def towers(file) -> list[dict[str, torch.Tensor]]:
    disentangler = load(file).disentangler
    return [disentangler.style_tower.state_dict(), disentangler.semantic_tower.state_dict()]


def test_one_tower_survives_training_saving_and_going_on(tiny_training, tmp_path):
    hooks = Hooks(place=one_tower)
    tiny_training.train(tmp_path / "1", hooks, stage=1, steps=2, start="from nothing")
    first = tiny_training.train(tmp_path / "1", hooks, stage=1, steps=4, start="from nothing").file  # resumed
    second = tiny_training.train(tmp_path / "2", hooks, stage=2, file=str(first)).file
    for file in (first, second):
        style, semantics = towers(file)
        assert all(torch.equal(style[name], semantics[name]) for name in style)
    assert not all(torch.equal(*pair) for pair in zip(towers(first)[0].values(), style.values(), strict=True))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_one_thing(name):
    variant, shipped = VARIANTS[name], VARIANTS["as shipped"]
    changed = [key for key in ("config", "training", "place") if getattr(variant, key) != getattr(shipped, key)]
    assert len(changed) == (name not in ("as shipped", "entangled"))
