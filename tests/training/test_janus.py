"""Towers, fusion and a LoRA learn over a tiny Janus, which itself stays as it was, and shows what it draws."""

import json
import shutil

import pytest
import torch

from drc.checkpoint import load
from drc.lmm.janus.model import JanusLMM
from drc.lmm.lora import is_lora
from drc.train.run import Hooks

from .tiny_training import TinyTraining, Watched, assert_resumes, both_stages, bytes_of, validation_losses

SETTINGS = {"restyled_views": 1, "language_rate": 3e-2, "rate": 3e-2, "lora_rank": 4}


@pytest.fixture(scope="module")
def janus(tiny_janus):
    """Its folder."""
    return tiny_janus / "drc" / "tiny-janus"


@pytest.fixture(scope="module")
def training(janus, root, cache):
    """Trains in a folder, on the examples that come with the nodes."""
    tiny = TinyTraining(janus / "config.json", root / "nodes" / "examples", cache)
    return lambda folder, hooks=None, **settings: tiny.train(folder, hooks, lmm=str(janus), **SETTINGS | settings)


@pytest.fixture(scope="module")
def stages(training, janus, tmp_path_factory):
    """Both stages, one after the other: results and what was watched; also the bytes of the folder before them."""
    before = bytes_of(janus)
    return both_stages(training, tmp_path_factory.mktemp("stages"), steps=16, samples=1), before


@pytest.mark.parametrize("stage", [1, 2])
def test_the_loss_falls(stages, stage):
    losses = validation_losses(stages[0][stage][0])
    assert len(losses) == 2 and losses[0] > losses[1] + 0.01


@pytest.mark.parametrize("stage", [1, 2])
def test_towers_fusion_and_lora_learn_and_nothing_else(stages, janus, stage):
    made, before = stages
    watched = made[stage][1]
    now = dict(watched.trainer.inner.named_parameters())
    changed = {name for name, tensor in now.items() if not torch.equal(tensor, watched.start[name])}
    parts = {name.split(".")[2] for name in changed if name.startswith("drc.disentangler.")}
    assert parts == {"rows", "style_tower", "semantic_tower", "fusion"}
    assert any(is_lora(name) for name in changed)
    assert all(name.startswith("drc.disentangler.") or is_lora(name) for name in changed)
    assert bytes_of(janus) == before


@pytest.mark.parametrize("stage", [1, 2])
def test_samples_are_drawn(stages, stage):
    sheets = stages[0][stage][0].samples
    assert len(sheets) == 2 and all(sheet.std() > 10 for sheet in sheets)


@pytest.mark.parametrize("stage", [1, 2])
def test_its_file_holds_what_was_trained_and_draws(stages, janus, stage):
    result, _ = stages[0][stage]
    assert result.file.stat().st_size < 250_000
    model = load(result.file, lmm=janus).float()
    assert (model.stage, model.config.lmm.kind, model.config.lmm.lora_rank) == (stage, "janus", 4)
    pictures = torch.rand(3, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    drawn = model.draw(pictures[:2], pictures[2:], "a red apple", seeds=(1, 2))
    assert drawn.shape == (2, 8, 8, 3)
    alone = model.draw(pictures[:2], pictures[2:], "a red apple", seeds=(2,))
    torch.testing.assert_close(alone[0], drawn[1])  # a decoder rounds otherwise in another batch
    other = model.semantics(model.tokenize(pictures[:1], "reference")[0])
    assert not torch.equal(other.rows, model.semantics(model.tokenize(pictures[1:2], "reference")[0]).rows)


@pytest.mark.parametrize("stage", [1, 2])
def test_semantics_are_learned_from_what_siglip_sees(training, stages, janus, tmp_path, stage, monkeypatch):
    """Were they learned from codes, it would make no difference that SigLIP sees nothing."""
    start = {} if stage == 1 else {"file": str(stages[0][1][0].file)}
    seen = training(tmp_path / "seen", stage=stage, steps=2, **start).file
    sees = JanusLMM.meaning
    monkeypatch.setattr(JanusLMM, "meaning", lambda lmm, codes: 0 * sees(lmm, codes))
    unseen = training(tmp_path / "unseen", stage=stage, steps=2, **start).file
    seen, unseen = (load(file, lmm=janus).disentangler.state_dict() for file in (seen, unseen))
    tower = [name for name in seen if name.startswith("semantic_tower.")]
    assert tower and not all(torch.equal(seen[name], unseen[name]) for name in tower)


@pytest.mark.parametrize("stage", [1, 2])
def test_resumed_it_ends_in_the_same_bytes(training, stages, tmp_path, stage):
    assert_resumes(training, tmp_path, stage=stage, file=str(stages[0][1][0].file))


def test_in_bfloat16_and_with_recompute(training, tmp_path):
    watched = Watched()
    training(tmp_path / "run", watched, stage=2, start="from nothing", steps=1, precision="bfloat16", recompute=True)
    kinds = {name: tensor.dtype for name, tensor in watched.start.items()}
    for name in ("understanding.aligner.fc1", "language.lm_head.proj_out"):
        assert kinds[f"drc.lmm.{name}.weight"] == torch.bfloat16
    assert all(kind == torch.float32 for name, kind in kinds.items() if is_lora(name) or "disentangler" in name)


def test_settings_of_a_lora_that_is_there_already_are_told(training, stages, tmp_path):
    told = {}
    for rank, alpha in ((4, 16.0), (9, 32.0)):
        hooks = Hooks(on_note=told.setdefault(rank, []).append)
        given = {"stage": 2, "file": str(stages[0][1][0].file), "lora_rank": rank, "lora_alpha": alpha}
        training(tmp_path / str(rank), hooks, steps=1, **given)
    has = "but the model has a LoRA already, which keeps its own"
    assert not any("LoRA" in note for note in told[4])
    assert [note for note in told[9] if "LoRA" in note] == [f"lora_rank is 9, {has}, 4", f"lora_alpha is 32, {has}, 16"]


def test_one_that_is_too_small_is_refused_before_pictures_are_read(janus, root, cache, tmp_path):
    small, read = shutil.copytree(janus, tmp_path / "small"), []
    values = json.loads((small / "config.json").read_text())
    values["text_config"]["max_position_embeddings"] = 100
    (small / "config.json").write_text(json.dumps(values))
    tiny = TinyTraining(small / "config.json", root / "nodes" / "examples", cache)
    with pytest.raises(
        ValueError, match="^text and instruction take .* room for 84 beside the .*; choose a larger Jan"
    ):
        tiny.train(tmp_path / "run", Hooks(on_file=lambda *done: read.append(done)), **SETTINGS)
    assert not read


def test_it_cannot_learn_whole(training, tmp_path):
    with pytest.raises(ValueError, match="^train_language is 'everything', but Janus was pretrained and is too large"):
        training(tmp_path / "run", train_language="everything")
