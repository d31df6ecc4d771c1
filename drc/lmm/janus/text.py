"""Words for Janus-Pro: the byte-level BPE of DeepSeek-LLM, from the tokenizer.json that lies beside the weights.

A tokeniser in a file can normalise, pad and cut without end, and its patterns can take for ever. So none is made from
what the file says but from its parts: vocabulary, merges, and patterns of one class of letters each, such as DeepSeek's
are. Names and prompt follow deepseek-ai/Janus, models/processing_vlm.py.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

from ...files import bytes_of
from ...parsing import brief, parse
from ..words import AnyWords, require_few_letters

FILE = "tokenizer.json"
MOST_BYTES, MOST_WORDS = 2**25, 2**18  # that of DeepSeek-LLM has 5 MB and 100,000 words
BEGIN, PAD, IMAGE = "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5c\u2581pad\u2581\uff5c>", "<begin_of_image>"
USER, ASSISTANT = "<|User|>", "<|Assistant|>"
TAGS = BEGIN, PAD, IMAGE, USER, ASSISTANT
ONE_CLASS = re.compile(r"(\\s\??|\\p\{N\})?(\[(?!\^?\])([^\[\]\\]|\\.)+\])?\+?\$?")  # no pattern within a pattern


@dataclass(frozen=True)
class Prompt:
    """Ids around a text, beginning first and image last, and the one that stands for no word."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    pad: int


class JanusWords(AnyWords):
    """A `drc.lmm.Words`: a vocabulary and the ids of the tags in it."""

    def __init__(self, tokenizer: Tokenizer, tags: dict[str, int]):
        self.tokenizer, self.tags = tokenizer, tags

    def encode(self, text: str) -> list[int]:
        """Ids, each 1 more than the vocabulary has it, as none may be 0; no text is no ids.

        They are those of a text behind the colon of a prompt. Special tokens cannot be written: what looks like one is
        spelled out. ValueError for a text beyond any measure.
        """
        text = text.strip()
        require_few_letters(text)
        return [number + 1 for number in self.plain(f" {text}")] if text else []

    def plain(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def tag(self, name: str) -> list[int]:
        return [self.tags[name]] if name in self.tags else self.plain(name)

    def prompt(self) -> Prompt:
        """What the original puts around a text, when it is to draw."""
        before = [self.tags[BEGIN], *self.tag(USER), *self.plain(":")]
        after = [*self.plain("\n\n"), *self.tag(ASSISTANT), *self.plain(":"), self.tags[IMAGE]]
        return Prompt(tuple(before), tuple(after), self.tags[PAD])


def load_words(folder: Path, vocabulary: int, again: str) -> JanusWords:
    """Words whose ids are below `vocabulary`; ValueError where the folder has no tokenizer.json, or another one."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{folder.name} holds no {FILE}, expected beside the weights; {again}")
    try:
        return words_in(parse(bytes_of(path, MOST_BYTES)), vocabulary)
    except ValueError as error:
        raise ValueError(f"{path} {error}; {again}") from error


def words_in(values: dict, vocabulary: int) -> JanusWords:
    """ValueError with the rest of a sentence for values that are no vocabulary of this kind."""
    model = values.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        raise ValueError("has a model of another kind, expected BPE")
    normalizer = values.get("normalizer")
    if normalizer and (not isinstance(normalizer, dict) or normalizer.get("normalizers") != []):
        raise ValueError("normalises text, expected that of DeepSeek-LLM, which does not")
    ids = checked(model.get("vocab"), vocabulary)
    added = values.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(one, dict) for one in added):
        raise ValueError("has added_tokens that are none")
    for one in added:
        if not isinstance(one.get("content"), str):
            raise ValueError(f"has {brief(repr(one.get('content')))} among its added_tokens, expected a word")
    tags = checked({one["content"]: one.get("id") for one in added}, vocabulary)
    try:
        tokenizer = Tokenizer(models.BPE(ids, merges_in(model.get("merges"))))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(map(step, steps_of(values.get("pre_tokenizer")))))
        letters = [one["content"] for one in added if not one.get("special") and len(one["content"]) == 1]
        tokenizer.add_tokens([AddedToken(one, normalized=False) for one in letters if one in ids])
    except ValueError:
        raise
    except Exception as error:  # the library knows no other
        raise ValueError(f"is no vocabulary ({brief(error)})") from error
    known = {name: number for name, number in (ids | tags).items() if name in TAGS}
    for name in (BEGIN, PAD, IMAGE):
        if name not in known:
            raise ValueError(f"lacks {brief(name)}, expected the words of Janus-Pro")
    return JanusWords(tokenizer, known)


def checked(vocab: object, most: int) -> dict[str, int]:
    if not isinstance(vocab, dict) or len(vocab) > MOST_WORDS:
        raise ValueError(f"has a vocabulary that is none, expected at most {MOST_WORDS} words")
    for word, number in vocab.items():
        if not isinstance(word, str) or type(number) is not int or not 0 <= number < most:
            raise ValueError(
                f"has the word {brief(repr(word))} as {brief(repr(number))}, expected a number below {most}"
            )
    return vocab


def merges_in(merges: object) -> list[tuple[str, str]]:
    pairs = [one.split(" ") if isinstance(one, str) else one for one in merges] if isinstance(merges, list) else None
    if pairs is None or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in pairs
    ):
        raise ValueError("has merges that are none, expected pairs of words")
    return [tuple(pair) for pair in pairs]


def steps_of(found: object) -> list:
    steps = found.get("pretokenizers", [found]) if isinstance(found, dict) else None
    if not isinstance(steps, list) or not 0 < len(steps) <= 16 or not all(isinstance(one, dict) for one in steps):
        raise ValueError("does not say how it cuts text into words, expected a pre_tokenizer")
    return steps


def step(values: dict) -> pre_tokenizers.PreTokenizer:
    """One step of cutting a text; ValueError for what could take for ever, or is not known here."""
    kind = values.get("type")
    if kind == "Digits":
        return pre_tokenizers.Digits(individual_digits=values.get("individual_digits") is True)
    if kind == "ByteLevel" and not values.get("add_prefix_space"):
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=values.get("use_regex", True) is True)
    pattern = values.get("pattern")
    pattern = pattern.get("Regex") if isinstance(pattern, dict) else None
    isolated = values.get("behavior") == "Isolated" and values.get("invert") is not True
    if kind == "Split" and isolated and isinstance(pattern, str) and pattern and ONE_CLASS.fullmatch(pattern):
        return pre_tokenizers.Split(Regex(pattern), "isolated")
    raise ValueError(f"cuts text by {brief(repr(values), 60)}, expected the patterns of DeepSeek-LLM")
