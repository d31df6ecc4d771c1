"""Reference from Words: drawings stand in for a picture, whatever the model reads pictures with."""

import pytest
import torch

NODE = "DRC_ReferenceFromWords"


@pytest.fixture
def told(pack, monkeypatch):
    """What the node says of itself."""
    found = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: found.append(text))
    return found


def test_the_embedded_model_reads_the_codes_as_they_are(graph, told):
    from drc.drawings import find

    model, found = graph.load("embedded"), find("bicycle")
    semantics, pictures, text = graph.outputs(NODE, model=model, words="Bikes", drawings=1)
    with torch.inference_mode():
        expected = model.drc.semantics(found.codes[0])
        drawn = model.drc.lmm.detokenize(found.codes)
    assert semantics.rows.numpy().tobytes() == expected.rows.numpy().tobytes() and text == ""
    torch.testing.assert_close(pictures, drawn[:1].movedim(1, 3))
    hand = found.hands[0]
    assert told == [f"bicycle, as drawn in {hand.set} by {hand.author} ({hand.licence})"]
    semantics, pictures, _ = graph.outputs(NODE, model=model, words="bicycle")
    torch.testing.assert_close(pictures, drawn.movedim(1, 3))
    assert len(semantics.rows) == 3 * len(expected.rows)
    assert all(hand.author in told[1] for hand in found.hands)
    graph.compose(model, None, semantics)


@pytest.mark.parametrize("kind", ["of another tokeniser", "over LaVIT"])
def test_another_model_sees_the_drawings_as_pictures(graph, model, lavit_towers, kind):
    model = model if kind == "of another tokeniser" else graph.load(lavit_towers.name)
    semantics, pictures, _ = graph.outputs(NODE, model=model, words="bicycle", drawings=1)
    assert pictures.shape == (1, 128, 128, 3)
    assert torch.equal(semantics.rows, graph.semantics(model, pictures).rows)


def test_several_words_that_nobody_drew_are_text(graph, model, told):
    semantics, pictures, text = graph.outputs(NODE, model=model, words="red apple on a bicycle")
    assert semantics is None and not isinstance(pictures, torch.Tensor) and text == "red apple on a bicycle"
    assert "bicycle" in told[0].split("(near: ")[1]
    instruction = graph.compose(model, None, semantics, text="red apple")
    assert torch.equal(instruction.vectors, graph.compose(model, text="red apple").vectors)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("bycicle", "Reference from Words: words is 'bycicle', but no drawing is called 'bycicle' (near: "),
        ("", "Reference from Words: the words are '', expected the name of one thing"),
        ("\u043a\u043e\u0442", "Reference from Words: the words are '\u043a\u043e\u0442', expected English ones"),
        ("cat " * 1000, "Reference from Words: the words have 4000 letters, expected at most 100"),
    ],
)
def test_words_that_do_not_serve_are_one_sentence(graph, model, words, sentence):
    with pytest.raises(ValueError) as caught:
        graph.outputs(NODE, model=model, words=words)
    assert str(caught.value).startswith(sentence)


def test_towers_that_were_never_trained_refuse(graph):
    with pytest.raises(ValueError, match="Reference from Words: the towers of this model were never trained"):
        graph.outputs(NODE, model=graph.load("untrained.safetensors"), words="bicycle")
