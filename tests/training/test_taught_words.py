"""Which words a training says that its model learned: those that it showed, beside those that were learned before."""

import dataclasses

import pytest

from drc.checkpoint import load, read_header, save
from drc.data.folder import scan
from drc.train.config import Pairing
from drc.train.data.pairs import targets_of
from drc.train.data.training_data import folder_data
from drc.train.run import Hooks, open_data

from .tiny_training import USERS, draw_pictures

CAPTIONS = ("Red", "green", "blue", "yellow", "sad", "apple!", "the \u043a\u043e\u0442", "cat")
WORDS = {"red", "green", "blue", "yellow", "sad", "apple", "cat"}
HELD_BACK = 2


@pytest.fixture(scope="module")
def captioned(tmp_path_factory):
    folder = draw_pictures(tmp_path_factory.mktemp("captioned"), USERS)
    for path, caption in zip(sorted(folder.glob("*/*.png")), CAPTIONS, strict=True):
        path.with_suffix(".txt").write_text(caption, "utf-8")
    return folder


@pytest.fixture
def taught(tiny_training, tmp_path, captioned):
    """What the model has learned after a training, on from a base that learned `former`."""

    def train(former=None, **settings):
        base = load(tiny_training.model)
        base.about = dataclasses.replace(base.about, learned=former)
        save(base, tmp_path / "base.safetensors")
        run = tmp_path / "run"
        settings = {"folder": str(captioned), "file": str(tmp_path / "base.safetensors"), "steps": 1} | settings
        return load(tiny_training.train(run, **settings).file).about.learned

    return train


def test_captions_that_are_held_back_teach_nothing(tiny_training, captioned):
    base, folder = load(tiny_training.model), scan(captioned)
    data = folder_data(folder, Pairing(validation_share=HELD_BACK / len(CAPTIONS)), 32, base.words, 6)
    held = targets_of(data.validation["validation"].index) // data.pictures.views
    held = {folder.entries[number].caption.lower().strip("!") for number in held}
    assert len(held) == HELD_BACK and data.words == WORDS - held
    assert open_data(tiny_training.config(), base, Hooks(), None).words == frozenset()


def test_a_training_adds_what_it_showed(taught):
    learned = taught(former=frozenset({"tree"}), validation_share=0.0)
    assert learned == {"tree", *WORDS}


def test_from_nothing_what_was_learned_is_forgotten(taught):
    assert taught(former=frozenset({"tree"}), start="from nothing", validation_share=0.0) == WORDS


@pytest.mark.parametrize("settings", [{"train_language": "frozen"}, {"keep_text": 0.0, "text_alone": 0.0}])
def test_a_training_that_learns_no_text_adds_nothing(taught, settings):
    assert taught(former=frozenset({"tree"}), **settings) == {"tree"}


def test_where_it_is_not_known_what_was_learned_it_stays_so(taught, tmp_path):
    assert taught() is None
    assert "learned" not in read_header(tmp_path / "run" / "step-000001" / "weights.safetensors")
