"""Words for pictures: ids of their captions, cut to what a model reads."""

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from ..lmm.mini.text import encode_text
from .emoji import Meaning

WORDINGS = 8  # texts of one meaning: its label, then draws of its keywords


def caption_ids(tokenizer: Tokenizer, text: str, slots: int) -> Tensor:
    """Ids [slots] of as many words, from the first on, as fit."""
    while len(tokenizer.encode(text).ids) > slots:
        text = text.rsplit(" ", 1)[0] if " " in text else ""
    return encode_text(tokenizer, text, slots)


def meaning_texts(meanings: dict[str, Meaning]) -> dict[str, list[str]]:
    """Code point -> label and keywords, in the order of the code points."""
    return {code: [meaning.label, *meaning.tags] for code, meaning in sorted(meanings.items())}


def meaning_ids(texts: dict[str, list[str]], tokenizer: Tokenizer, slots: int, seed: int) -> Tensor:
    """Ids [meanings, WORDINGS, slots] of every meaning's label and of draws of its keywords."""
    random, ids = np.random.default_rng(seed), []
    for label, *tags in texts.values():
        draws = [random.permutation(tags)[: random.integers(1, 4)] if tags else [label] for _ in range(WORDINGS - 1)]
        wordings = (label, *(", ".join(draw) for draw in draws))
        ids.append(torch.stack([caption_ids(tokenizer, text, slots) for text in wordings]))
    return torch.stack(ids)
