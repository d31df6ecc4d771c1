"""Words for the embedded model: a small lower-case WordPiece vocabulary over labels and keywords."""

import json
from collections.abc import Iterable
from itertools import groupby
from unicodedata import category

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ...parsing import brief, parse
from ..learned import LONGEST  # a longer word is unknown

PAD, UNKNOWN = "[PAD]", "[UNK]"


class WordPieces:
    """A `drc.lmm.EmbeddedWords`: words are in small letters without accents, and known whole or spelled."""

    def __init__(self, vocabulary: dict[str, int]):
        self.tokenizer = word_pieces(vocabulary)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def says_nothing(self, text: str) -> bool:
        """Whether no word of a text is known or can be spelled, marks apart; not so of no text."""
        tokens = self.tokenizer.encode(text).tokens
        return UNKNOWN in tokens and not any(is_word(token) for token in tokens if token != UNKNOWN)

    def readable(self, text: str) -> str:
        """The text with blanks in words of more than LONGEST letters, which are unknown as they are: a run of letters
        without end, or a language that writes none."""
        parts, end = [], 0
        encoding = self.tokenizer.encode(text)
        for token, (first, last) in zip(encoding.tokens, encoding.offsets, strict=True):
            if token == UNKNOWN:
                parts += text[end:first], self.in_pieces(text[first:last])
                end = last
        return "".join((*parts, text[end:]))

    def in_pieces(self, word: str) -> str:
        if len(self.normalised(word)) <= LONGEST:  # letters as they are read: some become several
            return word
        half = len(word) // 2
        return f"{self.in_pieces(word[:half])} {self.in_pieces(word[half:])}"

    def learned(self, texts: Iterable[str]) -> frozenset[str]:
        """What a training on these texts teaches: their words, but for those that the vocabulary cannot spell."""
        words = {word for text in texts for word, spelled in self.words_in(text) if spelled}
        return frozenset(filter(None, map(self.folded, words)))

    def unknown(self, text: str, learned: frozenset[str] | None = None) -> list[str]:
        """The words of a text, each once, that the vocabulary cannot spell or that are not `learned`, whether as they
        are or as their singular or plural."""

        def is_known(word: str) -> bool:
            return not learned or not learned.isdisjoint(forms(self.folded(word)))

        found = (word for word, spelled in self.words_in(text) if not (spelled and is_known(word)))
        return list(dict.fromkeys(found))

    def words_in(self, text: str) -> list[tuple[str, bool]]:
        """Its words as they are written, marks apart, and whether the vocabulary can name or spell each."""
        encoding, found = self.tokenizer.encode(text), []
        pieces = zip(encoding.word_ids, encoding.tokens, encoding.offsets, strict=True)
        for _, group in groupby(pieces, key=lambda piece: piece[0]):
            _, tokens, spans = zip(*group, strict=True)
            word = text[spans[0][0] : spans[-1][1]]
            if is_word(word):
                found.append((word, UNKNOWN not in tokens))
        return found

    def folded(self, word: str) -> str:
        """As the vocabulary reads it: in small letters, without accents."""
        return "".join(self.normalised(word).split()).lower()

    def normalised(self, word: str) -> str:
        return self.tokenizer.normalizer.normalize_str(word)

    def to_json(self) -> str:
        return json.dumps(json.loads(self.tokenizer.to_str()))


def is_word(piece: str) -> bool:
    """Whether it is more than marks and blanks."""
    return any(category(letter)[0] not in "PZC" for letter in piece)


def forms(word: str) -> set[str]:
    """A word, and what would be its singular or its plural."""
    return {word, f"{word}s", f"{word}es", word.removesuffix("s"), word.removesuffix("es")}


def train_words(texts: Iterable[str], most: int) -> WordPieces:
    """The same texts give the same vocabulary of at most `most` entries, every time."""
    texts, learner = list(texts), word_pieces({})
    split, normalize = learner.pre_tokenizer.pre_tokenize_str, learner.normalizer.normalize_str
    # The trainer numbers inner letters in the order of a randomly seeded hash map, and its ties follow these numbers.
    pieces = {piece for text in texts for piece, _ in split(normalize(text))}
    inner = sorted({f"##{letter}" for piece in pieces for letter in piece[1:]})
    trainer = trainers.WordPieceTrainer(vocab_size=most, special_tokens=[PAD, UNKNOWN, *inner], show_progress=False)
    learner.train_from_iterator(texts, trainer)
    return WordPieces(learner.get_vocab())


def word_pieces(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def read_words(text: str, most: int) -> WordPieces:
    """The words in a file, of whose tokeniser the vocabulary alone is taken; its other parts must be those of ours.

    A tokeniser can normalise, pad and cut without end, so none is made from what a file says. ValueError with the rest
    of a sentence for another kind, and for a vocabulary that has more than `most` entries or is none.
    """
    found, ours = parse(text), json.loads(word_pieces({PAD: 0, UNKNOWN: 1}).to_str())
    for name in sorted(found.keys() | ours.keys()):
        require_ours(name, found.get(name), ours.get(name))
    vocabulary = found["model"].get("vocab")
    if not isinstance(vocabulary, dict) or not 0 < len(vocabulary) <= most:
        raise ValueError(f"has a vocabulary that is none, expected 1 to {most} words")
    ids = vocabulary.values()
    if not all(type(number) is int for number in ids) or set(ids) != set(range(len(vocabulary))):
        raise ValueError("has a vocabulary that does not count its words from 0 on")
    if (vocabulary.get(PAD), vocabulary.get(UNKNOWN)) != (0, 1):
        raise ValueError(f"has a vocabulary without {PAD} and {UNKNOWN} at its beginning")
    for word in vocabulary:
        if len(word) > LONGEST or any("\ud800" <= letter <= "\udfff" for letter in word):
            raise ValueError(f"has {brief(repr(word))} in its vocabulary, which is no word")
    return WordPieces(vocabulary)


def require_ours(name: str, found: object, ours: object) -> None:
    """What only one of two versions of the library writes down may differ."""
    if isinstance(found, dict) and isinstance(ours, dict):
        same = all(found[key] == ours[key] for key in found.keys() & ours.keys() - {"vocab"}) and "type" in found
    else:
        same = name == "version" or found == ours or not (found or ours)
    if not same:
        raise ValueError(f"has the {brief(name)} {brief(json.dumps(found))}, expected that of DRC's own tokenizers")
