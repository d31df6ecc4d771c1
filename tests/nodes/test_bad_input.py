"""Bad input is one sentence: which node, which input, what was given, what was expected, what to do."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file

from drc.checkpoint import load, save
from drc.pixels import prepare
from scripts.lib.sentence import sentence_shown as sentence


@pytest.mark.parametrize("shape", [(0, 32, 32, 3), (2, 0, 32, 3)])
def test_empty_batch(graph, model, shape):
    text = sentence(graph.style, model, torch.zeros(shape))
    assert text.startswith("StyleTower: history holds no picture") and "connect at least one" in text
    assert sentence(graph.semantics, model, torch.zeros(shape)).startswith("SemanticTower: reference holds no picture")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 255.0, -1.0])
def test_numbers_that_are_no_colours(graph, model, history, value):
    broken = history.clone()
    broken[2, 5, 5, 1] = value
    text = sentence(graph.style, model, broken)
    assert text.startswith("StyleTower: picture 3 of history holds numbers from")
    assert "expected 0 to 1" in text


def test_a_small_overshoot_of_resampling_is_no_error(graph, model, history):
    graph.style(model, history * 1.1 - 0.05)


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ("1, 2, 3", "weights has 3 numbers, but history has 5 pictures; give one number per picture or leave it empty"),
        ("1", "weights has 1 number, but history has 5 pictures; give"),
        ("1, 1, -1, 1, 1", "expected numbers of 0 or more"),
        ("1, 1, nan, 1, 1", "expected numbers of 0 or more"),
        ("0 0 0 0 0", "leaves every picture out"),
        ("one, two", "expected numbers such as 1, 0.5, 2"),
        ("3e38 3e38 3e38 3e38 3e38", "expected numbers of 0 or more"),
        ("auto", "but no picture is at reference; connect the one that SemanticTower gets"),
    ],
)
def test_weights(graph, model, history, weights, part):
    text = sentence(graph.style, model, history, weights)
    assert text.startswith("StyleTower: weights ") and part in text


def test_several_references(graph, model, history):
    assert sentence(graph.semantics, model, history).startswith("SemanticTower: reference has 5 pictures, expected 1")


def test_records_of_another_model(graph, model, history, reference, instruction):
    other = graph.load("other.safetensors")
    style, semantics = graph.style(model, history), graph.semantics(model, reference)
    tokens = graph.generate(model, instruction)
    told = [
        sentence(graph.compose, other, style),
        sentence(graph.compose, other, None, semantics),
        sentence(graph.generate, other, instruction),
        sentence(graph.decode, other, tokens),
    ]
    inputs = [
        "ComposeInstruction: style",
        "ComposeInstruction: semantics",
        "DRC-LMM-Generate: instruction",
        "DRC Decode: tokens",
    ]
    for text, name in zip(told, inputs, strict=True):
        assert text.startswith(f"{name} was made by another model than 'other.safetensors'")


def test_towers_that_were_never_trained(graph, history, reference):
    model = graph.load("untrained.safetensors")
    for text in (sentence(graph.style, model, history), sentence(graph.semantics, model, reference)):
        assert "towers of this model were never trained" in text


def test_text_longer_than_fits(graph, model):
    text = sentence(graph.compose, model, text="red apple " * 10)
    assert text.startswith(
        "ComposeInstruction: text takes 20 words and pieces of words, but this model reads at most 6"
    )


@pytest.mark.parametrize("node", ["DRC_ComposeInstruction", "DRC_GuidanceGrid"])
def test_words_that_the_model_never_saw_are_told(graph, model, history, reference, pack, monkeypatch, node):
    texts, given = [], {"style": graph.style(model, history), "semantics": graph.semantics(model, reference)}
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: texts.append(text))
    grid = {"style_strengths": "1", "semantic_strengths": "1"} if node == "DRC_GuidanceGrid" else {}
    graph.run(node, model=model, text="red \u043a\u043e\u0442", **given, **grid)
    assert texts == ["The model never saw \u043a\u043e\u0442, and does not know what that means"]
    graph.run(node, model=model, text="red apple", **given, **grid)
    assert len(texts) == 1


def test_words_that_can_be_spelled_but_were_never_learned_are_told(graph, models, pack, monkeypatch):
    texts = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: texts.append(text))
    drc = load(models / "tiny.safetensors")
    drc.about = dataclasses.replace(drc.about, learned=frozenset({"apple"}))
    save(drc, models / "listed.safetensors")
    graph.compose(graph.load("listed.safetensors"), text="Apple car")
    assert texts == ["The model never saw car, and does not know what that means"]
    graph.compose(graph.load("tiny.safetensors"), text="Apple car")
    assert len(texts) == 1


def damaged(models, name):
    """Writes a broken checkpoint of that name."""
    path = models / f"{name}.safetensors"
    whole = (models / "tiny.safetensors").read_bytes()
    tensors = load_file(models / "tiny.safetensors")
    if name == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif name == "noise":
        path.write_bytes(b"no safetensors at all")
    elif name == "foreign":
        save_file(tensors, path)
    elif name == "partial":
        from safetensors import safe_open

        with safe_open(models / "tiny.safetensors", "pt") as file:
            save_file(dict(list(tensors.items())[1:]), path, file.metadata())
    return path.name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("cut", "is not a readable safetensors file"),
        ("noise", "is not a readable safetensors file"),
        ("foreign", "is not a DRC model: found no architecture entry"),
        ("partial", "does not hold the weights its header promises (1 missing"),
    ],
)
def test_damaged_and_foreign_files(graph, models, name, part):
    file = damaged(models, name)
    text = sentence(graph.load, file)
    assert text.startswith(f"Load DRC Model: {file} ") and part in text


@pytest.mark.parametrize("name", ["missing.safetensors", "../tiny.safetensors", "/etc/passwd", "readme.txt"])
def test_unknown_model_name(graph, models, classes, name):
    (models / "readme.txt").write_text("not a model")
    text = sentence(graph.load, name)
    assert text.startswith(f"Load DRC Model: model_name is '{name}'") and "choose one of: embedded" in text
    assert classes["DRC_LoadModel"].validate_inputs(name) == text


def test_embedded_weights_missing(graph, pack, monkeypatch, tmp_path):
    monkeypatch.setattr(pack.nodes.paths, "EMBEDDED_FILE", tmp_path / "drc-embedded.safetensors")
    assert "drc-embedded.safetensors is missing in this pack; install the pack again" in sentence(
        graph.load, "embedded"
    )


def test_a_reference_with_alpha_lies_on_white(graph, model, reference):
    alpha = (torch.rand(1, 32, 32, 1, generator=torch.Generator().manual_seed(3)) > 0.5).float()
    on_white = reference * alpha + (1 - alpha)
    found = graph.semantics(model, torch.cat((reference, alpha), dim=-1))
    assert torch.equal(found.rows, graph.semantics(model, on_white).rows)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (8192, 8192)])
def test_pictures_of_any_size(graph, model, shape):
    picture = torch.full((1, *shape, 3), 0.25)
    assert graph.semantics(model, picture).rows.isfinite().all()
    assert torch.allclose(prepare(picture, 32, "reference"), torch.tensor(0.25))


def test_a_picture_that_is_not_square_is_centred_on_its_border(pack):
    picture = torch.zeros(1, 16, 32, 3)
    picture[..., 0] = 1  # a red border
    picture[:, 4:12, 8:24] = 0
    square = prepare(picture, 32, "reference")[0]
    assert square[:, 0, 16].tolist() == [1, 0, 0] and square[:, 31, 16].tolist() == [1, 0, 0]
    assert square[:, 16, 16].tolist() == [0, 0, 0]


def test_a_long_history_takes_constant_memory(graph, model, history, pack, monkeypatch):
    """Never more pictures at once than one chunk, and the same style as in one go."""
    seen = []
    tokenize = type(model.drc.lmm).tokenize
    monkeypatch.setattr(type(model.drc.lmm), "tokenize", lambda self, x: seen.append(len(x)) or tokenize(self, x))
    long = history.repeat(41, 1, 1, 1)
    style = graph.style(model, long)
    assert style.rows.shape[0] == 205 and sum(seen) == 205
    assert max(seen) == pack.nodes.encode.PICTURES
