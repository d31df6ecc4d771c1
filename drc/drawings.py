"""What open icon sets draw, as codes: a word gives the drawings of up to three hands, and these give semantics.

`drawings.safetensors` holds an index for one tokeniser, that of the embedded model, which later trainings leave as it
is. Its tensors, n drawings of N codes, those of one meaning in a row:

    codes    uint8 [n, 12 N / 8]   12 bits a code, the first in the upper bits
    meaning  int16 [n]             which of the meanings, in order
    hand     int16 [n]             who drew it

and its header holds the hash of the tokeniser, the meanings, the hands with their licences, and every name that the
sets have for a meaning. scripts/make_drawings.py of the source repository writes it.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from .instruction import Semantics
from .model import DRC
from .parsing import brief, fit, parse, require
from .tensor_file import header_in, look, read_plain, require_shapes, tensors_hash

DRAWINGS = Path(__file__).resolve().parent / "weights" / "drawings.safetensors"
ARCHITECTURE = "drc-drawings-1"
AGAIN = "install this pack again"
BITS = 12  # of a code
LONGEST = 100  # letters of what is asked for
NEAR = 5  # meanings that are told
ALIKE = 20  # names that are spelled alike: sets have several for a meaning, such as battery01
LIKE = 0.7  # of the letters of two names that are spelled alike, see difflib
NO_PLURALS = ("ss", "us", "is")  # ends of words whose last s belongs to them
IRREGULAR = {"men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth", "mice": "mouse"}
IRREGULAR |= {"geese": "goose", "leaves": "leaf", "knives": "knife", "shelves": "shelf", "wolves": "wolf"}
ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True)
class Hand:
    """Who drew: a `style` is a set of icons in one variant, a `family` a designer or sets that share outlines."""

    style: str
    set: str
    family: str
    author: str
    licence: str
    url: str


@dataclass(frozen=True)
class Found:
    """Drawings of one meaning: codes [k, N] int64, and the hand that each is from."""

    meaning: str
    codes: Tensor
    hands: tuple[Hand, ...]


class NotDrawnError(ValueError):
    """Nobody drew what was asked for in good words; `near` are some that are there."""

    def __init__(self, words: str, near: list[str]):
        self.near = near
        told = f"near: {', '.join(near)}" if near else "nothing is near it"
        super().__init__(
            f"no drawing is called '{words}' ({told}); choose another English word, or show it by a picture"
        )


class Drawings:
    """The index in a file, whose drawings are read when one is first asked for; ValueError, in one sentence, for a file
    that is none."""

    def __init__(self, path: Path = DRAWINGS):
        self.path = path
        contents = look(path, AGAIN)
        header = header_in(path, contents.metadata, AGAIN)
        try:
            self.tokeniser: str = fit(str, header.get("tokeniser"), "tokeniser")
            about = parse(header.get("contents", "{}"))
            self.meanings: list[str] = texts_of(about.get("meanings"))
            self.hands = fit(tuple[Hand, ...], about.get("hands"), "hands")
            self.names = names_of(about.get("names"), len(self.meanings))
            if header.get("architecture") != ARCHITECTURE:
                raise ValueError(f"is of the architecture {brief(header.get('architecture'))}, expected {ARCHITECTURE}")
            self.meaning, self.hand = self.read_rows(contents.shapes)
        except ValueError as error:
            raise ValueError(f"{path.name} holds no drawings: it {error}; {AGAIN}") from error

    def read_rows(self, shapes: dict) -> tuple[Tensor, Tensor]:
        """Meaning and hand [n] of every drawing; ValueError with the rest of a sentence where they are not there."""
        count, width = (*shapes.get("codes", ()), 0, 0)[:2]
        expected = {"codes": (count, width), "meaning": (count,), "hand": (count,)}
        require_shapes(self.path, "an index", shapes, expected, AGAIN)
        require(width % 3 == 0 < width, width, "groups of 3 bytes", "codes")
        found = read_plain(self.path, ("meaning", "hand"))
        for name, most in (("meaning", len(self.meanings)), ("hand", len(self.hands))):
            rows = found[name]
            require(rows.dtype == torch.int16, rows.dtype, "int16", name)
            require(bool(((rows >= 0) & (rows < most)).all()), "a number out of bounds", f"0 to {most - 1}", name)
        return found["meaning"], found["hand"]

    @cached_property
    def packed(self) -> Tensor:
        """The codes of all drawings, as the file has them."""
        return read_plain(self.path, ("codes",))["codes"]

    def find(self, words: str) -> Found:
        """The drawings of one thing. Case, plural, blanks, hyphens and the order of words do not matter.

        NotDrawnError, which knows words that are near, where there is none; ValueError for what is no word.
        """
        parts = words_in(words)
        meaning = self.named(parts)
        if meaning is None:
            raise NotDrawnError(" ".join(words.split()), self.near(parts))
        return self.of(meaning)

    def named(self, parts: list[str]) -> int | None:
        """The meaning that words name."""
        single = [*map(singular, parts)]
        names = key(parts), "".join(parts), key(single), "".join(single)
        return next((self.names[name] for name in names if name in self.names), None)

    def of(self, meaning: int) -> Found:
        rows = (self.meaning == meaning).nonzero().flatten()
        hands = tuple(self.hands[hand] for hand in self.hand[rows].tolist())
        return Found(self.meanings[meaning], unpacked(self.packed[rows]), hands)

    def near(self, parts: list[str]) -> list[str]:
        """Meanings with a name that is spelled like what is asked for, then those that share a word with it."""
        asked = {singular(part) for part in parts}
        shared = sorted((name for name in self.meanings if asked & set(map(singular, name.split()))), key=len)
        names = difflib.get_close_matches(key(parts), self.names, ALIKE, LIKE)
        alike = [self.meanings[self.names[name]] for name in names]
        return list(dict.fromkeys(alike + shared))[:NEAR]

    def is_read_by(self, model: DRC) -> bool:
        """Whether its codes mean to a model what they are here."""
        return model.lmm.draws_pixels and tokeniser_of(model) == self.tokeniser


def find(words: str) -> Found:
    """As `Drawings.find` of the index that ships."""
    return Drawings().find(words)


def semantics(model: DRC, codes: Tensor) -> Semantics:
    """Drawings [k, N] of one thing -> their semantics side by side, [k * R, d], each with the same share.

    The fusion looks at all of them at every position of the canvas and takes what they agree on or what suits the
    style, so that the picture copies none. Their order does not matter, and one drawing counts as in SemanticTower.
    """
    each = [model.semantics(one) for one in codes]
    return replace(each[0], rows=torch.cat([one.rows for one in each]))


def tokeniser_of(model: DRC) -> str:
    """A hash of what turns pictures into codes: encoder and codebook of an embedded model."""
    weights = model.lmm.vision.state_dict()
    return tensors_hash(
        {name: one.float() for name, one in weights.items() if name.startswith(("encoder.", "codebook."))}
    )


def words_in(text: str) -> list[str]:
    """The words of a text, in small letters without accents; ValueError for what holds none, or other letters."""
    if len(text) > LONGEST:
        raise ValueError(f"the words have {len(text)} letters, expected at most {LONGEST}; name one thing")
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if any(letter.isalnum() and not letter.isascii() for letter in plain):
        raise ValueError(f"the words are '{text.strip()}', expected English ones in Latin letters; write them so")
    words = re.findall("[a-z0-9]+", plain)
    if not words:
        raise ValueError(f"the words are '{text.strip()}', expected the name of one thing such as bicycle; write one")
    return [word for word in words if word not in ARTICLES] or words


def key(words: Iterable[str]) -> str:
    """What names are found by: their words in the order of the alphabet."""
    return " ".join(sorted(words))


def singular(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(NO_PLURALS):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "sses", "xes")) else word[:-1]


def packed(codes: Tensor) -> Tensor:
    """Codes [n, N] -> uint8 [n, 12 N / 8]"""
    first, second = codes.unflatten(1, (-1, 2)).unbind(dim=2)
    parts = first >> 4, (first & 15) << 4 | second >> 8, second & 255
    return torch.stack(parts, dim=2).flatten(1).to(torch.uint8)


def unpacked(data: Tensor) -> Tensor:
    """uint8 [n, 12 N / 8] -> codes [n, N]"""
    first, middle, last = data.long().unflatten(1, (-1, 3)).unbind(dim=2)
    return torch.stack((first << 4 | middle >> 4, (middle & 15) << 8 | last), dim=2).flatten(1)


def header_for(tokeniser: str, meanings: list[str], hands: list[Hand], names: dict[str, int]) -> dict[str, str]:
    """What the file of an index says of itself."""
    contents = {"meanings": meanings, "hands": [asdict(hand) for hand in hands], "names": dict(sorted(names.items()))}
    licences = ", ".join(sorted({hand.licence for hand in hands}))
    about = {"architecture": ARCHITECTURE, "tokeniser": tokeniser, "licence": licences}
    return about | {"contents": json.dumps(contents, separators=(",", ":"))}


def texts_of(found) -> list[str]:
    """Without type hints, as there are many."""
    whole = isinstance(found, list) and all(isinstance(text, str) for text in found)
    require(whole, found, "a list of names", "meanings")
    return found


def names_of(found, meanings: int) -> dict[str, int]:
    whole = isinstance(found, dict) and all(type(number) is int and 0 <= number < meanings for number in found.values())
    require(whole, found, "the number of a meaning for each", "names")
    return found
