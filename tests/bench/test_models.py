"""Models draw a case alike in any batch, at any size, and are found by the path of their file."""

import pytest
import torch

from drc.bench import models as drawing_models
from drc.bench.judges.judge import Features, Judge
from drc.bench.models import (
    Chooser,
    DRCModel,
    EntangledModel,
    ThroughTokeniser,
    find_file,
    load_entangled,
    open_models,
)
from drc.checkpoint import load
from drc.data.icons import Icons
from drc.drawings import Drawings
from drc.lmm.generate import Sampling
from drc.pixels import from_pixels, resized
from drc.tensor_file import write_safetensors
from drc.train.checkpoints import STATE, WEIGHTS, Checkpoint, RunFolder
from drc.train.objectives.entangled import EntangledDRC
from scripts.lib.tiny import CONFIG, write_tiny
from scripts.lib.tiny_drawings import write_tiny_drawings

WORDS = ["", "", ""]


@pytest.fixture
def state(tmp_path):
    """The folder of an entangled training, with the state that it goes on from."""
    torch.manual_seed(0)
    model = EntangledDRC(CONFIG)
    model.initialise()
    kept = {
        name: tensor for name, tensor in model.state_dict().items() if "vision" not in name and "lm_head" not in name
    }
    run = RunFolder(tmp_path / "entangled")
    run.save(10, {STATE: Checkpoint({f"average.model.{name}": tensor for name, tensor in kept.items()}, {})})
    return run.folder


def asked(size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 2, 3, size, size, generator=generator), torch.rand(3, 3, size, size, generator=generator)


def test_a_case_is_drawn_the_same_in_any_batch(tiny):
    model = DRCModel(load(tiny), 2.0, 3.0, Sampling())
    history, reference = asked()
    together = model.draw(history, reference, WORDS, [1, 2, 3])
    alone = model.draw(history[1:2], reference[1:2], WORDS[1:2], [2])
    torch.testing.assert_close(together[1:2], alone)
    assert not torch.equal(together[0], together[1])


def test_pictures_of_another_size_are_made_to_fit(tiny):
    model = DRCModel(load(tiny), 1.0, 1.0, Sampling())
    history, reference = asked(64)
    drawn = model.draw(history, reference, WORDS, [1, 2, 3])
    little = resized(history.flatten(0, 1), 32).unflatten(0, (3, 2)), resized(reference, 32)
    small = model.draw(*little, WORDS, [1, 2, 3])
    assert drawn.shape == reference.shape
    torch.testing.assert_close(drawn, resized(small, 64))


def test_what_is_dropped_does_not_count(tiny):
    history, reference = asked()
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling(), controls=True)
    assert list(models) == ["ours", "ours, history only", "ours, reference only"]
    for name, other in (
        ("ours, history only", (history, reference.flip(0))),
        ("ours, reference only", (history.flip(0), reference)),
    ):
        drawn = models[name].draw(history, reference, WORDS, [1, 2, 3])
        assert torch.equal(drawn, models[name].draw(*other, WORDS, [1, 2, 3])), name
    assert len({model.key for model in models.values()}) == 3
    assert {model.digest for model in models.values()} == {load(tiny).hash}


def test_a_word_takes_the_place_of_the_reference(tiny, monkeypatch):
    history, reference = asked()
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling(), by_word=True)
    assert list(models) == ["ours", "ours, word only"]
    model, asked_of = models["ours, word only"], []
    draw = model.drc.lmm.draw
    monkeypatch.setattr(model.drc.lmm, "draw", lambda asks, *rest: asked_of.append(asks) or draw(asks, *rest))
    words = ["red apple", "sad cat", "red apple"]
    drawn = model.draw(history, reference, words, [1, 1, 1])
    assert torch.equal(drawn, model.draw(history, reference.flip(0), words, [1, 1, 1]))
    first, second = asked_of
    assert torch.equal(first.text, second.text) and torch.equal(first.vectors, second.vectors)
    assert torch.equal(first.text[0], first.text[2]) and not torch.equal(first.text[0], first.text[1])


def test_drawings_of_a_word_take_the_place_of_the_reference(tiny, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="another tokeniser than the index of drawings"):
        open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling(), by_drawing=True)
    index = Drawings(write_tiny_drawings(tmp_path, load(tiny)))
    monkeypatch.setattr(drawing_models, "Drawings", lambda: index)
    models = open_models({"ours": str(tiny)}, (1.5, 3.0), Sampling(), by_drawing=True)
    assert list(models) == ["ours", "ours, 1 drawing", "ours, 2 drawings", "ours, 3 drawings"]
    assert len({model.key for model in models.values()}) == 4
    history, reference = asked()
    words = ["dog", "bell", "thing 7"]
    drawn = models["ours, 1 drawing"].draw(history, reference, words, [1, 2, 3])
    assert torch.equal(drawn, models["ours, 1 drawing"].draw(history, reference.flip(0), words, [1, 2, 3]))
    icons, first = Icons(tmp_path / "icons"), [(index.find(word).hands[0].style, word) for word in words]
    shown = from_pixels([icons.images[icons.rows[cell]] for cell in first])
    assert torch.equal(drawn, models["ours"].draw(history, shown, words, [1, 2, 3]))
    assert not torch.equal(drawn, models["ours, 2 drawings"].draw(history, reference, words, [1, 2, 3]))


def test_an_entangled_model_is_compared_without_guidance(tiny, state):
    models = open_models({"ours": str(tiny), "theirs": str(state)}, (1.5, 3.0), Sampling())
    assert list(models) == ["ours", "ours, strengths 1", "theirs"]
    assert isinstance(models["theirs"], EntangledModel)
    history, reference = asked()
    assert models["theirs"].draw(history, reference, WORDS, [1, 2, 3]).shape == reference.shape
    assert models["theirs"].lmm.vision is models["ours"].lmm.vision


def test_a_training_is_its_last_checkpoint(tiny, tmp_path):
    run = RunFolder(tmp_path / "stage2")
    for step in (10, 20):
        run.path(step).mkdir()
        write_tiny(run.path(step) / WEIGHTS, seed=step)
    assert find_file(str(run.folder)) == run.path(20) / WEIGHTS
    (model,) = open_models({"ours": str(run.folder)}, (1.5, 3.0), Sampling()).values()
    assert model.digest == load(run.path(20) / WEIGHTS).hash


def test_the_embedded_model_has_a_name():
    assert find_file("embedded").is_file()


def test_what_is_no_model_is_said(tiny, state, tmp_path):
    (tmp_path / "empty").mkdir()
    write_safetensors({"x": torch.ones(1)}, tmp_path / "wrong" / STATE, {})
    for path, words in (
        (tmp_path / "none", "there is no model at"),
        (tmp_path / "empty", "holds no checkpoint"),
        (state, "draws with the tokeniser of a DRC model, but none was given"),
    ):
        with pytest.raises(ValueError, match=words):
            open_models({"m": str(path)}, (1.5, 3.0), Sampling())
    with pytest.raises(ValueError, match="is not the state of an entangled training"):
        load_entangled(tmp_path / "wrong" / STATE, load(tiny))


def test_an_entangled_model_beside_what_it_cannot_borrow_from(state, tiny, tiny_janus, tmp_path):
    janus = load(tiny_janus / "drc" / "tiny-janus" / "config.json")
    with pytest.raises(ValueError, match="the first of the others is over a pretrained one; give --model"):
        load_entangled(find_file(str(state)), janus)
    (tmp_path / STATE).write_text("no tensors")
    with pytest.raises(ValueError, match=f"^{STATE} is not a readable safetensors file"):
        load_entangled(tmp_path / STATE, load(tiny))


def test_through_the_tokeniser_is_there_and_back(tiny):
    lmm = load(tiny).lmm
    _, reference = asked()
    rebuilt = ThroughTokeniser(lmm).draw(reference[:, None][:, :0], reference, WORDS, [1, 2, 3])
    assert torch.equal(rebuilt, lmm.detokenize(lmm.tokenize(reference)))
    assert ThroughTokeniser(lmm).key == ThroughTokeniser(load(tiny).lmm).key


class Brightness(Judge):
    name, version = "brightness", "1"

    def __call__(self, images):
        return Features(images.mean(dim=(2, 3)), images.mean(dim=(2, 3)))


class Dabber:
    """Paints one shade after another."""

    key = "dabber"

    def draw(self, history, reference, words, seeds):
        return torch.stack([torch.full_like(reference[0], seed / 10) for seed in seeds])


def test_chooser_keeps_what_its_judge_likes_best():
    history, reference = torch.ones(1, 2, 3, 8, 8), torch.ones(1, 3, 8, 8)
    chooser = Chooser(Dabber(), Brightness(), 4)
    assert chooser.draw(history, reference, [""], [3]).unique().item() == pytest.approx(0.6)
    assert chooser.key != Chooser(Dabber(), Brightness(), 5).key != Dabber.key
