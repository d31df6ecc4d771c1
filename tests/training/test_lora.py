"""LoRA: the language model learns while its own weights stay, and ships as if it had learned itself."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from drc.checkpoint import load
from drc.lmm.lora import PROJECTIONS, LoRA, add_lora, merge_into, merge_lora
from drc.train.run import Hooks

from .coded_pictures import make_drc
from .tiny_training import assert_resumes


def merged(lora, base):
    return lora.merged(base.weight, lora.down.weight, lora.up.weight)


def test_at_first_nothing_is_added():
    torch.manual_seed(0)
    base, x = nn.Linear(6, 4, bias=False), torch.randn(3, 6)
    lora = LoRA(6, 4, rank=2, alpha=8.0)
    assert not lora(x).any() and torch.equal(merged(lora, base), base.weight)
    nn.init.normal_(lora.up.weight)
    torch.testing.assert_close(lora(x), 4 * x @ lora.down.weight.T @ lora.up.weight.T)
    torch.testing.assert_close(x @ merged(lora, base).T, base(x) + lora(x))


def test_only_queries_and_values_learn():
    language = make_drc().lmm.language
    add_lora(language, 2, 4.0)
    trained = {name for name, p in language.named_parameters() if p.requires_grad}
    layers = range(len(language.model.layers))
    assert trained == {
        f"model.layers.{layer}.self_attn.{name}.{part}.weight"
        for layer in layers
        for name in PROJECTIONS
        for part in ("down", "up")
    }


def test_merged_it_has_the_names_of_a_model_without():
    torch.manual_seed(0)
    lmm, plain = make_drc().lmm, make_drc().lmm
    add_lora(lmm.language, 2, 4.0)
    for name, parameter in lmm.named_parameters():
        if name.endswith("up.weight"):
            nn.init.normal_(parameter, std=0.3)
    embeddings = torch.randn(2, 5, plain.config.width)
    before = plain.language(embeddings)
    plain.load_state_dict(merge_lora(lmm.state_dict(), lmm))
    torch.testing.assert_close(plain.language(embeddings), lmm.language(embeddings), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(plain.language(embeddings), before, atol=1e-2)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
@torch.no_grad()
def test_merged_for_drawing_it_computes_the_same_but_for_rounding(dtype, tolerance):
    torch.manual_seed(0)
    language = make_drc().lmm.language.to(dtype)
    add_lora(language, 2, 4.0)
    for name, parameter in language.named_parameters():
        if name.endswith("up.weight"):
            nn.init.normal_(parameter, std=0.3)
    language.to(dtype)
    embeddings = torch.randn(2, 5, language.config.hidden_size, dtype=dtype)
    beside, looks = language(embeddings), []
    merge_into(language, lambda: looks.append(1))
    within = language(embeddings)
    near = tolerance * beside.float().std().item()
    torch.testing.assert_close(within.float(), beside.float(), atol=near, rtol=tolerance)
    assert not any(isinstance(module, LoRA) for module in language.modules())
    assert len(looks) == len(language.model.layers)


def trained(tiny_training, run, **settings):
    """The last checkpoint, the trainer, and the names of all that moved."""
    seen = {}

    def on_step(trainer):
        seen.setdefault("trainer", trainer)
        seen.setdefault("start", {name: p.detach().clone() for name, p in trainer.inner.named_parameters()})

    result = tiny_training.train(run, Hooks(on_step=on_step), **settings)
    now = dict(seen["trainer"].inner.named_parameters())
    moved = {name for name, tensor in seen["start"].items() if not torch.equal(tensor, now[name])}
    return result, seen["trainer"], moved


def test_a_training_with_lora(tiny_training, tmp_path):
    result, trainer, moved = trained(tiny_training, tmp_path, stage=2, train_language="LoRA", lora_rank=3, rate=0.05)
    language = {name for name in moved if name.startswith("drc.lmm.")}
    assert language and all(name.endswith(("up.weight", "down.weight")) for name in language)
    assert any(name.startswith("drc.disentangler.") for name in moved)
    model, base = load(result.file), load(tiny_training.model)
    shipped, before = model.lmm.state_dict(), base.lmm.state_dict()
    changed = {name for name in shipped if not torch.equal(shipped[name], before[name])}
    assert changed == {name for name in before if name.endswith(tuple(f"{part}.weight" for part in PROJECTIONS))}
    embeddings = torch.randn(2, 7, base.lmm.config.width, generator=torch.Generator().manual_seed(0))
    with trainer.averaged(), torch.no_grad():
        unmerged = trainer.inner.drc.lmm.language(embeddings)
    torch.testing.assert_close(model.lmm.language(embeddings), unmerged, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(base.lmm.language(embeddings), unmerged, atol=1e-4)


def test_it_goes_on_as_if_it_had_never_stopped(tiny_training, tmp_path):
    assert_resumes(tiny_training.train, tmp_path, stage=2, train_language="LoRA")


def test_a_frozen_language_model_ships_as_it_came(tiny_training, tmp_path):
    result, _, moved = trained(tiny_training, tmp_path, stage=1, train_language="frozen")
    assert {name.split(".")[1] for name in moved if name.startswith("drc.")} == {"disentangler"}
    shipped, before = load_file(result.file), load_file(tiny_training.model)
    language = [name for name in before if name.startswith("lmm.")]
    assert language and all(torch.equal(shipped[name], before[name]) for name in language)


def test_language_has_a_rate_of_its_own(tiny_training, tmp_path):
    _, _, moved = trained(tiny_training, tmp_path, stage=2, train_language="LoRA", language_rate=1e-60, steps=2)
    assert moved and not any(name.startswith("drc.lmm.") for name in moved)
