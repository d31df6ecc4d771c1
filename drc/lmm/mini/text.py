"""Words for the embedded model: a small lower-case WordPiece vocabulary over labels and keywords."""

from collections.abc import Iterable

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

PAD, UNKNOWN = "[PAD]", "[UNK]"


def train_text_tokenizer(texts: Iterable[str], words: int) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=words, special_tokens=[PAD, UNKNOWN]))
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str, slots: int) -> Tensor:
    """Text -> ids [slots], filled up with PAD (id 0). No text is all PAD.

    Raises ValueError when the text takes more than `slots` tokens.
    """
    ids = tokenizer.encode(text).ids
    if len(ids) > slots:
        raise ValueError(f"text takes {len(ids)} tokens, but this model reads at most {slots}; use fewer or shorter words")
    return torch.tensor(ids + [0] * (slots - len(ids)))
