"""A sharper decoder: it learns from pixels and from a critic, and codes stay what they were."""

import pytest
import torch
from torch import nn

from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.train.checkpoints import RunFolder
from drc.train.loop import Schedule, Trainer, plainly
from drc.train.sharpen import DecoderObjective
from drc.train.tokenizer import picture_loss
from scripts.lib.tiny import CONFIG


@pytest.fixture
def objective():
    torch.manual_seed(0)
    tokenizer = VisualTokenizer(CONFIG.lmm.vision).requires_grad_(False)
    tokenizer.decoder.requires_grad_(True)
    return DecoderObjective(tokenizer, torch.float32)


@pytest.fixture
def pictures():
    size = CONFIG.lmm.vision.image_size
    return nn.functional.interpolate(torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(1)), size)


def gradients(objective, codes, pictures, voice):
    objective.zero_grad()
    loss, _ = objective(codes, pictures, voice)
    loss.backward()
    return {name: p.grad.clone() for name, p in objective.named_parameters() if p.grad is not None}


def test_each_learns_from_its_own_loss(objective, pictures):
    codes = objective.tokenizer.encode(pictures)
    silent, loud = (gradients(objective, codes, pictures, voice) for voice in (0.0, 1.0))
    objective.zero_grad()
    vectors = nn.functional.normalize(objective.tokenizer.codebook(codes), dim=-1)
    grid = CONFIG.lmm.vision.grid
    picture_loss(objective.tokenizer.decoder(vectors.transpose(1, 2).unflatten(2, (grid, grid))), pictures).backward()
    for name, parameter in objective.tokenizer.decoder.named_parameters():
        assert torch.allclose(silent[f"tokenizer.decoder.{name}"], parameter.grad, atol=1e-6)
        assert not torch.allclose(loud[f"tokenizer.decoder.{name}"], parameter.grad, atol=1e-6)
    for name in (name for name in loud if name.startswith("critic.")):
        assert torch.equal(silent[name], loud[name])


def test_it_learns_and_pictures_keep_their_codes(objective, pictures, tmp_path):
    codes = objective.tokenizer.encode(pictures)
    trainer = Trainer(objective, Schedule(steps=60, rate=3e-3, warm_up=5, gradient_norm=1e3), RunFolder(tmp_path))
    trainer.run(plainly(objective, 0, lambda model, step: model(codes, pictures, 0.0)))
    rows = trainer.run_folder.read_log()
    assert rows[-1]["psnr"] > rows[0]["psnr"] + 0.5 and rows[-1]["critic"] < rows[0]["critic"] / 2
    assert torch.equal(objective.tokenizer.encode(pictures), codes)
