"""Words that trainings taught a model, as its file lists them; many more can be spelled and mean nothing to it."""

from collections.abc import Iterable
from itertools import groupby

from tokenizers import Tokenizer

from ...parsing import brief
from .text import LONGEST, UNKNOWN, is_word

MOST, MOST_LETTERS = 20_000, 2**18  # of a list: its words, and its letters with the blanks between them


def words_in(tokenizer: Tokenizer, text: str) -> list[tuple[str, bool]]:
    """Its words as they are written, marks apart, and whether the vocabulary can name or spell each."""
    encoding, found = tokenizer.encode(text), []
    pieces = zip(encoding.word_ids, encoding.tokens, encoding.offsets, strict=True)
    for _, group in groupby(pieces, key=lambda piece: piece[0]):
        _, tokens, spans = zip(*group, strict=True)
        word = text[spans[0][0] : spans[-1][1]]
        if is_word(word):
            found.append((word, UNKNOWN not in tokens))
    return found


def folded(tokenizer: Tokenizer, word: str) -> str:
    """As the vocabulary reads it: in small letters, without accents."""
    return "".join(tokenizer.normalizer.normalize_str(word).split()).lower()


def learned_words(tokenizer: Tokenizer, texts: Iterable[str]) -> frozenset[str]:
    """What a training on these texts teaches: their words, but for those that the vocabulary cannot spell."""
    words = {word for text in texts for word, spelled in words_in(tokenizer, text) if spelled}
    return frozenset(filter(None, (folded(tokenizer, word) for word in words)))


def unknown_words(tokenizer: Tokenizer, text: str, learned: frozenset[str] | None = None) -> list[str]:
    """The words of a text, each once, that the vocabulary cannot spell or that are not `learned`.

    A list that is empty or not there says of no word that it was not learned.
    """

    def is_known(word: str) -> bool:
        return not learned or not learned.isdisjoint(forms(folded(tokenizer, word)))

    found = (word for word, spelled in words_in(tokenizer, text) if not (spelled and is_known(word)))
    return list(dict.fromkeys(found))


def forms(word: str) -> set[str]:
    """A word, and what would be its singular or its plural."""
    return {word, f"{word}s", f"{word}es", word.removesuffix("s"), word.removesuffix("es")}


def joined(former: frozenset[str] | None, words: frozenset[str]) -> frozenset[str] | None:
    """What was learned before and now; None, which claims nothing, where the former are not known or it is more than
    a file may list."""
    if former is None:
        return None
    learned = former | words
    fits = len(learned) <= MOST and len(listed(learned)) <= MOST_LETTERS
    return learned if fits else None


def listed(learned: frozenset[str]) -> str:
    """As a file has it: in order, with blanks between."""
    return " ".join(sorted(learned))


def read_learned(text: str) -> frozenset[str]:
    """The list in a file; ValueError with the rest of a sentence for one that is too long or in no order."""
    if len(text) > MOST_LETTERS or (count := text.count(" ") + 1) > MOST:
        found = f"{len(text)} letters" if len(text) > MOST_LETTERS else f"{count} words"
        raise ValueError(
            f"has a list of learned words of {found}, expected at most {MOST} words, {MOST_LETTERS} letters"
        )
    words = text.split(" ") if text else []
    for word in words:
        if not 0 < len(word) <= LONGEST or word != word.lower() or any("\ud800" <= one <= "\udfff" for one in word):
            raise ValueError(f"has {brief(repr(word))} among the learned words, which is no word in small letters")
    if words != sorted(set(words)):
        raise ValueError("has a list of learned words that is in no order")
    return frozenset(words)
