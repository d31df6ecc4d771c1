"""The decoder trained alone: pictures change, codes do not."""

import torch

from drc.checkpoint import load
from scripts import train_embedded
from scripts.lib.decoder import MISTAKEN, NEIGHBOURS, DecoderObjective
from scripts.lib.tiny import write_tiny


def test_only_the_decoder_changes_and_the_script_goes_on_where_it_was(train, tmp_path, monkeypatch):
    monkeypatch.setattr(train_embedded, "PerceptualDistance", lambda packages: torch.nn.L1Loss())
    weights = write_tiny(tmp_path / "start.safetensors")
    before = load(weights).state_dict()
    train("decoder", steps=2)
    train("decoder", steps=3)
    assert (tmp_path / "decoder" / "step-000003").is_dir()
    train("export", stage="decoder")
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
