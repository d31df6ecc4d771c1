"""Words that a model learned: listed in its file, and told apart from those that it can only spell."""

import dataclasses

import pytest

from drc.checkpoint import load, load_own, save
from drc.lmm import learned
from drc.lmm.learned import joined, listed, read_learned
from drc.lmm.mini.text import UNKNOWN, train_words
from scripts.lib.tiny import LABELS, write_tiny

CAT = "\u043a\u043e\u0442"  # in another script


@pytest.fixture
def words():
    """They spell more than the labels."""
    return train_words([*LABELS, "boxes"], 80)


def test_what_is_learned_is_folded_and_can_be_spelled(words):
    texts = ["A red \u00c1pple, (green) car!", f"Red {CAT} \U0001f34e", "", " ,. "]
    assert words.learned(texts) == {"a", "red", "apple", "green", "car"}


def test_words_that_are_spelled_but_were_not_learned(words):
    assert UNKNOWN not in words.tokenizer.encode("plane").tokens
    known = words.learned(LABELS)
    assert words.unknown(f"Red plane, {CAT} apple plane", known) == ["plane", CAT]
    assert words.unknown("R\u00e9d APPLES, (car) Sad; cats!", known) == []
    assert words.unknown("box", frozenset({"boxes"})) == words.unknown("cars", frozenset({"car"})) == []


@pytest.mark.parametrize("nothing", [None, frozenset()])
def test_without_a_list_only_what_cannot_be_spelled_is_told(words, nothing):
    assert words.unknown(f"red plane {CAT}", nothing) == [CAT]


def test_what_two_trainings_taught(monkeypatch):
    one, other = frozenset({"cat"}), frozenset({"apple", "cat"})
    assert joined(one, other) == {"apple", "cat"} and joined(None, other) is None
    for name in ("MOST", "MOST_LETTERS"):
        with monkeypatch.context() as patch:
            patch.setattr(learned, name, 1)
            assert joined(one, other) is None  # a list with holes would tell learned words as new


def test_a_list_is_read_as_it_is_written(words):
    for found in (frozenset(), words.learned([*LABELS, "d\u00e9j\u00e0 vu", "\u0130stanbul", "a1 b-2"])):
        assert read_learned(listed(found)) == found


def test_a_file_keeps_its_list(tmp_path):
    path, again = write_tiny(tmp_path / "tiny.safetensors"), tmp_path / "again.safetensors"
    model = load(path)
    assert model.about.learned is None and model.unknown_words("red plane") == []
    for found in (frozenset(), frozenset({"apple", "red"})):
        model.about = dataclasses.replace(model.about, learned=found)
        save(model, path)
        save(load_own(path), again)
        assert load(path).about.learned == load(again).about.learned == found
    assert load(again).unknown_words("red plane") == ["plane"]
