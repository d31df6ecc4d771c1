"""Captions, cut to what a model reads."""

import string
import time

import pytest

from drc.data.wordings import caption_ids, fitting, unread
from drc.lmm.mini.text import PAD, UNKNOWN, WordPieces

SLOTS = 16


@pytest.fixture(scope="module")
def words():
    """A few colours; other words take one token for each letter, and what is no letter is unknown."""
    letters = string.ascii_lowercase
    known = [PAD, UNKNOWN, "red", "blue", "a", ",", *letters[1:], *(f"##{letter}" for letter in letters)]
    return WordPieces({word: number for number, word in enumerate(known)})


def tokens(words, text):
    return len(words.encode(text))


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
        ("z" * 101, "z" * 16),
        ("z" * 5000, "z" * 16),
        ("red " + "z" * 5000, "red"),
        ("z" * 200 + " red", "z" * 16),
    ],
)
def test_what_does_not_fit_is_cut_where_words_end(words, text, kept):
    assert tokens(words, text) > SLOTS or UNKNOWN in words.tokenizer.encode(text).tokens
    assert fitting(words, text, SLOTS) == kept
    assert tokens(words, kept) <= SLOTS and caption_ids(words, text, SLOTS).any()


def test_a_long_caption_takes_no_time(words):
    start = time.monotonic()
    for text in ("a, " * 20_000, "a" * 60_000, "," * 60_000, "\u7ea2" * 20_000):
        assert tokens(words, fitting(words, text, SLOTS)) <= SLOTS
    assert time.monotonic() - start < 20


def test_how_many_were_cut(words):
    captions = ["a red apple", "", "a,b,c,d,e,f,g,h,i", "red " * 40]
    assert unread(words, captions, SLOTS, "this model") == [
        "2 of 3 captions are cut off: this model reads 16 words and pieces of words at most"
    ]
    assert unread(words, captions[:2], SLOTS, "this model") == []
    assert unread(words, ["z" * 5000], SLOTS, "this model")[0].startswith("1 of 1 captions are cut off")


def test_a_language_without_blanks_is_read_in_pieces():
    thai, hangul = "\u0e01\u0e02", "\ud55c"  # a syllable of the second is three letters once it is normalised
    letters = [*thai, *(chr(0x1100 + number) for number in range(0x100))]
    words = WordPieces(
        {word: number for number, word in enumerate([PAD, UNKNOWN, *letters, *map("##{}".format, letters)])}
    )
    for text in (thai * 120, hangul * 60):
        assert words.tokenizer.encode(text).tokens == [UNKNOWN]
        assert UNKNOWN not in words.tokenizer.encode(fitting(words, text, SLOTS)).tokens
        assert caption_ids(words, text, SLOTS).count_nonzero() > SLOTS - 3


def test_captions_in_words_that_nobody_taught_are_counted(words):
    captions = ["\u043a\u043e\u0442, \u043f\u0451\u0441", "\u0e01" * 240, "red \u043a\u043e\u0442", ""]
    assert unread(words, captions, SLOTS, "this model")[-1] == (
        "2 of 3 captions say nothing: this model never saw their words"
    )
