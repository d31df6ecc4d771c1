"""Words for pictures: ids of their captions, cut to what a model reads."""

import bisect
import re
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from ..lmm import Words
from ..lmm.words import MOST_LETTERS, encode_text
from ..progress import OnPart
from .emoji import Meaning

WORDINGS = 8  # texts of one meaning: its label, then draws of its keywords


SCRIPTS = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U0001f000-\U0003ffff"  # whose words stand side by side
CUTS = (
    re.compile(rf"(?<=[\s,;|])(?=[^\s,;|])|(?<=[{SCRIPTS}])|(?=[{SCRIPTS}])"),
    re.compile(r"(?<=[\W_])(?=[^\W_])"),
    re.compile(r"(?<=.)(?=.)", re.DOTALL),
)
"""Where a text may be cut: behind blanks and commas; behind any mark; anywhere."""


def caption_ids(words: Words, text: str, slots: int) -> Tensor:
    """Ids [slots] of as much of a text as fits."""
    return encode_text(words, fitting(words, text, slots), slots)


def fitting(words: Words, text: str, slots: int) -> str:
    """The text, or as many whole words from the first on as take at most `slots` ids; as many letters where not
    even the first word does. Words too long for the vocabulary are read in pieces, and nothing behind
    the most letters that every vocabulary takes."""
    text = words.readable(text)[:MOST_LETTERS]

    def ids(length: int) -> int:
        return len(words.encode(text[:length].rstrip()))

    if ids(len(text)) <= slots:
        return text
    for cut in CUTS:
        ends = list(accumulate(map(len, cut.split(text))))
        if kept := bisect.bisect_right(ends, slots, key=ids):
            return text[: ends[kept - 1]].rstrip()
    return ""


def unread(
    words: Words,
    captions: list[str],
    slots: int,
    model: str,
    on_caption: OnPart | None = None,
) -> list[str]:
    """What is to be said of captions of which a `model`, as people call it, does not read all; what `on_caption`
    raises, before each, ends it."""
    captions, longer, unknown = [caption for caption in captions if caption], 0, 0
    for caption in captions:
        if on_caption:
            on_caption()
        kept = fitting(words, caption, slots)
        longer += kept != caption
        unknown += words.says_nothing(kept)
    told = []
    if longer:
        limit = f"{model} reads {slots} words and pieces of words at most"
        told.append(f"{longer} of {len(captions)} captions are cut off: {limit}")
    if unknown:
        told.append(f"{unknown} of {len(captions)} captions say nothing: {model} never saw their words")
    return told


def words_read(words: Words, texts: Iterable[str], slots: int) -> frozenset[str]:
    """What a training on these texts teaches, see `Words.learned`, of as much of each as fits."""
    return words.learned(fitting(words, text, slots) for text in sorted(set(texts)))


def meaning_texts(meanings: dict[str, Meaning]) -> dict[str, list[str]]:
    """Code point -> label and keywords, in the order of the code points."""
    return {code: [meaning.label, *meaning.tags] for code, meaning in sorted(meanings.items())}


def meaning_ids(texts: dict[str, list[str]], words: Words, slots: int, seed: int) -> Tensor:
    """Ids [meanings, WORDINGS, slots] of every meaning's label and of draws of its keywords."""
    random, ids = np.random.default_rng(seed), []
    for label, *tags in texts.values():
        draws = [random.permutation(tags)[: random.integers(1, 4)] if tags else [label] for _ in range(WORDINGS - 1)]
        wordings = (label, *(", ".join(draw) for draw in draws))
        ids.append(torch.stack([caption_ids(words, text, slots) for text in wordings]))
    return torch.stack(ids)
