"""LaVIT's words, with a small vocabulary made as LLaMA's was."""

import io

import pytest
import sentencepiece

from drc.lmm.lavit.text import LavitWords, load_text_tokenizer

TEXTS = ["a red apple on a table", "the green cat sits in the house", "a photo of two dogs, 35 mm"] * 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("language_model"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=model,
        model_type="bpe",
        vocab_size=320,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return folder


@pytest.fixture(scope="module")
def words(folder):
    return load_text_tokenizer(folder)


@pytest.mark.parametrize(
    "text", ["a red apple", "A cat, 35 mm", "two  spaces ", "Ärger 猫", "one\ntwo", "</s> <s> <unk>"]
)
def test_ids_are_the_text_and_nothing_else(words, text):
    ids = LavitWords(words).encode(text)
    assert words.decode(ids) == text
    special = {words.unk_id(), words.bos_id(), words.eos_id()}
    assert special == {0, 1, 2} and not special & set(ids)


def test_known_words_are_few_tokens(words):
    assert len(LavitWords(words).encode("a red apple")) < len("a red apple") / 2


def test_no_text_is_no_ids(words):
    assert LavitWords(words).encode("") == []


def test_a_folder_without_the_file_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=f"^{tmp_path.name} holds no tokenizer.model, "):
        load_text_tokenizer(tmp_path)
