"""A whole training, from its settings to a model that can be loaded."""

import dataclasses
import logging
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from drc.checkpoint import load, save
from drc.data.augment import Augmentations
from drc.lmm.fused import apart, fused_weights
from drc.lmm.generate import Sampling
from drc.train.checkpoints import STATE
from drc.train.config_file import read_config
from drc.train.data.batches import Batches
from drc.train.errors import TrainingError
from drc.train.run import Hooks
from scripts.lib.tiny import CONFIG, write_tiny

from .tiny_training import PICTURES, USERS, Watched, draw_pictures

PARTS = (
    "lmm.language",
    "lmm.positions",
    "disentangler.rows",
    "disentangler.style_tower",
    "disentangler.semantic_tower",
)
PARTS = {f"drc.{part}." for part in (*PARTS, "disentangler.fusion")} | {"read_out."}


@pytest.mark.parametrize("stage", [1, 2])
def test_what_is_trained_and_what_is_frozen(tiny_training, tmp_path, stage):
    """How a LoRA or a frozen language model goes is told by test_lora.py."""
    hooks = Watched()
    result = tiny_training.train(tmp_path, hooks, stage=stage, steps=2, language_rate=1e-2)
    now = dict(hooks.trainer.inner.named_parameters())
    head, table = now["drc.lmm.language.lm_head.weight"], now["drc.lmm.language.model.embed_tokens.weight"]
    assert [name for name, tensor in now.items() if not tensor.requires_grad] == ["drc.lmm.language.lm_head.weight"]
    assert torch.equal(head, table[: len(head)])  # it looks into the table of inputs
    for part in PARTS:
        moved = [not torch.equal(hooks.start[name], now[name]) for name in now if name.startswith(part)]
        assert any(moved), part
    assert load(result.file).stage == stage


@pytest.mark.parametrize("instructions", [1, 8, 16, 32])
def test_instruction_vectors_whose_cells_divide_the_codes_learn_and_draw(tiny_training, tmp_path, instructions):
    config = dataclasses.replace(
        CONFIG,
        lmm=dataclasses.replace(CONFIG.lmm, vision=dataclasses.replace(CONFIG.lmm.vision, image_size=64)),
        tower=dataclasses.replace(CONFIG.tower, grid=8),
        fusion=dataclasses.replace(CONFIG.fusion, instructions=instructions),
    )
    model = write_tiny(tmp_path / "model.safetensors", seed=1, config=config)  # other codes in the cache
    drc = load(tiny_training.train(tmp_path, file=str(model), stage=2, steps=1, start="from nothing").file)
    codes = torch.randint(CONFIG.lmm.vision.codes, (3, 64))
    instruction = drc.compose(drc.style(codes[:2], torch.ones(2)), drc.semantics(codes[2]))
    assert drc.lmm.draw(instruction, [0], Sampling()).shape == (1, 64)


def test_other_numbers_of_instruction_vectors_are_refused(tiny_training, tmp_path):
    fusion = dataclasses.replace(CONFIG.fusion, instructions=12)
    model = write_tiny(tmp_path / "model.safetensors", config=dataclasses.replace(CONFIG, fusion=fusion))
    with pytest.raises(TrainingError, match="12 instruction vectors, 3 x 4 .*, expected .* divide its 4 x 4 codes"):
        tiny_training.train(tmp_path, file=str(model))


def test_the_disturbances_of_a_training_are_not_those_of_its_validation(tiny_training, tmp_path, monkeypatch):
    given = []
    init = Batches.__init__
    monkeypatch.setattr(Batches, "__init__", lambda *a, **kw: given.append(kw) or init(*a, **kw))
    tiny_training.train(tmp_path, steps=1, second_view=0.25, mirrored=False)
    assert sorted(given, key=len) == [{}, {"second_view_share": 0.25, "mirrored": False}]


def test_the_tokeniser_is_gone_while_the_rest_learns(tiny_training, tmp_path):
    placed = []
    hooks = Watched(
        place=lambda module, device, memory: placed.append((module, memory, dict(module.named_parameters())))
    )
    tiny_training.train(tmp_path, hooks, steps=1, samples=1)
    (vision, encoding, _), (objective, learning, parameters) = placed
    assert type(vision).__name__ == "VisualTokenizer" and encoding > 0 and learning > 0
    assert objective is hooks.trainer.inner and objective.drc.lmm.vision is None
    assert parameters and not any("vision" in name for name in parameters)


def test_the_model_ships_with_its_averages_and_the_tokeniser_as_it_was(tiny_training, tmp_path):
    hooks = Watched()
    result = tiny_training.train(tmp_path, hooks, stage=1, steps=3, rate=0.05)
    model, base, tensors = load(result.file), load(tiny_training.model), load_file(result.file)
    assert (model.stage, model.about.step, model.about.licence) == (1, 3, base.about.licence)
    assert model.words.to_json() == base.words.to_json() and model.config == base.config
    fused = fused_weights(hooks.trainer.model)
    average, last = (apart(one, fused) for one in (hooks.trainer.average, hooks.trainer.named))
    for name, tensor in average.items():
        shipped = tensors[name.removeprefix("drc.")]
        assert torch.equal(shipped, tensor), name
        assert not torch.equal(shipped, last[name].detach()), name
    before = base.lmm.vision.state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.lmm.vision.state_dict().items())
    with torch.no_grad():
        codes = model.lmm.tokenize(torch.rand(1, 3, 32, 32))
        style = model.style(codes, torch.ones(1))
        instruction = model.compose(style, model.semantics(codes[0]), "red apple")
    assert instruction.vectors.isfinite().all()


def test_stage_2_goes_on_from_stage_1(tiny_training, tmp_path):
    first = tiny_training.train(tmp_path / "first", stage=1)
    hooks = Watched()
    second = tiny_training.train(tmp_path / "second", hooks, stage=2, file=str(first.file))
    shipped = load_file(first.file)
    auxiliary_head = {name for name in hooks.start if name.startswith("read_out.")}
    assert auxiliary_head and all(torch.equal(hooks.start[name], shipped[name]) for name in auxiliary_head)
    assert load(second.file).stage == 2


def test_an_auxiliary_head_of_another_size_is_one_sentence(tiny_training, tmp_path):
    model = load(tiny_training.model)
    head = {"spread.weight": torch.zeros(2, 2)}
    model.about = dataclasses.replace(model.about, auxiliary_head=head)
    save(model, tmp_path / "other.safetensors")
    sentence = r"^other.safetensors does not hold the auxiliary head of its own sizes \("
    with pytest.raises(ValueError, match=sentence) as error:
        tiny_training.train(tmp_path / "run", stage=1, file=str(tmp_path / "other.safetensors"))
    assert "\n" not in str(error.value)


def test_from_nothing_keeps_the_tokeniser_and_words_alone(tiny_training, tmp_path):
    model = load(tiny_training.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "vision" not in name:
                parameter.add_(1.0)
    save(model, tmp_path / "moved.safetensors")
    starts = []
    for file, seed in ((tiny_training.model, 0), (tmp_path / "moved.safetensors", 0), (tiny_training.model, 1)):
        hooks = Watched()
        run, settings = tmp_path / f"run{len(starts)}", {"start": "from nothing", "steps": 1, "seed": seed}
        tiny_training.train(run, hooks, file=str(file), **settings)
        starts.append(hooks.start)
    assert all(torch.equal(tensor, starts[1][name]) for name, tensor in starts[0].items())
    assert not all(torch.equal(tensor, starts[2][name]) for name, tensor in starts[0].items())


def test_the_seed_decides_everything(tiny_training, tmp_path):
    def trained(name, **settings):
        torch.rand(3)
        run = tiny_training.train(tmp_path / name, stage=2, steps=2, **settings)
        return run.file.read_bytes(), (run.file.parent / STATE).read_bytes()

    first = trained("first")
    assert trained("again") == first
    assert trained("other", seed=1)[0] != first[0]


def test_progress_is_told(tiny_training, tmp_path):
    files, encoded, sheets = [], [], []
    hooks = Watched(
        on_file=lambda *numbers: files.append(numbers),
        on_picture=lambda *numbers: encoded.append(numbers),
        on_samples=sheets.append,
    )
    fresh = dataclasses.replace(tiny_training, cache=tmp_path / "cache")
    result = fresh.train(tmp_path / "run", hooks, stage=2, validate_every=2, samples=2, history=2)
    count = PICTURES * len(USERS)
    assert files[-1] == (count, count) and len(files) == count
    assert encoded[-1] == (4 * count, 4 * count)  # with three repaintings each
    assert len(sheets) == len(result.samples) == 2
    assert all(np.array_equal(told, kept) for told, kept in zip(sheets, result.samples, strict=True))
    assert sheets[0].dtype == np.uint8 and sheets[0].ndim == 3
    assert result.records == hooks.trainer.run_folder.read_log()
    numbers = [record for record in result.records if "validation_loss" in record]
    assert [row["step"] for row in numbers] == [2, 4]
    for row in numbers:
        assert row["style_score"] == row["validation_blind_wrong_history"]
        assert row["semantic_score"] == row["validation_blind_wrong_reference"]


FINISHED = {"stage": 2, "steps": 1, "augmentations": Augmentations()}


@pytest.fixture(scope="module")
def finished(tiny_training, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "mine"
    tiny_training.train(folder, **FINISHED)
    return folder


def test_the_settings_lie_beside_the_training(tiny_training, finished):
    assert read_config(finished / "config.toml") == tiny_training.config(**FINISHED)


def test_a_run_that_is_complete_gives_what_was_learned(tiny_training, finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    notes = []
    result = tiny_training.train(finished, Hooks(on_note=notes.append), **FINISHED)
    assert notes[-1:] == [
        "nothing was trained, as the run mine is complete: it already took 1 of 1; raise steps, or turn resume off to "
        "begin a new run"
    ]
    assert (result.file, result.step) == (finished / "step-000001" / "weights.safetensors", 1)
    assert result.records[-1]["step"] == 1
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before
    fewer = tiny_training.train(finished, **FINISHED | {"patience": 3})  # of which no best one was kept
    assert fewer.file == result.file


@pytest.mark.parametrize("damage", ["cut", "noise", "missing", "NaN"])
def test_a_complete_run_whose_model_is_damaged_is_named(tiny_training, finished, damage, tmp_path):
    run = shutil.copytree(finished, tmp_path / "mine")
    path = run / "step-000001" / "weights.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "NaN":
        path.write_bytes(path.read_bytes()[:-4] + b"\xff" * 4)
    else:
        path.write_bytes(path.read_bytes()[:-5] if damage == "cut" else b"noise")
    with pytest.raises(TrainingError) as error:
        tiny_training.train(run, **FINISHED)
    text = str(error.value)
    assert text.startswith(f"{path} is not a readable checkpoint (weights.safetensors ") and "download" not in text
    assert text.endswith("); delete the folder step-000001 to begin again") and "\n" not in text


def test_early_stopping_takes_the_best(tiny_training, tmp_path):
    """Nothing is learned at a rate that no weight can hold, so the first look is the best."""
    settings = {"steps": 50, "rate": 1e-30, "language_rate": 1e-30, "validate_every": 1, "patience": 3, "save_every": 1}
    result = tiny_training.train(tmp_path / "mine", **settings)
    assert result.step == 1 and result.records[-1]["step"] == 4
    assert load(result.file).about.step == 1
    assert sorted(path.name for path in (tmp_path / "mine").glob("step-*")) == [
        f"step-00000{step}" for step in (1, 3, 4)
    ]
    notes = []
    again = tiny_training.train(tmp_path / "mine", Hooks(on_note=notes.append), **settings)
    assert again.file == result.file and "run mine is complete: it stopped early at 4 of 50" in notes[-1]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps": 0}, "steps is 0, expected 1 or more; correct it"),
        ({"batch": 0}, "batch is 0, expected 1 or more; correct it"),
        ({"rate": -1.0}, "rate is -1.0, expected 0 or more; correct it"),
        (
            {"sampling": "hard"},
            "sampling is 'hard', expected one of 'difficulty-aware', 'static', 'uniform'; choose one of them",
        ),
        (
            {"source": "emoji benchmark", "augmentations": Augmentations()},
            "augmentations are for folders of pictures, but the dataset is the emoji benchmark, which brings redrawn "
            "references of its own; disconnect them",
        ),
    ],
)
def test_settings_that_do_not_serve(tiny_training, tmp_path, settings, sentence):
    with pytest.raises(TrainingError) as error:
        tiny_training.train(tmp_path / "run", **settings)
    assert str(error.value) == sentence
    assert not (tmp_path / "run").exists()


def test_stage_2_needs_towers_that_were_trained(tiny_training, tmp_path):
    model = load(tiny_training.model)
    model.about = dataclasses.replace(model.about, stage=0)
    save(model, tmp_path / "untrained.safetensors")
    with pytest.raises(TrainingError, match="^the towers of this model were never trained; train stage 1 first$"):
        tiny_training.train(tmp_path / "run", stage=2, file=str(tmp_path / "untrained.safetensors"))
    file = tiny_training.train(tmp_path / "run", stage=1, steps=1, file=str(tmp_path / "untrained.safetensors")).file
    assert load(file).stage == 1


def test_a_folder_too_small_to_hold_any_back_is_trained_on_with_a_note(tiny_training, tmp_path, caplog):
    folder = draw_pictures(tmp_path / "few", {"anna": "crimson"}, count=2)
    with caplog.at_level(logging.INFO, "drc"):
        result = tiny_training.train(tmp_path / "run", folder=str(folder), steps=1)
    assert "validation uses pictures of the training" in caplog.messages
    assert "validation_loss" in result.records[-1]
    assert sorted(path.name for path in (folder / "anna").iterdir()) == ["0.png", "1.png"]  # nothing was added
