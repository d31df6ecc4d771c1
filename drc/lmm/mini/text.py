"""Words for the embedded model: a small lower-case WordPiece vocabulary over labels and keywords."""

from collections.abc import Iterable
from unicodedata import category

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

PAD, UNKNOWN = "[PAD]", "[UNK]"


def train_text_tokenizer(texts: Iterable[str], words: int) -> Tokenizer:
    """The same texts give the same vocabulary of at most `words` entries, every time."""
    texts, learner = list(texts), word_pieces({})
    split, normalise = learner.pre_tokenizer.pre_tokenize_str, learner.normalizer.normalize_str
    # The trainer numbers inner letters in the order of a randomly seeded hash map, and its ties follow these numbers.
    pieces = {piece for text in texts for piece, _ in split(normalise(text))}
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


def unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """The words of a text that the vocabulary can neither name nor spell, each once; marks alone are none."""
    encoding = tokenizer.encode(text)
    found = [
        text[slice(*span)] for token, span in zip(encoding.tokens, encoding.offsets, strict=True) if token == UNKNOWN
    ]
    return list(dict.fromkeys(word for word in found if any(category(letter)[0] not in "PZC" for letter in word)))


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
