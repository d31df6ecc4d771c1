"""The visual tokeniser learns to rebuild pictures, and uses its codes."""

import torch
from torch import nn

from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.train.checkpoints import RunFolder
from drc.train.config import Schedule
from drc.train.loop import Trainer, plainly
from drc.train.objectives import tokenizer as tokenizer_training
from drc.train.objectives.tokenizer import LOOK, TokenizerObjective, picture_loss
from scripts.lib.tiny import CONFIG


def test_tokeniser_learns_and_its_codes_are_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer_training, "FREE_STEPS", 20)
    torch.manual_seed(0)
    images = nn.functional.interpolate(torch.rand(8, 3, 2, 2), CONFIG.lmm.vision.image_size)
    objective = TokenizerObjective(VisualTokenizer(CONFIG.lmm.vision), steps=120)
    trainer = Trainer(objective, Schedule(steps=120, rate=5e-3, warm_up=10, save_every=1000), RunFolder(tmp_path))
    trainer.run(plainly(objective, 0, lambda model, step: model(images, step)))
    records = trainer.run_folder.read_log()
    assert records[-1]["psnr"] > records[1]["psnr"] + 2
    tokenizer = objective.tokenizer
    with torch.no_grad():
        codes = tokenizer.encode(images)
        assert nn.functional.mse_loss(tokenizer.decode(codes), images) < 0.5 * images.var()
    assert len(codes.unique()) > 4


def test_a_resumed_tokeniser_goes_on_as_if_it_had_never_stopped(tmp_path, monkeypatch):
    """Its usage of codes is a buffer, and its random replacements follow from the step."""
    monkeypatch.setattr(tokenizer_training, "FREE_STEPS", 2)
    monkeypatch.setattr(tokenizer_training, "REVIVE_EVERY", 2)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def train(folder, stop_at=None):
        def stop(trainer):
            if trainer.step == stop_at:
                raise KeyboardInterrupt

        torch.manual_seed(0)
        objective = TokenizerObjective(VisualTokenizer(CONFIG.lmm.vision), steps=8)
        trainer = Trainer(objective, Schedule(steps=8, rate=1e-2, warm_up=1), RunFolder(folder))
        trainer.run(plainly(objective, 5, lambda model, step: model(images, step)), stop)
        return (folder / "step-000008" / "state.safetensors").read_bytes()

    straight = train(tmp_path / "straight")
    for stop_at in (1, 5):
        try:
            train(tmp_path / "cut", stop_at)
        except KeyboardInterrupt:
            torch.rand(3)
    assert train(tmp_path / "cut") == straight


def test_colour_counts_more_than_brightness():
    grey = torch.full((1, 3, 8, 8), 0.5)
    lighter = grey + 0.1
    redder = grey.clone()
    redder[:, 0] += 0.1
    assert picture_loss(grey, grey) == 0
    assert picture_loss(redder, grey) > picture_loss(lighter, grey) > 0


def test_what_the_eye_says_counts_beside_the_pixels():
    torch.manual_seed(0)
    images, tokenizer = torch.rand(2, 3, 32, 32), VisualTokenizer(CONFIG.lmm.vision)
    seen = []

    def look(rebuilt, originals):
        seen.append(originals)
        return rebuilt.mean() + 5

    plain, _ = TokenizerObjective(tokenizer, 10)(images, 0)
    loss, numbers = TokenizerObjective(tokenizer, 10, look)(images, 0)
    assert torch.allclose(loss, plain + LOOK * numbers["look"]) and numbers["look"] > 4
    assert torch.equal(seen[0], images) and not numbers["look"].requires_grad
