"""Words of the embedded model."""

import pytest

from drc.lmm.mini.text import PAD, UNKNOWN, read_words, train_words
from drc.lmm.words import encode_text
from scripts.lib.tiny import LABELS

WORDS, SLOTS = 40, 6


@pytest.fixture
def words():
    return train_words(LABELS, WORDS)


def test_ids_fit_and_end_in_padding(words):
    assert words.tokenizer.get_vocab_size() <= WORDS and words.tokenizer.token_to_id(PAD) == 0
    ids = encode_text(words, "red apple", SLOTS)
    assert ids.shape == (SLOTS,) and ids.max() < WORDS
    assert ids.tolist() == sorted(ids.tolist(), key=lambda token: token == 0)
    assert words.tokenizer.decode(ids[ids > 0].tolist()) == "red apple"


def test_no_text_is_all_padding(words):
    assert not encode_text(words, "", SLOTS).any()
    assert not encode_text(words, "  \n", SLOTS).any()


def test_case_and_accents_do_not_count(words):
    assert encode_text(words, "Réd APPLE", SLOTS).tolist() == encode_text(words, "red apple", SLOTS).tolist()


def test_other_alphabets_are_unknown(words):
    assert encode_text(words, "猫", SLOTS)[0] == words.tokenizer.token_to_id(UNKNOWN)


def test_words_that_the_vocabulary_cannot_spell(words):
    assert words.unknown("red \u043a\u043e\u0442, \u732b (apple)! \u043a\u043e\u0442 \U0001f34e") == [
        "\u043a\u043e\u0442", "\u732b", "\U0001f34e"
    ]  # fmt: skip
    assert words.unknown("A red apple, (blue) car!") == words.unknown("") == []


def test_text_longer_than_fits_is_one_sentence(words):
    assert encode_text(words, "apple " * SLOTS, SLOTS).all()
    with pytest.raises(
        ValueError, match=f"{SLOTS + 1} words and pieces of words, but this model reads at most {SLOTS}"
    ) as error:
        encode_text(words, "apple " * (SLOTS + 1), SLOTS)
    assert "\n" not in str(error.value)


def test_a_text_beyond_measure_is_not_read(words):
    """Nothing else is heard while one is."""
    with pytest.raises(ValueError, match="^text has 40000 letters, expected at most 32768; shorten it$"):
        encode_text(words, "!" * 40_000, SLOTS)


def test_the_vocabulary_is_the_same_every_time_and_survives_a_file(words):
    assert train_words(LABELS, WORDS).to_json() == words.to_json()
    again = read_words(words.to_json(), WORDS)
    assert again.to_json() == words.to_json() and again.encode("a blue car") == words.encode("a blue car")
