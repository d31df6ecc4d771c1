"""Words of Janus: as the whole tokenizer.json has them, but for what nobody may write."""

import pytest
import torch
from tokenizers import Tokenizer

from drc.data.wordings import fitting, unread
from drc.instruction import InContext
from drc.lmm.janus.model import JanusConfig
from drc.lmm.janus.text import ASSISTANT, BEGIN, IMAGE, PAD, USER, load_words, step
from scripts.lib.tiny_janus import SIZES, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    (folder / "tokenizer.json").write_text(words().to_str(), "utf-8")
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return load_words(folder, 400, "again")


@pytest.mark.parametrize(
    "text", ["red apple", "The cat, sad; 12 foxes!", "(a dog)", "two\nlines", "\u00c4pfel \u82f9\u679c"]
)
def test_a_prompt_is_that_of_the_original(folder, found, text):
    """Its pieces, put together, are what the tokeniser makes of the whole."""
    whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
    expected = whole.encode(f"{BEGIN}{USER}: {text}\n\n{ASSISTANT}:{IMAGE}", add_special_tokens=False).ids
    prompt, ids = found.prompt(), found.encode(f" {text}\n")
    assert [*prompt.before, *(number - 1 for number in ids), *prompt.after] == expected
    assert prompt.pad == whole.token_to_id(PAD) and 0 not in ids


def test_special_tokens_cannot_be_written(found):
    ids = [number - 1 for number in found.encode(f"a {IMAGE} b {PAD}")]
    assert not {found.tags[IMAGE], found.tags[PAD]} & set(ids) and len(ids) > 10
    assert found.encode("") == found.encode(" \n") == []


def test_a_text_beyond_measure(found):
    with pytest.raises(ValueError, match="^text has 40000 letters, expected at most 32768; shorten it$"):
        found.encode("a" * 40_000)


@pytest.mark.parametrize("text", ["red apple " * 4000, "a" * 40_000, "red apple" + " " * 40_000 + "fox"])
def test_a_caption_beyond_measure_is_cut_off_as_any_other(found, text):
    kept = fitting(found, text, 64)
    assert kept.rstrip() == fitting(found, text[:1000], 64).rstrip() and found.encode(kept)
    assert unread(found, [text], 64, "Janus") == [
        "1 of 1 captions are cut off: Janus reads 64 words and pieces of words at most"
    ]


def test_a_prompt_longer_than_the_context(found):
    prompt = found.prompt()
    lmm = JanusConfig(SIZES, prompt.before, prompt.after, pad=prompt.pad).build()
    around = len(prompt.before) + len(prompt.after)
    room = 512 - 16
    assert len(lmm.in_context([], [], [1] * (room - around))) == room
    with pytest.raises(
        ValueError, match=f"^text takes {room + 1} tokens, .* room for {room} beside .*; shorten the text$"
    ):
        lmm.in_context([], [], [1] * (room - around + 1))
    with pytest.raises(ValueError, match="^reference is connected, but Janus draws from words alone; disconnect it"):
        lmm.in_context([], [torch.zeros(1, 16)], [1])
    bytes_of = lmm.drawing_bytes(InContext(torch.zeros(room, dtype=torch.long), 5.0, ""), 3)
    kept = 2 * 2 * 6 * 2 * 512 * 16 * 4  # layers, keys and values, streams, heads, positions, numbers, bytes
    assert bytes_of == kept + 6 * room * 4 * (32 + 64) * 4  # streams, positions, what is alive in a layer, bytes


DEEPSEEK = (
    "[\r\n]",
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\U00010400-\U0001044f]+",
    "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
    "\\s+$",
    "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
)  # of DeepSeek-LLM's own tokenizer.json, the letters cut short


@pytest.mark.parametrize("pattern", DEEPSEEK)
def test_the_patterns_of_deepseek_are_taken(pattern):
    assert step({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False})
