"""Training by nodes, from a folder of pictures to a model that draws, as the host calls them: in inference mode."""

import dataclasses
import importlib
from types import SimpleNamespace

import comfy.supported_models
import pytest
import torch
from safetensors.torch import load_file

from drc.train.config_file import read_config
from scripts.lib.recipes import settings_of, widgets_of
from scripts.lib.sentence import sentence_shown as sentence

from .host_models import small_unet

QUICK = {
    "steps": 3, "batch_size": 4, "learning_rate": 0.01, "language_learning_rate": 0.01, "warm_up": 1,
    "save_every": 2, "validate_every": 2, "samples": 0, "precision": "float32",
}  # fmt: skip
STAGES = ("DRC_TrainDisentanglement", "DRC_TrainPersonalisation")


def test_from_a_folder_to_a_model_that_draws(execute, graph, model, triplets, reference, host_folders):
    pairs, sheet = triplets()
    assert sheet.shape[0] == 1 and sheet.shape[3] == 3 and 0 <= sheet.min() < sheet.max() <= 1
    augmentations, _ = execute("DRC_Augmentations", dataset=pairs.dataset)
    first, curve, samples = execute(STAGES[0], model=model, triplets=pairs, **QUICK | {"samples": 1})
    assert (first.drc.stage, first.drc.about.step) == (1, 3)
    assert curve.ndim == samples.ndim == 4 and len(curve) == 1 and len(samples) == 2
    second, _, no_samples = execute(STAGES[1], model=first, triplets=pairs, augmentations=augmentations, **QUICK)
    assert (second.drc.stage, second.name) == (2, "personalisation_00001/step-000003/weights.safetensors")
    assert no_samples.shape == (1, 1, 1, 3)
    (name,) = execute("DRC_SaveModel", model=second, precision="32 bit")
    assert name == "my-drc-model.safetensors"
    loaded = graph.load(name)
    for trained, start in ((first, model), (loaded, first)):
        before = start.drc.disentangler.state_dict()
        after = trained.drc.disentangler.state_dict()
        assert all(not torch.equal(after[key], before[key]) for key in after if key.endswith("query.weight"))
    saved, kept = load_file(loaded.path), load_file(second.path)
    assert saved.keys() == kept.keys() and all(torch.equal(saved[key], kept[key]) for key in kept)
    style, semantics = graph.style(loaded, torch.rand(2, 20, 20, 3)), graph.semantics(loaded, reference)
    tokens = graph.generate(loaded, graph.compose(loaded, style, semantics), seed=0)
    assert graph.decode(loaded, tokens).isfinite().all()
    (again,) = execute("DRC_SaveModel", model=first)
    assert again == "my-drc-model-2.safetensors" and graph.load(again).drc.stage == 1


@pytest.mark.parametrize("node", STAGES)
def test_learning_leaves_inference_mode_and_comes_back(execute, model, triplets, pack, node):
    """The model's own weights are inference tensors, which could not be trained, and stay as they are."""
    assert all(parameter.is_inference() for parameter in model.drc.disentangler.parameters())
    before = {name: tensor.clone() for name, tensor in model.drc.state_dict().items()}
    seen = []
    look = pack.nodes.training.Watcher.on_step

    def on_step(watcher, trainer):
        seen.append((torch.is_inference_mode_enabled(), torch.is_grad_enabled()))
        assert not any(parameter.is_inference() for parameter in trainer.inner.parameters())
        look(watcher, trainer)

    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(pack.nodes.training.Watcher, "on_step", on_step)
        execute(node, model=model, triplets=triplets()[0], **QUICK)
        assert torch.is_inference_mode_enabled()
    assert seen == [(False, True)] * 3
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.drc.state_dict().items())


@pytest.mark.parametrize("node", STAGES)
def test_two_trainings_do_not_see_each_other(execute, graph, model, triplets, node, host_folders):
    pairs, others = triplets()[0], triplets("others", shade=200)[0]

    def trained(name, by=model, of=pairs, **settings):
        result, _, _ = execute(node, model=by, triplets=of, run_name=name, **QUICK | settings)
        return result.path.read_bytes(), result.path.with_name("state.safetensors").read_bytes()

    alone = trained("alone")
    other = trained("other", graph.load("other.safetensors"), others, seed=7)
    assert trained("after") == alone != other


@pytest.mark.parametrize("node", STAGES)
def test_the_settings_alone_are_those_of_the_training(execute, model, triplets, pack, node, host_folders):
    (host_folders / "input" / "mine").mkdir()
    (host_folders / "input" / "mine" / "labels.csv").write_text(
        "image,semantics,caption\nanna/0.png,one,a red spot\nanna/1.png,two,\nben/0.png,one,\nben/1.png,two,\n"
    )
    pairs, _ = triplets(table="labels.csv")
    inputs = {"model": model, "triplets": pairs} | QUICK
    if node == STAGES[1]:
        inputs["augmentations"], _ = execute("DRC_Augmentations", dataset=pairs.dataset, blur=0.9)
    nothing = execute(node, **inputs, run_name="told", what_to_do="write the settings only")
    assert len(nothing) == 3
    result, _, _ = execute(node, **inputs, run_name="done")
    runs = host_folders / "output" / "drc"
    told, done = (runs / f"{name}_00001" / "config.toml" for name in ("told", "done"))
    assert told.read_bytes() == done.read_bytes()
    assert [path.name for path in told.parent.iterdir()] == ["config.toml"]
    config = pack.drc.train.config_file.read_config(told)
    assert config.training.stage == STAGES.index(node) + 1 and config.training.batch == 4
    assert config.data.table.endswith("labels.csv") and bool(config.data.augmentations) == (node == STAGES[1])
    headless = pack.drc.train.run.train(config, host_folders / "headless", host_folders / "cache")
    assert headless.file.read_bytes() == result.path.read_bytes()


@pytest.mark.parametrize("node", STAGES)
def test_a_node_and_two_lines_of_toml_train_the_same_weights(execute, model, make_pictures, pack, node, host_folders):
    dataset, _ = execute("DRC_ImageDataset", source="folder", folder=make_pictures())
    pairs, _ = execute("DRC_Triplets", dataset=dataset)
    result, _, _ = execute(node, model=model, triplets=pairs, steps=2, run_name="node")
    by_node = read_config(host_folders / "output" / "drc" / "node_00001" / "config.toml")
    by_hand = read_config(two_lines(host_folders, node, by_node.data.folder, model.path))
    assert by_hand == by_node
    headless = pack.drc.train.run.train(by_hand, host_folders / "headless", host_folders / "cache")
    assert headless.file.read_bytes() == result.path.read_bytes() and headless.step == 2


@pytest.mark.parametrize("name", ["stage1", "stage2", "further"])
def test_a_node_trains_by_a_recipe_what_the_script_trains(execute, model, triplets, host_folders, pack, name):
    recipe = settings_of(name, {}, {}, {})
    node, runs = STAGES[recipe.training.stage - 1], pack.nodes.train.RUNS
    execute(node, model=model, triplets=triplets()[0], run_name="run", what_to_do=runs[1], **widgets_of(recipe))
    by_node = read_config(host_folders / "output" / "drc" / "run_00001" / "config.toml")
    assert by_node.training == dataclasses.replace(recipe.training, log_every=by_node.training.log_every)
    assert by_node.model.start == recipe.model.start


def two_lines(folder, node, pictures, model):
    file = folder / "two-lines.toml"
    file.write_text(
        f"[data]\nfolder = '{pictures}'\n[model]\nfile = '{model}'\n"
        f"[training]\nstage = {STAGES.index(node) + 1}\nsteps = 2\n"
    )
    return file


def test_resume_goes_on_in_the_last_folder_of_that_name(execute, model, triplets, host_folders, pack, monkeypatch):
    pairs = triplets()[0]

    def train(**settings):
        result, _, _ = execute(STAGES[0], model=model, triplets=pairs, run_name="mine", **QUICK | settings)
        return result.name.split("/")[:2]

    assert train() == ["mine_00001", "step-000003"]
    with monkeypatch.context() as patch:
        texts = []
        patch.setattr(pack.nodes.host, "show_text", lambda hidden, text: texts.append(text))
        assert train() == ["mine_00001", "step-000003"]  # as after a restart, when nothing is in the host's cache
    assert texts[-1] == (
        "learned 3 of 3 steps; the model is output/drc/mine_00001/step-000003/weights.safetensors\n"
        "nothing was trained, as the run mine_00001 is complete: it already took 3 of 3; raise steps, or turn resume "
        "off to begin a new run"
    )
    assert train(steps=4) == ["mine_00001", "step-000004"]
    assert train(resume=False) == ["mine_00002", "step-000003"]
    assert train(steps=4) == ["mine_00002", "step-000004"]
    runs = host_folders / "output" / "drc"
    assert sorted(path.name for path in runs.iterdir()) == ["mine_00001", "mine_00002"]
    assert sorted(path.name for path in (runs / "mine_00001").glob("step-*")) == ["step-000003", "step-000004"]


def test_what_is_resumed_must_be_the_same(execute, graph, model, triplets):
    pairs = triplets()[0]
    execute(STAGES[0], model=model, triplets=pairs, run_name="mine", **QUICK)
    for node, by, name in ((STAGES[0], graph.load("other.safetensors"), "model"), (STAGES[1], model, "stage")):
        text = sentence(execute, node, model=by, triplets=pairs, run_name="mine", **QUICK | {"steps": 4})
        assert f"the run mine_00001 cannot be resumed: it was begun with another {name}; choose the former one" in text


def test_cancel_stops_within_the_step_and_loses_nothing(execute, model, triplets, pack, monkeypatch, host_folders):
    from comfy import model_management

    pairs = triplets()[0]
    straight, _, _ = execute(STAGES[1], model=model, triplets=pairs, run_name="straight", **QUICK)

    class Bar:
        def update_absolute(self, value, preview=None):
            if total == QUICK["steps"] and value == 1:
                model_management.interrupt_current_processing()

    def make_bar(steps):
        nonlocal total
        total = steps
        return Bar()

    total = 0
    with monkeypatch.context() as patch:
        patch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", make_bar)
        with pytest.raises(model_management.InterruptProcessingException):
            execute(STAGES[1], model=model, triplets=pairs, run_name="cut", **QUICK)
    folder = host_folders / "output" / "drc" / "cut_00001"
    pack.drc.train.checkpoints.settle(folder)
    assert [path.name for path in folder.glob("step-*")] == ["step-000001"]
    resumed, _, _ = execute(STAGES[1], model=model, triplets=pairs, run_name="cut", **QUICK)
    assert resumed.path.parent == folder / "step-000003"
    assert resumed.path.read_bytes() == straight.path.read_bytes()


def test_pictures_too_few(execute, make_pictures, host_folders):
    def pairs(name, **settings):
        dataset, _ = execute("DRC_ImageDataset", source="folder", folder=name)
        return execute("DRC_Triplets", dataset=dataset, **settings)

    (host_folders / "input" / "empty").mkdir()
    assert sentence(pairs, "empty").startswith(f"Image Dataset: folder '{host_folders / 'input' / 'empty'}' holds no")
    assert sentence(pairs, make_pictures("one", ["anna"], 1)) == (
        "DRC Triplets: dataset holds 1 usable picture of 1 user, but training needs a user with at least 2 different "
        "pictures; add pictures."
    )
    assert sentence(pairs, make_pictures("lonely", ["anna"], 4), restyled_views=0) == (
        "DRC Triplets: dataset holds 4 usable pictures of 1 user and shows nothing in a second style, but a batch "
        "needs at least 2 styles; choose restylings, or say in a table which pictures of two users mean the same."
    )
    assert sentence(pairs, "lonely", pairing="labels").startswith("DRC Triplets: pairing is 'labels', but no label")
    assert "glitter" in sentence(pairs, "lonely", restylings="palette, glitter")


@pytest.mark.parametrize("kind", ["EmojiBenchmark", "IconMatrix"])
def test_what_is_built_brings_pairs_and_references_of_its_own(execute, pack, tmp_path, kind):
    dataset = getattr(importlib.import_module(f"{pack.__name__}.drc.data.built"), kind)(tmp_path)
    name = {"EmojiBenchmark": "emoji benchmark", "IconMatrix": "icon matrix"}[kind]
    for pairing in ("restyle", "neighbours"):
        text = sentence(execute, "DRC_Triplets", dataset=dataset, pairing=pairing)
        assert text.startswith(
            f"DRC Triplets: pairing is '{pairing}', but the {name} brings pairs of its own; set pairing"
        )
    text = sentence(execute, "DRC_Augmentations", dataset=dataset)
    assert text.startswith(f"Augmentations: dataset is the {name}, which brings redrawn references of its own")


def test_both_stages_learn_from_the_icon_matrix(execute, model, pack, build, triplets, monkeypatch):
    monkeypatch.setattr(pack.nodes.paths, "BUILT", build.data)
    dataset, _ = execute("DRC_ImageDataset", source="icon matrix")
    pairs, sheet = execute("DRC_Triplets", dataset=dataset, shown=3)
    assert pairs.settings.source == "icon matrix" and sheet.ndim == 4 and 0 <= sheet.min() < sheet.max() <= 1
    first, *_ = execute(STAGES[0], model=model, triplets=pairs, **QUICK)
    second, _, samples = execute(STAGES[1], model=first, triplets=pairs, **QUICK | {"samples": 1})
    assert (second.drc.stage, second.drc.about.step, len(samples)) == (2, 3, 2)
    augmentations, _ = execute("DRC_Augmentations", dataset=triplets()[0].dataset)
    text = sentence(execute, STAGES[1], model=first, triplets=pairs, augmentations=augmentations, **QUICK)
    assert "augmentations are for folders of pictures, but the dataset is the icon matrix, which brings" in text


def test_stage_2_needs_towers_that_were_trained(execute, graph, triplets):
    untrained = graph.load("untrained.safetensors")
    text = sentence(execute, STAGES[1], model=untrained, triplets=triplets()[0], **QUICK)
    assert text == "Train Personalisation: the towers of this model were never trained; train stage 1 first."


@pytest.mark.parametrize("name", ["", "../mine", ".mine", "a/b", "mine.", "mine ", "con", "NUL.txt", "lpt9", "aux .1"])
def test_names_of_runs(execute, model, triplets, host_folders, name):
    text = sentence(execute, STAGES[0], model=model, triplets=triplets()[0], run_name=name, **QUICK)
    assert text.startswith(f"Train Disentanglement: run_name is '{name}', ")
    assert not (host_folders / "output" / "drc").exists()


def test_the_averaged_weights_are_what_the_next_node_gets(execute, model, triplets):
    result, _, _ = execute(STAGES[0], model=model, triplets=triplets()[0], **QUICK)
    tensors = load_file(result.path)
    assert any(name.startswith("read_out.") for name in tensors)
    for name, tensor in result.drc.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name


def test_a_lavit_learns_in_both_stages_and_draws(execute, graph, lavit, triplets, reference, pack):
    pairs, _ = triplets()
    first, curve, samples = execute(STAGES[0], model=lavit, triplets=pairs, **QUICK | {"samples": 2})
    assert (first.drc.stage, first.lmm_folder) == (1, lavit.lmm_folder) and samples.shape == (1, 1, 1, 3)
    assert curve.std() > 0
    config = pack.drc.train.config_file.read_config(first.path.parents[1] / "config.toml")
    assert (config.model.file, config.model.lmm) == (str(lavit.path), str(lavit.lmm_folder))
    augmentations, _ = execute("DRC_Augmentations", dataset=pairs.dataset)
    second, _, _ = execute(STAGES[1], model=first, triplets=pairs, augmentations=augmentations, **QUICK)
    (name,) = execute("DRC_SaveModel", model=second, precision="32 bit")
    saved, kept = load_file(graph.load(name).path), load_file(second.path)
    assert saved.keys() == kept.keys() and all(torch.equal(saved[key], kept[key]) for key in kept)
    assert all(key.startswith("disentangler.") or ".self_attn." in key for key in kept)

    loaded = graph.load(name)
    style, semantics = graph.style(loaded, torch.rand(2, 20, 20, 3)), graph.semantics(loaded, reference)
    instruction = graph.compose(loaded, style, semantics, text="a red apple")
    tokens = graph.generate(loaded, instruction, seed=2, batch_size=2)
    assert torch.equal(tokens.codes[1:], graph.generate(loaded, instruction, seed=3).codes)
    unet = small_unet(comfy.supported_models.SD15)
    ((prompt, _),) = graph.run("DRC_TokensToConditioning", model=loaded, tokens=tokens, diffusion_model=unet)
    assert prompt.shape == (2, 25, 768) and prompt.isfinite().all()


@pytest.mark.parametrize("storage", ["float8", "int8"])
def test_a_lavit_in_8_bits_stays_so_with_its_lora_in_it(execute, graph, lavit, triplets, reference, storage):
    small = graph.run("DRC_LoadModel", model_name="tiny-lavit", storage=storage)
    trained, _, _ = execute(STAGES[0], model=small, triplets=triplets()[0], **QUICK)
    language = trained.drc.lmm.language
    layer, before = (one.drc.lmm.language.model.layers[0].self_attn for one in (trained, small))
    kept = {"float8": torch.float8_e4m3fn, "int8": torch.int8}[storage]
    assert {language.lm_head.weight.dtype, layer.qkv_proj.weight.dtype} == {kept} and not layer.has_lora
    shipped = load_file(trained.path)["lmm.language.model.layers.0.self_attn.q_proj.up.weight"]
    assert shipped.dtype == torch.float32 and shipped.any()
    differ = (layer.qkv_proj.weight != before.qkv_proj.weight).split(list(layer.rows.values()))
    assert [rows.any().item() for rows in differ] == [True, False, True]
    instruction = graph.compose(trained, None, graph.semantics(trained, reference))
    assert (graph.generate(trained, instruction).codes >= 0).any()


def test_a_lavit_cannot_learn_whole(execute, lavit, triplets, host_folders):
    text = sentence(execute, STAGES[0], model=lavit, triplets=triplets()[0], train_language="everything", **QUICK)
    assert text == (
        "Train Disentanglement: train_language is 'everything', but LaVIT was pretrained and is too large to learn "
        "whole; set it to 'automatic' or 'LoRA'."
    )
    text = sentence(execute, STAGES[1], model=lavit, triplets=triplets("more")[0], **QUICK)
    assert text == "Train Personalisation: the towers of this model were never trained; train stage 1 first."
    assert not (host_folders / "output" / "drc").exists()


def test_samples_of_a_model_that_was_never_trained(execute, graph, triplets):
    untrained = graph.load("untrained.safetensors")
    _, _, samples = execute(STAGES[0], model=untrained, triplets=triplets()[0], **QUICK | {"samples": 1})
    assert len(samples) == 2 and samples.std() > 0


def test_a_rate_of_0_says_what_does_not_learn(execute, model, triplets):
    settings = {"model": model, "triplets": triplets()[0], **QUICK}
    text = sentence(execute, STAGES[1], **settings | {"language_learning_rate": 0.0})
    assert "language_learning_rate is 0, with which the language model learns nothing" in text and "frozen" in text
    text = sentence(execute, STAGES[1], **settings | {"learning_rate": 0.0})
    assert "learning_rate is 0, with which nothing is learned" in text
    trained, _, _ = execute(STAGES[0], **settings | {"language_learning_rate": 0.0, "train_language": "frozen"})
    assert trained.drc.about.step == 3


def test_the_time_left_has_its_units(pack):
    said = {0: "0 s", 59.4: "59 s", 60: "1 min 0 s", 3599: "59 min 59 s", 12696: "3 h 31 min", 180_000: "2 d 2 h"}
    assert {seconds: pack.nodes.training.duration(seconds) for seconds in said} == said


def test_what_a_training_takes_is_told_from_its_first_step(pack):
    trainer = SimpleNamespace(step=0, recent={}, schedule=SimpleNamespace(steps=200), validation_seconds=0.0)
    trainer.seconds_left, trainer.validations_left = lambda: 3 * 200 + trainer.validation_seconds, lambda: 2
    status = pack.nodes.training.status
    assert status(trainer) == "step 0 of 200; the next one tells how long it will take"
    trainer.recent = {"loss": 4.25, "images_per_second": 5.3}
    assert status(trainer).endswith("loss 4.250, 5.3 pictures a second, about 10 min 0 s left and 2 validations")
    trainer.validation_seconds = 90
    assert status(trainer).endswith("about 11 min 30 s left")
