"""Towers, fusion and a LoRA learn over a tiny LaVIT, which itself stays as it was converted."""

import dataclasses
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from drc.checkpoint import load
from drc.lmm.lavit.reading import open_set
from drc.lmm.lora import PROJECTIONS, LoRA, is_lora
from drc.train.checkpoints import SAMPLES
from drc.train.run import Hooks

from .tiny_training import TinyTraining, Watched, assert_resumes, both_stages, bytes_of, validation_losses

DISENTANGLER = ("rows", "style_tower", "semantic_tower", "fusion")


@pytest.fixture(scope="module")
def lavit(tiny_lavit):
    """The folder of the converted set."""
    return tiny_lavit / "drc" / "tiny-lavit"


@pytest.fixture(scope="module")
def tiny_training(tiny_training, lavit, root, cache):
    """On the examples that come with the nodes."""
    return LavitTraining(lavit / "lavit.json", root / "nodes" / "examples", cache, lavit)


@dataclasses.dataclass
class LavitTraining(TinyTraining):
    lmm: object

    def config(self, **settings):
        quick = {"lmm": str(self.lmm), "restyled_views": 1, "language_rate": 1e-2, "lora_rank": 4}
        return super().config(**quick | settings)


@pytest.fixture(scope="module")
def stages(tiny_training, lavit, tmp_path_factory):
    """Both stages, one after the other: results and what was watched; also the bytes of the set before them."""
    before = bytes_of(lavit)
    return both_stages(tiny_training.train, tmp_path_factory.mktemp("stages"), steps=24, samples=2), before


@pytest.mark.parametrize("stage", [1, 2])
def test_the_loss_falls(stages, stage):
    losses = validation_losses(stages[0][stage][0])
    assert len(losses) == 3 and losses[0] > losses[2] + 0.05


@pytest.mark.parametrize("stage", [1, 2])
def test_all_that_learns_gets_a_gradient(stages, stage):
    _, watched = stages[0][stage]
    lora = {name for name in watched.start if is_lora(name)}
    assert len(lora) == 2 * 2 * len(PROJECTIONS)  # layers, small matrices, projections
    assert all(watched.gradients[name].any() for name in lora)
    for part in DISENTANGLER:
        assert any(gradient.any() for name, gradient in watched.gradients.items() if f".{part}." in name), part
    assert not any(gradient.isnan().any() for gradient in watched.gradients.values())


@pytest.mark.parametrize("stage", [1, 2])
def test_the_pretrained_weights_stay_as_they_were(stages, lavit, stage):
    made, before = stages
    trained = made[stage][1].trainer.inner
    now = dict(trained.named_parameters())
    frozen = {name for name, parameter in now.items() if not parameter.requires_grad}
    assert frozen == {name for name in now if name.startswith("drc.lmm.") and not is_lora(name)}
    tensors = {key: tensor for shard in open_set(lavit).language for key, tensor in load_file(shard).items()}
    state = trained.drc.lmm.language.state_dict()
    assert all(torch.equal(state[key], tensor.float()) for key, tensor in tensors.items())
    assert bytes_of(lavit) == before


@pytest.mark.parametrize("stage", [1, 2])
def test_the_file_holds_what_was_trained_and_names_the_rest(stages, lavit, stage):
    result, watched = stages[0][stage]
    with safe_open(result.file, "pt") as file:
        names, header = set(file.keys()), json.loads(file.metadata()["drc"])
    assert names == {name.removeprefix("drc.") for name in watched.trainer.named}
    assert all(name.startswith("disentangler.") or is_lora(name) for name in names)
    assert result.file.stat().st_size < 120_000 < sum(path.stat().st_size for path in open_set(lavit).language)
    converted = open_set(lavit)
    assert (header["lmm"], header["lmm_name"], header["stage"]) == (converted.hash, "tiny-lavit", str(stage))
    assert header["licence"] == converted.licence and "Llama 2" in header["licence"]


@pytest.mark.parametrize("stage", [1, 2])
def test_it_loads_again_and_says_the_same(stages, lavit, stage):
    result, watched = stages[0][stage]
    model = load(result.file, lmm=lavit)
    assert (model.stage, model.about.step, model.config.lmm.lora_rank) == (stage, 24, 4)
    model.float()  # as it was while it learned
    codes = model.lmm.tokenize(torch.rand(3, 3, 70, 70, generator=torch.Generator().manual_seed(0)))

    @torch.no_grad()
    def outputs(drc):
        composed = drc.compose(drc.style(codes[:2], torch.ones(2)), drc.semantics(codes[2]), "a red apple")
        text, vectors = composed.text[:1], composed.vectors[:1]
        return vectors, drc.lmm.token_losses(text, vectors, codes[:1], codes[:1])

    drc = watched.trainer.inner.drc
    drc.words, drc.about = model.words, model.about
    with watched.trainer.averaged():
        expected = outputs(drc.eval())
    for one, other in zip(outputs(model), expected, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.equal(outputs(drc)[1], expected[1])  # the last weights are not their averages


def test_stage_2_goes_on_with_the_same_lora(stages, tiny_training, tmp_path):
    first, second = stages[0][1][0].file, stages[0][2][1]
    shipped = load_file(first)
    lora = {name for name in second.start if is_lora(name)}
    assert {name.removeprefix("drc.") for name in lora} == {name for name in shipped if is_lora(name)}
    assert all(torch.equal(second.start[name], shipped[name.removeprefix("drc.")]) for name in lora)
    watched = Watched()
    tiny_training.train(tmp_path / "other rank", watched, stage=2, file=str(first), lora_rank=9, steps=1)
    layers = [module for module in watched.trainer.inner.modules() if isinstance(module, LoRA)]
    assert len(layers) == 2 * len(PROJECTIONS) and {layer.down.out_features for layer in layers} == {4}


def test_from_nothing_the_lora_begins_anew(stages, tiny_training, tmp_path):
    watched = Watched()
    settings = {"stage": 1, "file": str(stages[0][1][0].file), "start": "from nothing", "steps": 1}
    tiny_training.train(tmp_path / "run", watched, **settings)
    ups = [tensor for name, tensor in watched.start.items() if name.endswith("up.weight")]
    downs = [name for name in watched.start if name.endswith("down.weight")]
    shipped = load_file(stages[0][1][0].file)
    assert ups and not any(tensor.any() for tensor in ups)
    assert not any(torch.equal(watched.start[name], shipped[name.removeprefix("drc.")]) for name in downs)


@pytest.mark.parametrize("stage", [1, 2])
def test_resumed_it_ends_in_the_same_bytes(tiny_training, stages, tmp_path, stage):
    assert_resumes(tiny_training.train, tmp_path, stage=stage, file=str(stages[0][1][0].file))


@pytest.mark.parametrize("stage", [1, 2])
def test_micro_batches_do_not_change_what_is_learned(stages, tiny_training, tmp_path, stage):
    """Gradients are compared, as AdamW makes whole steps of roundings where there is no gradient."""
    gradients = []
    for size in (4, 1):
        watched = Watched()
        settings = {"stage": stage, "file": str(stages[0][1][0].file), "steps": 2, "micro_batch": size}
        tiny_training.train(tmp_path / str(size), watched, **settings)
        gradients.append(watched.gradients)
    assert any(name.endswith("down.weight") for name in gradients[0])
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-6, rtol=1e-4)


def test_the_sampler_learns_from_the_losses_of_codes(stages):
    records = [record for record in stages[0][1][0].records if "tokens" in record]
    assert all(record["auxiliary"] == 0 and record["loss"] == record["tokens"] > 0 for record in records)
    names = ("aa", "sa", "am", "sm")
    first = [records[0][f"loss_{name}"] for name in names if f"loss_{name}" in records[0]]
    assert min(first) <= records[0]["tokens"] <= max(first)
    assert all(records[0][f"p_{name}"] == 0.25 for name in names)
    difficulty, chance = (
        [record[f"{what}_{name}"] for name in names] for record, what in ((records[-2], "loss"), (records[-1], "p"))
    )
    assert sorted(names, key=lambda name: difficulty[names.index(name)]) == sorted(
        names, key=lambda name: chance[names.index(name)]
    )
    assert max(chance) > 0.3


def test_no_samples_are_drawn_while_it_learns(stages):
    result, _ = stages[0][2]
    assert result.samples == [] and not (result.file.parents[1] / SAMPLES).exists()
    assert "style_score" in next(record for record in result.records if "validation_loss" in record)


def test_frozen_its_language_model_has_no_lora(tiny_training, lavit, tmp_path):
    file = tiny_training.train(tmp_path / "run", train_language="frozen", steps=2).file
    assert all(name.startswith("disentangler.") for name in load_file(file))
    assert load(file, lmm=lavit).config.lmm.lora_rank == 0


def test_in_bfloat16_what_learns_stays_exact(tiny_training, tmp_path):
    watched = Watched()
    tiny_training.train(tmp_path / "run", watched, stage=1, steps=2, precision="bfloat16", recompute=True)
    for name, tensor in watched.start.items():
        frozen = name.startswith("drc.lmm.") and not is_lora(name)
        assert tensor.dtype == (torch.bfloat16 if frozen else torch.float32), name


def test_it_cannot_learn_whole(tiny_training, tmp_path):
    encoded = []
    fresh = dataclasses.replace(tiny_training, cache=tmp_path / "cache")
    hooks = Hooks(on_picture=lambda *numbers: encoded.append(numbers))
    with pytest.raises(ValueError) as error:
        fresh.train(tmp_path / "run", hooks, train_language="everything")
    assert str(error.value) == (
        "train_language is 'everything', but LaVIT was pretrained and is too large to learn whole; set it to "
        "'automatic' or 'LoRA'"
    )
    assert not encoded and not (tmp_path / "run").exists()


def test_the_set_must_be_the_one_it_was_trained_over(stages, tiny_training, tmp_path):
    file = stages[0][1][0].file
    for folder, words in (
        ("", f"{file.name} was trained over 'tiny-lavit', which was not given; give its folder as lmm"),
        (str(tmp_path), f"lmm is '{tmp_path}', which holds no lavit.json, expected the folder of 'tiny-lavit'"),
    ):
        with pytest.raises(ValueError) as error:
            tiny_training.train(tmp_path / "run", stage=2, file=str(file), lmm=folder)
        assert str(error.value).startswith(words)
