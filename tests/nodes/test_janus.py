"""The nodes over a tiny Janus as it is downloaded, with random weights: noise, but exact."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from drc.bench.collapse.likelihood import collapse_scores
from drc.bench.collapse.meter import read
from drc.checkpoint import load, save
from drc.complete.best import scores_of
from drc.lmm.generate import Sampling
from drc.seeds import seed_for
from scripts.lib.tiny_janus import write_published

WORDS = "a red apple"


@pytest.fixture(scope="module")
def janus(graph, models, tiny_janus):
    """With nothing trained on top."""
    shutil.copytree(tiny_janus / "drc" / "tiny-janus", models / "tiny-janus")
    return graph.load("tiny-janus")


@pytest.fixture(scope="module")
def towers(graph, janus, models):
    """The same with towers as they are when a training begins."""
    drc = load(janus.path)
    drc.about = replace(drc.about, stage=2)
    save(drc, models / "janus-towers.safetensors")
    return graph.load("janus-towers.safetensors")


@pytest.fixture(scope="module")
def plain(janus):
    """The model of plain torch layers, in float32."""
    return load(janus.path).float()


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 20, 14, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def words(graph, janus):
    return graph.run("DRC_ComposeInContext", model=janus, text=WORDS)


@pytest.fixture(scope="module")
def plain_towers(janus, towers):
    return load(towers.path, lmm=janus.path.parent).float()


@contextmanager
def blind(towers):
    """SigLIP sees the same in every picture."""
    layer = towers.drc.lmm.understanding.aligner.hidden_layers[0]
    seeing, layer.weight.data = layer.weight.data, torch.zeros_like(layer.weight)
    try:
        yield
    finally:
        layer.weight.data = seeing


def test_it_is_offered_as_one_model(classes, janus):
    (names,) = (part.options for part in classes["DRC_LoadModel"].define_schema().inputs if part.id == "model_name")
    assert "tiny-janus" in names and not any(name.startswith("tiny-janus/") for name in names)
    assert classes["DRC_LoadModel"].validate_inputs("tiny-janus") is True
    assert janus.path.name == "config.json" and janus.drc.stage == 0


def test_a_picture_is_drawn_again_from_its_codes(graph, janus, plain, images):
    """The first test of a healthy installation."""
    tokens = graph.run("DRC_TokenizeImage", model=janus, images=images)
    assert torch.equal(tokens.codes, plain.tokenize(images, "images"))
    pictures = graph.decode(janus, tokens)
    assert pictures.shape == (3, 8, 8, 3)
    torch.testing.assert_close(pictures.permute(0, 3, 1, 2), plain.lmm.detokenize(tokens.codes), atol=1e-5, rtol=1e-5)
    assert graph.decode(janus, tokens, size="sharp, 4 times as large").shape == (3, 32, 32, 3)


def test_words_alone_draw_without_towers(graph, janus, plain, words):
    prompt = [*plain.lmm.config.before, *(one - 1 for one in plain.words.encode(WORDS)), *plain.lmm.config.after]
    assert words.ids.tolist() == prompt and words.guidance == 5.0
    codes = graph.generate(janus, words, seed=4, batch_size=2, temperature=1.0).codes
    assert torch.equal(codes, plain.lmm.draw(words, [4, 5], Sampling()))
    assert torch.equal(codes[1:], graph.generate(janus, words, seed=5, temperature=1.0).codes)
    assert not torch.equal(codes[0], codes[1])


def test_unfinished_pictures_are_shown(graph, janus, words, pack, monkeypatch):
    shown = []

    class Bar:
        def update_absolute(self, value, preview=None):
            shown.append((value, preview and preview[1]))

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SECONDS", 0)
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SHARE", 1e9)
    graph.generate(janus, words)
    assert [value for value, _ in shown] == list(range(1, 17)) and all(picture for _, picture in shown)
    light = [np.all(np.asarray(picture) == 230, axis=-1).sum() for _, picture in shown]
    assert light[0] == 60 and light == sorted(light, reverse=True) and light[-1] < 4  # of 64 pixels, 4 a code


def test_cancel_is_heard_between_codes(graph, janus, words, assert_cancelled):
    assert_cancelled(lambda: graph.generate(janus, words, batch_size=2))


def test_towers_read_looks_and_meaning(graph, towers, images):
    style = graph.style(towers, images[:2])
    semantics = graph.semantics(towers, images[2:])
    instruction = graph.compose(towers, style, semantics, text=WORDS)
    drawn = graph.decode(towers, graph.generate(towers, instruction, seed=1))
    assert drawn.shape == (1, 8, 8, 3)
    assert torch.equal(drawn, graph.decode(towers, graph.generate(towers, instruction, seed=1)))
    with blind(towers):
        assert torch.equal(graph.style(towers, images[:2]).rows, style.rows)
        assert not torch.equal(graph.semantics(towers, images[2:]).rows, semantics.rows)
    assert graph.style(towers, images[:2], weights="1, 0.5").weights.tolist() == [1.0, 0.5]


def test_maps_show_where_towers_looked(towers, images, execute):
    """In a history by its codes, in a reference by what SigLIP sees."""
    given = {"history": images[:2]}, {"reference": images[2:]}
    seen = [execute("DRC_AttentionMap", model=towers, **one)[0] for one in given]
    with blind(towers):
        unseen = [execute("DRC_AttentionMap", model=towers, **one)[0] for one in given]
    assert torch.equal(seen[0], unseen[0]) and not torch.equal(seen[1], unseen[1])


def test_the_meter_reads_style_and_meaning(towers, plain_towers, images, execute):
    given = {"images": images[:1], "history": images[:2], "reference": images[2:]}
    squares = torch.stack([plain_towers.lmm.prepare(image, "images") for image in images])
    (expected,) = read(collapse_scores(plain_towers, squares[:1], squares[:2], squares[2]))
    _, style, meaning, copying, verdict = execute("DRC_CollapseMeter", model=towers, **given)
    assert verdict == expected.verdict and 0 < style < 1 and 0 < meaning < 1
    numbers = [expected.style, expected.meaning, expected.copying]
    assert [style, meaning, copying] == pytest.approx(numbers, abs=1e-4)
    with blind(towers):
        assert execute("DRC_CollapseMeter", model=towers, **given)[2] != pytest.approx(meaning, abs=1e-4)


def test_a_grid_is_drawn_with_each_pair_of_strengths(graph, towers, plain_towers, images, execute):
    made = {"style": graph.style(towers, images[:2]), "semantics": graph.semantics(towers, images[2:])}
    how = {"style_strengths": "0, 2", "semantic_strengths": "0, 3", "seed": 5, "temperature": 0.5, "text": WORDS}
    _, pictures = execute("DRC_GuidanceGrid", model=towers, **made, **how)
    for picture, (semantics, style) in zip(pictures, product((0, 3), (0, 2)), strict=True):
        given = images[:2], images[2:], WORDS, style, semantics, [5], Sampling(0.5)
        torch.testing.assert_close(picture, plain_towers.draw(*given)[0], atol=1e-4, rtol=1e-4)
    assert len({picture.numpy().tobytes() for picture in pictures}) == 4


def test_a_set_keeps_the_likelier_of_two(graph, towers, plain_towers, images, execute):
    """With what its reference means, from a seed that the word gives."""
    words = ["car", "sun", "cat", "dog"]
    how = {"references": images[2:].expand(4, -1, -1, -1), "reference_names": "\n".join(words), "drawings": 0}
    style = graph.style(towers, images[:2])
    tokens, names, scores = execute("DRC_CompleteSet", model=towers, style=style, best_of=2, temperature=1.0, **how)
    history, reference = (plain_towers.tokenize(some, "images") for some in (images[:2], images[2:]))
    given, best = (plain_towers.style(history), plain_towers.semantics(reference[0])), []
    for word, kept, score in zip(names, tokens.codes, scores, strict=True):
        seeds = [seed_for(0, word) + candidate for candidate in range(2)]
        codes = plain_towers.draw(*given, seeds=seeds, sampling=Sampling(1.0), as_codes=True)
        expected = scores_of(plain_towers, codes, *given, "").sum(dim=1)
        best.append(int(expected.argmax()))
        assert score == pytest.approx(expected.max().item(), abs=1e-4) and torch.equal(kept, codes[best[-1]])
    assert names == words and set(best) == {0, 1}


def test_cards_words_and_evaluation_follow(graph, towers, images, execute, make_pictures):
    first, second = graph.style(towers, images[:2]), graph.style(towers, images[1:])
    _, again = execute("DRC_SaveStyle", model=towers, style=first, name="mine")  # as its file has it
    assert torch.equal(again.rows, first.rows) and torch.equal(again.codes, first.codes)
    (mixed,) = execute("DRC_MergeStyles", model=towers, first=first, second=second)
    assert torch.equal(mixed.codes, torch.cat((first.codes, second.codes)))
    semantics, pictures, _ = execute("DRC_ReferenceFromWords", model=towers, words="bicycle", drawings=1)
    assert torch.equal(semantics.rows, graph.semantics(towers, pictures).rows)
    dataset, _ = execute("DRC_ImageDataset", source="folder", folder=make_pictures())
    *_, report = execute("DRC_Evaluate", model=towers, dataset=dataset, cases=2, history_length=2)
    assert "R, your pictures, repainted, 2 cases" in report and "- `janus-towers.safetensors`: meaning" in report


def test_weights_are_reached_by_the_closest(graph, towers, images):
    style = graph.run("DRC_StyleTower", model=towers, history=[images[:2]], weights=["auto"], reference=[images[2:]])
    assert len(style.weights) == 2 and style.weights.max() == 1


def test_memory_by_part(janus):
    names = ("vision", "language", "understanding", "disentangler")
    parts = {name: getattr(janus, name).model_size() for name in names}
    assert sum(parts.values()) == sum(one.model_size() for one in janus.get_models()) and min(parts.values()) > 0
    tokenizer = janus.drc.lmm.vision
    assert tokenizer.memory(1) * 2 == tokenizer.memory(2) == tokenizer.memory(16)  # two at a time


@pytest.mark.parametrize("storage", ["bfloat16", "float8", "int8"])
def test_the_language_model_may_be_kept_smaller(graph, janus, words, storage):
    small = graph.run("DRC_LoadModel", model_name="tiny-janus", storage=storage)
    kinds = {name: one.dtype for name, one in small.drc.lmm.named_parameters()}
    expected = {"float8": torch.float8_e4m3fn}.get(storage) or getattr(torch, storage)
    assert kinds["language.model.layers.0.self_attn.o_proj.weight"] == expected
    assert kinds["language.model.embed_tokens.weight"] == kinds["understanding.aligner.fc1.weight"] == torch.bfloat16
    assert graph.generate(small, words).codes.shape == (1, 16)


@pytest.mark.parametrize("name", ["tiny-janus", "janus-towers.safetensors", None])
@pytest.mark.parametrize("part", ["model.safetensors", "tokenizer.json"])
def test_other_weights_in_its_folder_are_read_anew(classes, towers, models, name, part):
    """They are what is read, by a model that was trained over it as well, though its description stays."""
    stamp, file = classes["DRC_LoadModel"].fingerprint_inputs, models / "tiny-janus" / part
    before, alone = stamp(name), stamp("embedded")
    assert before == stamp(name)
    os.utime(file, (1, file.stat().st_mtime + 60))
    assert before != stamp(name) and alone == stamp("embedded")


def sentence(run, *arguments, **inputs):
    with pytest.raises(ValueError) as error:
        run(*arguments, **inputs)
    text = str(error.value)
    assert text.endswith(".") and not text.endswith("..") and "\n" not in text
    return text


def test_bad_input(graph, janus, towers, images, models, tmp_path):
    assert "the towers of this model were never trained" in sentence(graph.style, janus, images)
    assert sentence(graph.run, "DRC_ComposeInContext", model=janus, history=images, text=WORDS).startswith(
        "ComposeInContext: history is connected, but Janus draws from words alone; disconnect it"
    )
    assert "for 496 beside the picture that it draws; shorten the text" in sentence(
        graph.run, "DRC_ComposeInContext", model=janus, text="apple " * 600
    )
    folder = models / "tiny-janus" / "tokenizer.json"
    away = shutil.move(folder, tmp_path / "words")
    try:
        assert "holds no tokenizer.json, expected beside the weights" in sentence(graph.load, "tiny-janus")
    finally:
        shutil.move(away, folder)


@pytest.fixture
def elsewhere(towers, models, tmp_path):
    """Where the Janus that the towers were trained over lies meanwhile; what else there was is gone then."""
    away, before = tmp_path / "tiny-janus", set(models.iterdir())
    shutil.move(models / "tiny-janus", away)
    yield away
    for folder in {*models.iterdir()} - before | {models / "tiny-janus"}:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.move(away, models / "tiny-janus")


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def test_the_janus_that_it_needs_is_not_there(graph, models, elsewhere):
    """Among what other tests left there."""
    started = "Load DRC Model: janus-towers.safetensors was trained over 'tiny-janus', but "
    none, other = "none in models/drc is that one", "the folder of that name in models/drc holds other weights now"
    write_published(models / "another-janus", seed=9)
    told = sentence(graph.load, "janus-towers.safetensors")
    assert told.startswith(f"{started}{none} (found: another-janus") and "); put it there, a LaVIT with" in told, told
    write_published(models / "tiny-janus", seed=9)
    told = sentence(graph.load, "janus-towers.safetensors")
    assert told.startswith(f"{started}{other} (found: tiny-janus, another-janus"), told
    assert told.endswith("); put its own back there, or choose another model."), told
    cut(models / "tiny-janus")
    told = sentence(graph.load, "janus-towers.safetensors")
    assert told.startswith(f"{started}{none} (found: another-janus") and "; tiny-janus cannot be used: " in told, told


def test_a_damaged_janus_is_no_concern_of_another(graph, models, elsewhere):
    shutil.copytree(elsewhere, models / "whole-janus")
    cut(write_published(models / "aaa-broken"))
    assert graph.load("janus-towers.safetensors").lmm_folder == models / "whole-janus"
