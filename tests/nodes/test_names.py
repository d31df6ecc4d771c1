"""What files may be called: words of every script, and nothing that a disk somewhere refuses."""

import pytest

from drc.names import called, check_name
from scripts.lib.sentence import sentence_shown as sentence

GOOD = {
    "plain": "v1.5 final_2",
    "Latin with an accent of its own": "e\u0301te\u0301",
    "Hindi": "\u0939\u093f\u0928\u094d\u0926\u0940",
    "Tamil": "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",
    "Thai": "\u0e2a\u0e35",
    "Arabic with vowels": "\u0627\u0644\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u0651\u064e\u0629",
    "Persian with a joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "rare Kanji": "\U00020bb7\u91ce\u5bb6",
}
NONE = ["", "a/b", "a\\b", "../a", ".hidden", "a.", "a ", "con", "NUL.safetensors", "a:b", "a\nb"]
NONE += ["\u202egpj", "\u3164", "a\u200db", "a\ufe0f", "a\u034f", "\U0001f3a8", "\ud83c", "a" * 201, "\u0905" * 67]


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
def test_words_of_every_script_are_names(name):
    check_name(name, "filename")


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_name_is_a_sentence(pack, name):
    def check():
        with pack.nodes.errors.errors_of("Save"):
            check_name(name, "filename")

    assert sentence(check).startswith("Save: filename ")


@pytest.mark.parametrize(
    ("text", "name"),
    [("\u2600\ufe0f", "picture"), ("\u3164", "picture"), ("a\u200db", "ab"), (GOOD["Persian with a joiner"],) * 2],
)
def test_what_is_called_by_a_text_has_nothing_hidden_in_its_name(text, name):
    assert called(text) == name
