"""Complete Icon Set: a picture for each line and each reference, and what Cancel leaves of them."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from comfy import model_management
from torch import tensor

from drc.seeds import seed_for
from scripts.lib.sentence import sentence_shown as sentence

NODE = "DRC_CompleteSet"


@pytest.fixture
def given(graph, model, history):
    return {"model": model, "style": graph.style(model, history), "words": "sun\ncar\nblue car", "temperature": 1.0}


@pytest.fixture
def texts(pack, monkeypatch):
    """What the node says."""
    found = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: found.append(text))
    return found


def test_each_picture_is_the_one_that_generate_draws(execute, graph, model, history, reference, given, texts):
    tokens, names, scores = execute(NODE, **given, references=reference, reference_names="car", seed=7)
    assert names == ["sun", "car", "blue-car"] and len(scores) == 3 and all(type(one) is float for one in scores)
    for codes, words in zip(tokens.codes, ("sun", "car", "blue car"), strict=True):
        semantics = graph.semantics(model, reference) if words == "car" else None
        instruction = graph.compose(model, given["style"], semantics, text=words)
        drawn = graph.generate(model, instruction, seed=seed_for(7, words), temperature=1.0)
        assert codes.equal(drawn.codes[0])
    assert "3 pictures\n" in texts[-1] and f"scores: sun {scores[0]:.2f}, car {scores[1]:.2f}, " in texts[-1]
    assert graph.decode(model, tokens).shape == (3, 32, 32, 3)


def test_references_alone(execute, given, history):
    """As one batch, as a list, and with names."""
    alone = given | {"words": ""}
    tokens, names, _ = execute(NODE, **alone, references=history[:2])
    assert names == ["reference-1", "reference-2"] and len(tokens.codes) == 2
    listed, *_ = execute(NODE, **alone, references=[history[:1], history[1:2]])
    assert listed.codes.equal(tokens.codes)
    assert execute(NODE, **alone, references=history[:2], reference_names="a\n\nb")[1] == ["a", "b"]


def test_the_grid_grows(pack, execute, given, monkeypatch):
    previews, values = [], []

    class Bar:
        def update_absolute(self, value, preview=None):
            values.append(value)
            if preview is not None:
                previews.append(preview[1])

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SECONDS", 0.0)
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SHARE", 1e9)
    words = "\n".join(f"car {number}" for number in range(20))
    execute(NODE, **given | {"words": words})
    assert values == sorted(values) and values[-1] == 20 * 16 and len(previews) > 20
    *growing, last = previews
    assert {preview.size for preview in growing} == {(510, 510)}  # five pictures in a row
    assert last.size == (510, 510 + 3 * 32)  # below them what hardly has a meaning, and notes
    empty = [np.mean(np.array(preview)[..., 0] == 33) for preview in (growing[0], growing[-1])]
    assert empty[0] > 0.3 > 0.22 > empty[1] > 0.18


def test_it_tells_scores_and_what_hardly_has_a_meaning(pack):
    """A strong style does not make up for a meaning that is lost."""

    def drawn(name, style, meaning):
        return SimpleNamespace(asked=SimpleNamespace(item=SimpleNamespace(name=name)), scores=tensor([style, meaning]))

    told, scores = pack.nodes.complete_set.vague_told, pack.nodes.complete_set.scores_told
    pair = [drawn("cat", 0.1, 0.3), drawn("blob", 0.3, 0.0)]
    assert (told(pair), scores(pair)) == (
        ["hardly show what they are called: blob"],
        ["scores: cat 0.40, blob 0.30"],
    )
    assert (
        told([drawn("cat", math.nan, math.nan)]) == scores([drawn("cat", math.nan, math.nan)]) == told(pair[:1]) == []
    )
    assert scores([drawn(str(number), 0.1, 0.3) for number in range(102)])[0].endswith(", 99 0.40, and 2 more")


def test_cancel_keeps_what_is_done(execute, given, pack, monkeypatch, texts):
    DRC = type(given["model"].drc)
    words, draw, calls = "\n".join(f"car {number}" for number in range(20)), DRC.draw, []

    def cancelled(model, *inputs, **how):
        calls.append(len(inputs[5]))
        if len(calls) == 2:
            model_management.interrupt_current_processing()
        return draw(model, *inputs, **how)

    monkeypatch.setattr(DRC, "draw", cancelled)
    with pytest.raises(model_management.InterruptProcessingException):
        execute(NODE, **given | {"words": words})
    assert texts[-1].startswith("stopped after 16 of 20 pictures; Run goes on from there\n")
    tokens, names, _ = execute(NODE, **given | {"words": words})
    assert calls == [16, 4, 4] and len(tokens.codes) == len(names) == 20


def test_a_disk_that_takes_nothing(execute, given, host_folders, texts):
    (host_folders / "user" / "__drc").write_text("a file")
    tokens, *_ = execute(NODE, **given)
    assert len(tokens.codes) == 3 and "could not be kept for another run (" in texts[-1]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"words": " \n"}, "words is empty and there is no reference; write what to draw, one thing on each line"),
        ({"words": "x\n" * 10_001}, "words has 10,001 lines, expected at most 10,000; make several sets of it"),
        ({"words": "cat\n" + "x" * 300}, "line 2 of words has 300 letters, expected at most 100; name one thing"),
        (
            {"words": "red apple " * 4},
            "line 1 of words has 'red apple red apple red apple red apple', whose text takes 8 words and pieces",
        ),
        ({"reference_names": "a\nb"}, "reference_names has 2 names, but references has 1 picture; write one name"),
        ({"best_of": 17}, "best_of is 17, expected a whole number from 1 to 16"),
    ],
)
def test_what_does_not_serve(execute, given, reference, inputs, words):
    references = {} if "words" in inputs else {"references": reference}
    text = sentence(execute, NODE, **given | references | inputs)
    assert text.startswith(f"Complete Icon Set: {words}")


def test_another_models_style_and_towers_never_trained(execute, graph, given):
    other = graph.load("other.safetensors")
    text = sentence(execute, NODE, **given | {"model": other})
    assert text.startswith("Complete Icon Set: style was made by another")


def test_lavit_draws_one_after_another(execute, graph, lavit_towers, history):
    model = graph.load(lavit_towers.name)
    style = graph.style(model, history)
    tokens, names, scores = execute(NODE, model=model, style=style, words="cat\ndog")
    assert len(tokens.codes) == len(names) == 2 and all(score != score for score in scores)
    instruction = graph.compose(model, style, text="cat")
    alone = graph.generate(model, instruction, seed=seed_for(0, "cat"))
    assert tokens.codes[0].equal(alone.codes[0])
    text = sentence(execute, NODE, model=model, style=style, words="cat", best_of=2)
    assert text.startswith(
        "Complete Icon Set: best_of is 2, but this model does not tell how likely a picture is; choose 1"
    )
