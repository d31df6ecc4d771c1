"""Words for the embedded model: a small lower-case WordPiece vocabulary over labels and keywords."""

import json
from collections.abc import Iterable
from unicodedata import category

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from ...parsing import brief, parse

PAD, UNKNOWN = "[PAD]", "[UNK]"
LONGEST = 100  # letters of a word; a longer one is unknown


def train_text_tokenizer(texts: Iterable[str], words: int) -> Tokenizer:
    """The same texts give the same vocabulary of at most `words` entries, every time."""
    texts, learner = list(texts), word_pieces({})
    split, normalize = learner.pre_tokenizer.pre_tokenize_str, learner.normalizer.normalize_str
    # The trainer numbers inner letters in the order of a randomly seeded hash map, and its ties follow these numbers.
    pieces = {piece for text in texts for piece, _ in split(normalize(text))}
    inner = sorted({f"##{letter}" for piece in pieces for letter in piece[1:]})
    trainer = trainers.WordPieceTrainer(vocab_size=words, special_tokens=[PAD, UNKNOWN, *inner], show_progress=False)
    learner.train_from_iterator(texts, trainer)
    return word_pieces(learner.get_vocab())


def word_pieces(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def is_word(piece: str) -> bool:
    """Whether it is more than marks and blanks."""
    return any(category(letter)[0] not in "PZC" for letter in piece)


def says_nothing(tokenizer: Tokenizer, text: str) -> bool:
    """Whether no word of a text is known or can be spelled, marks apart; not so of no text."""
    tokens = tokenizer.encode(text).tokens
    return UNKNOWN in tokens and not any(is_word(token) for token in tokens if token != UNKNOWN)


def readable(tokenizer: Tokenizer, text: str) -> str:
    """The text with blanks in words of more than LONGEST letters, which are unknown as they are: a run of letters
    without end, or a language that writes none."""
    parts, end = [], 0
    encoding = tokenizer.encode(text)
    for token, (first, last) in zip(encoding.tokens, encoding.offsets, strict=True):
        if token == UNKNOWN:
            parts += text[end:first], in_pieces(tokenizer, text[first:last])
            end = last
    return "".join((*parts, text[end:]))


def in_pieces(tokenizer: Tokenizer, word: str) -> str:
    if len(tokenizer.normalizer.normalize_str(word)) <= LONGEST:  # letters as they are read: some become several
        return word
    half = len(word) // 2
    return f"{in_pieces(tokenizer, word[:half])} {in_pieces(tokenizer, word[half:])}"


def read_words(text: str, most: int) -> Tokenizer:
    """The tokeniser in a file, of which the vocabulary alone is taken; its other parts must be those of ours.

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
    return word_pieces(vocabulary)


def require_ours(name: str, found: object, ours: object) -> None:
    """What only one of two versions of the library writes down may differ."""
    if isinstance(found, dict) and isinstance(ours, dict):
        same = all(found[key] == ours[key] for key in found.keys() & ours.keys() - {"vocab"}) and "type" in found
    else:
        same = name == "version" or found == ours or not (found or ours)
    if not same:
        raise ValueError(f"has the {brief(name)} {brief(json.dumps(found))}, expected that of DRC's own tokenizers")


def encode_text(tokenizer: Tokenizer, text: str, slots: int) -> Tensor:
    """Text -> ids [slots], filled up with PAD (id 0). No text is all PAD.

    Raises ValueError when the text takes more than `slots` tokens.
    """
    ids = tokenizer.encode(text).ids
    if len(ids) > slots:
        raise ValueError(
            f"text takes {len(ids)} tokens, but this model reads at most {slots}; use fewer or shorter words"
        )
    return torch.tensor(ids + [0] * (slots - len(ids)))
