"""The decoder trained alone: pictures change, codes do not."""

import argparse

import torch

from drc.checkpoint import load
from scripts import train_embedded
from scripts.lib.decoder import MISTAKEN, NEIGHBOURS, DecoderObjective
from scripts.lib.tiny import write_tiny


def test_only_the_decoder_changes_and_the_script_goes_on_where_it_was(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train_embedded, "PerceptualDistance", lambda packages: torch.nn.L1Loss())
    weights, named = write_tiny(tmp_path / "start.safetensors"), {"device": "cpu", "packages": None}
    named |= {"batch": 4, "seed": 0, "save_every": 100, "icon_share": 0.6, "aligned": 0.5, "stage": "decoder"}
    options = argparse.Namespace(data=data, out=tmp_path / "out", weights=weights, steps=2, **named)
    before = load(weights).state_dict()
    train_embedded.train_decoder(options)
    options.steps = 3
    train_embedded.train_decoder(options)
    assert (tmp_path / "out" / "decoder" / "step-000003").is_dir()
    train_embedded.export(options)
    after = load(weights).state_dict()
    moved = {name for name, tensor in before.items() if not torch.equal(tensor.half(), after[name].half())}
    assert moved and all(name.startswith("lmm.vision.decoder.") for name in moved)


def test_codes_are_mistaken_for_their_neighbours(tmp_path):
    tokenizer = load(write_tiny(tmp_path / "tiny.safetensors")).lmm.vision
    objective = DecoderObjective(tokenizer, torch.nn.L1Loss())
    torch.manual_seed(0)
    codes = torch.randint(tokenizer.codebook_size, (64, tokenizer.picture_codes))
    wrong = (mistaken := objective.mistake(codes)) != codes
    assert 0 < wrong.float().mean() < MISTAKEN
    assert (~wrong).all(dim=1).any()
    assert all(other in objective.neighbours[code] for code, other in zip(codes[wrong], mistaken[wrong], strict=True))
    assert not (objective.neighbours == torch.arange(len(objective.neighbours))[:, None]).any()
    assert objective.neighbours.shape[1] == NEIGHBOURS
