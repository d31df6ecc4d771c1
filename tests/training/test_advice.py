"""Settings that keep something from being learned say so: what batches really show decides what is true."""

import dataclasses
import itertools

import pytest
import torch

from drc.checkpoint import load
from drc.train.advice import about_conditions, advice, check_learning
from drc.train.config import TrainingConfig
from drc.train.data.batches import BatchCodes
from drc.train.data.conditioning import draw_batch
from drc.train.errors import TrainingError
from drc.train.run import Hooks, open_data

from .tiny_training import draw_pictures

NOTHING, NO_LANGUAGE = "nothing is learned", "the language model learns nothing"
OR_FREEZE = ", or train_language to 'frozen'"


@pytest.fixture(scope="module")
def lmm(tiny_training):
    return load(tiny_training.model).lmm


@pytest.fixture(scope="module")
def data(tiny_training):
    def of(**settings):
        config = tiny_training.config(**settings)
        return open_data(config, load(tiny_training.model), Hooks(), None)

    return of


@pytest.mark.parametrize(
    ("settings", "way", "sentence"),
    [
        ({"rate": 0.0}, "everything", f"rate is 0, with which {NOTHING}; set it to 0.0001 or so"),
        ({"gradient_norm": 0.0}, "frozen", f"gradient_norm is 0, with which {NOTHING}; set it to 1 or so"),
        (
            {"language_rate": 0.0},
            "everything",
            f"language_rate is 0, with which {NO_LANGUAGE}; set it to 0.0001 or so{OR_FREEZE}",
        ),
        ({"lora_alpha": 0.0}, "LoRA", f"lora_alpha is 0, with which {NO_LANGUAGE}; set it to 16 or so{OR_FREEZE}"),
    ],
)
def test_what_learns_nothing_is_refused(tiny_training, tmp_path, settings, way, sentence):
    with pytest.raises(TrainingError) as error:
        tiny_training.train(tmp_path / "run", train_language=way, **settings)
    assert str(error.value) == sentence
    assert not (tmp_path / "run").exists()


def test_a_large_model_that_none_needs_is_refused(tiny_training, tmp_path):
    with pytest.raises(
        ValueError, match="^lmm is '.*', which is not used, as .* holds its whole model; leave lmm out$"
    ):
        tiny_training.train(tmp_path / "run", lmm=str(tmp_path))


def test_what_is_not_used_may_be_0(tiny_training):
    check_learning(tiny_training.config(language_rate=0.0, lora_alpha=0.0), "frozen")
    check_learning(tiny_training.config(lora_alpha=0.0), "everything")


def test_the_settings_of_a_good_training_need_no_advice(tiny_training, data, lmm):
    assert advice(tiny_training.config(), "everything", lmm, data()) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"warm_up": 400}, "warm_up is 400 and steps is 4, so the learning rate never grows to more than 1.00% of its"),
        ({"sampling_warm_up": 4}, "sampling_warm_up is 4 and steps is 4, so sampling stays uniform"),
        ({"all_blank": 1.0}, "all_blank is 1, so the language model never learns to go on"),
        (
            {"rate": 1e-12},
            "the learning rate of towers and fusion network is at most 1e-12, and steps below 1e-08 are lost",
        ),
        ({"language_rate": 9e-9}, "the learning rate of the language model is at most 9e-09"),
        ({"gradient_norm": 1e-9}, "gradient_norm is 1e-09, which leaves next to nothing"),
        ({"drop_style": 1.0, "drop_semantics": 0.0, "drop_both": 0.0}, "the history is never shown, so no style"),
    ],
)
def test_what_learns_a_part_is_told(tiny_training, data, settings, told, lmm):
    (text,) = advice(tiny_training.config(**settings), "everything", lmm, data())
    assert told in text and not text.endswith(".")


def test_a_rate_below_which_weights_do_not_move(tiny_training, tmp_path):
    """What `LEAST_STEP` is about: the towers of such a training are those it began from."""
    notes = []
    result = tiny_training.train(tmp_path / "run", Hooks(on_note=notes.append), rate=1e-12, weight_decay=0.0)
    before, after = load(tiny_training.model).disentangler, load(result.file).disentangler
    assert any("towers and fusion network" in note for note in notes)
    for name, weight in before.state_dict().items():
        assert torch.allclose(weight, after.state_dict()[name], rtol=1e-6, atol=1e-10), name


@pytest.mark.parametrize("drops", [(1.0, 0.05, 0.05), (0.5, 0.5, 0.5), (0.1, 1.0, 0.0), (0.1, 0.05, 1.0), (1, 1, 1)])
def test_shares_beyond_1_are_told_as_what_they_do(data, drops):
    """By names that Train Personalisation shows alone."""
    training = TrainingConfig(**dict(zip(("drop_style", "drop_semantics", "drop_both"), drops, strict=True)))
    told = list(about_conditions(training, dataclasses.replace(data(), text=torch.ones(1, 1, 2, dtype=torch.long))))
    assert not any("text" in text for text in told)
    counted = [float(word) for word in told[0].split("count as ")[1].replace("and", ",").split(",") if word.strip()]
    codes = torch.zeros(4000, 2, dtype=torch.long)
    given = BatchCodes(codes, codes[:, None], codes, codes, torch.ones_like(codes))
    quiet = dataclasses.replace(training, text_alone=0.0, mask=0.0)
    batch = draw_batch(given, quiet, 9, 3, torch.full((4,), 0.25), 1.0, torch.Generator().manual_seed(0))
    no_style, no_meaning = batch.no_style, batch.hidden.all(dim=1)
    shown = [no_style & ~no_meaning, no_meaning & ~no_style, no_style & no_meaning]
    assert [float(one.float().mean()) for one in shown] == pytest.approx(counted, abs=0.03)


def test_a_share_of_targets_of_which_there_are_none(tiny_training, data, tmp_path, lmm):
    table = tmp_path / "pictures" / "table.csv"
    draw_pictures(table.parent, {"anna": "crimson", "ben": "navy"})
    rows = [f"{user}/{number}.png,{number}" for user in ("anna", "ben") for number in range(4)]
    table.write_text("image,semantics\n" + "\n".join(rows))
    labels = {"folder": str(table.parent), "table": "table.csv", "own_share": 0.0}
    (text,) = advice(tiny_training.config(), "everything", lmm, data(**labels))
    assert text == "own_share is 0, but nothing is repainted, so pictures are learned as they are"
    assert advice(tiny_training.config(), "everything", lmm, data(**labels | {"own_share": 0.5})) == []


def test_captions_that_are_cut_off_are_counted(tiny_training, tmp_path):
    folder = draw_pictures(tmp_path / "pictures", {"anna": "crimson", "ben": "navy"})
    (folder / "anna" / "0.txt").write_text("red,apple," * 20)
    (folder / "ben" / "0.txt").write_text("red apple")
    notes = []
    tiny_training.train(tmp_path / "run", Hooks(on_note=notes.append), folder=str(folder), steps=1)
    assert notes[:1] == ["1 of 2 captions are cut off: this model reads 6 words and pieces of words at most"]


def test_conditions_that_are_said_to_be_never_shown_are_those_that_no_batch_shows(data):
    shown = {"style": "no style is learned", "meaning": "no meaning is learned", "both": "never shown together"}
    words = "no words are learned"
    some, captioned = data(), torch.ones(1, 1, 2, dtype=torch.long)
    some = dataclasses.replace(some, text=captioned)
    codes = torch.zeros(400, 2, dtype=torch.long)
    given = BatchCodes(codes, codes[:, None], codes, codes, torch.ones_like(codes))
    for values in itertools.product((0.0, 0.5, 1.0), repeat=5):
        names = ("drop_style", "drop_semantics", "drop_both", "text_alone", "keep_text")
        training = TrainingConfig(**dict(zip(names, values, strict=True)))
        random = torch.Generator().manual_seed(0)
        batch = draw_batch(given, training, 9, 3, torch.full((4,), 0.25), 1.0, random)
        style, meaning = ~batch.no_style, ~batch.hidden.all(dim=1)
        seen = {"style": bool(style.any()), "meaning": bool(meaning.any()), "both": bool((style & meaning).any())}
        told = "\n".join(about_conditions(training, some))
        for name in ("style", "meaning"):
            assert (shown[name] not in told) == seen[name], (values, name)
        assert (shown["both"] in told) == (not seen["both"] and seen["style"] and seen["meaning"]), values
        assert (words not in told) == bool(batch.text.any()), values
