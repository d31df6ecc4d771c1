"""Captions, cut to what a model reads."""

import string
import time

import pytest

from drc.data.wordings import caption_ids, fitting, shortening
from drc.lmm.mini.text import PAD, UNKNOWN, word_pieces

SLOTS = 16


@pytest.fixture(scope="module")
def words():
    """A few colours; other words take one token for each letter, and what is no letter is unknown."""
    letters = string.ascii_lowercase
    known = [PAD, UNKNOWN, "red", "blue", "a", ",", *letters[1:], *(f"##{letter}" for letter in letters)]
    return word_pieces({word: number for number, word in enumerate(known)})


def tokens(words, text):
    return len(words.encode(text).ids)


@pytest.mark.parametrize("text", ["", "a red apple", "a,b,c", "one\ttag", "red " * SLOTS])
def test_what_fits_is_kept_as_it_is(words, text):
    assert fitting(words, text, SLOTS) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("red apple, blue apple, red pear", "red apple, blue apple, red"),
        ("a,b,c,d,e,f,g,h,i,j", "a,b,c,d,e,f,g,h,"),
        ("red\nblue\n" * 9, "red\nblue\n" * 7 + "red\nblue"),
        ("red\tblue\t" * 9, "red\tblue\t" * 7 + "red\tblue"),
        ("red\u00a0blue\u00a0" * 9, "red\u00a0blue\u00a0" * 7 + "red\u00a0blue"),
        ("red\u3000blue\u3000" * 9, "red\u3000blue\u3000" * 7 + "red\u3000blue"),
        ("\u7ea2\u82f9\u679c" * 6, "\u7ea2\u82f9\u679c" * 5 + "\u7ea2"),
        ("cat " + "\u7ea2\u82f9\u679c" * 6, "cat " + "\u7ea2\u82f9\u679c" * 4 + "\u7ea2"),
        ("red_blue_" * 9, "red_blue_" * 4),
        ("red.blue." * 9, "red.blue." * 4),
        ("zq" * 40, "zq" * 8),
    ],
)
def test_what_does_not_fit_is_cut_where_words_end(words, text, kept):
    assert tokens(words, text) > SLOTS
    assert fitting(words, text, SLOTS) == kept
    assert tokens(words, kept) <= SLOTS and caption_ids(words, text, SLOTS).any()


def test_a_long_caption_takes_no_time(words):
    start = time.monotonic()
    for text in ("a, " * 20_000, "a" * 60_000, "," * 60_000, "\u7ea2" * 20_000):
        assert tokens(words, fitting(words, text, SLOTS)) <= SLOTS
    assert time.monotonic() - start < 20


def test_how_many_were_cut(words):
    captions = ["a red apple", "", "a,b,c,d,e,f,g,h,i", "red " * 40]
    assert shortening(words, captions, SLOTS, "this model") == [
        "2 of 3 captions are cut off: this model reads 16 words and pieces of words at most"
    ]
    assert shortening(words, captions[:2], SLOTS, "this model") == []
