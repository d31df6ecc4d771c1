"""Text for every LMM: ids in the slots of a prompt, and what words of one that reads any text have in common."""

from collections.abc import Iterable

import torch
from torch import Tensor

from . import Words

MOST_LETTERS = 2**15  # of a text; looking for the blanks at its end takes their square


def encode_text(words: Words, text: str, slots: int) -> Tensor:
    """Text -> ids [slots], filled up with 0. No text is all 0.

    Raises ValueError when the text takes more than `slots` ids.
    """
    require_few_letters(text)
    ids = words.encode(text)
    if len(ids) > slots:
        raise ValueError(
            f"text takes {len(ids)} words and pieces of words, but this model reads at most {slots}; use fewer or "
            "shorter words"
        )
    return torch.tensor(ids + [0] * (slots - len(ids)))


def require_few_letters(text: str) -> None:
    """ValueError for a text beyond any measure: whoever turns one into ids holds up all that runs beside."""
    if len(text) > MOST_LETTERS:
        raise ValueError(f"text has {len(text)} letters, expected at most {MOST_LETTERS}; shorten it")


class AnyWords:
    """The members of `drc.lmm.Words` for a vocabulary that spells whatever it is given, and a language model that read
    more than any training here can teach it."""

    def readable(self, text: str) -> str:
        return text

    def says_nothing(self, text: str) -> bool:
        return False

    def learned(self, texts: Iterable[str]) -> frozenset[str]:
        return frozenset()

    def unknown(self, text: str, learned: frozenset[str] | None = None) -> list[str]:
        return []
