"""What a set lacks: words, one a line, and pictures of the same things, as items whose names every disk takes."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..data.folder import SUFFIXES
from ..names import called
from ..visible import LONGEST as LONGEST_TOLD
from ..visible import without_hidden

MOST = 10_000  # items of a list
LONGEST = 100  # letters of a line
TOLD = 5  # names in a note
ENDINGS = SUFFIXES | {".svg"}
MARKS = " .,;:!?'\"()"  # that say nothing about a thing

Reference = Path | Tensor
"""A picture, or where one is."""


@dataclass(frozen=True)
class Item:
    """A picture that is to be drawn: `text` says of what, or `reference` shows it, or both. `name` is that of a file,
    without its ending, and no other of the list has it, whatever its letters' case."""

    name: str
    text: str = ""
    reference: Reference | None = None
    line: int = 0
    """Of the words, from 1; 0 for what only a reference shows."""

    @property
    def told(self) -> str:
        """The name, and beside it what it was made of, where that is written otherwise."""
        source = self.text or (self.reference.stem if isinstance(self.reference, Path) else self.name)
        told = self.name if source.replace(" ", "-") == self.name else f"{self.name} ({source})"
        return told[:LONGEST_TOLD]


def items_of(words: str, references: Sequence[tuple[str, Reference]] = ()) -> tuple[list[Item], list[str]]:
    """Lines of words, and references with their names -> the items of a list, and notes on what was left out.

    A reference that has the name of a word shows what that word means; the others follow the words as items of their
    own. Blank lines and lines that say what one before them says are left out, names that no two files can have are
    numbered.
    ValueError, in one sentence, where there is nothing, too much, or a line too long to name a thing.
    """
    lines, notes = lines_of(words)
    texts = list(lines.values())
    if len(texts) + len(references) > MOST:
        raise ValueError(
            f"the list has {len(texts)} words and {len(references)} references, expected at most {MOST:,} in all; make "
            "several sets of it"
        )
    if not texts and not references:
        raise ValueError(
            "words is empty and there is no reference; write what to draw, one thing on each line, or give references"
        )
    asked, shown, others = {key(called(text)) for text in texts}, {}, []
    for name, reference in references:
        own = key(called(name))
        if own in asked and own not in shown:
            shown[own] = reference
        else:
            others.append((name, reference))
    taken, numbered = Counter(), []
    items = [
        Item(numbered_name(text, taken, numbered), text, shown.get(key(called(text))), line)
        for line, text in lines.items()
    ]
    items += [Item(numbered_name(name, taken, numbered), reference=reference) for name, reference in others]
    if numbered:
        with_number = set(numbered)
        told = [item.told for item in items if item.name in with_number]
        notes.append(f"names that files cannot share have a number: {some_of(told)}")
    return items, notes


def lines_of(words: str) -> tuple[dict[int, str], list[str]]:
    """The lines of a text by their numbers, each thing once, without blanks and hidden letters; notes on the others."""
    lines = words.splitlines()
    if len(lines) > MOST:
        raise ValueError(f"words has {len(lines):,} lines, expected at most {MOST:,}; make several sets of it")
    texts = [without_ending(without_hidden(" ".join(line.split())).strip()) for line in lines]
    for number, text in enumerate(texts, 1):
        if len(text) > LONGEST:
            raise ValueError(
                f"line {number} of words has {len(text)} letters, expected at most {LONGEST}; name one thing on each "
                "line, in a few words"
            )
    first, notes = {}, []
    for number, text in enumerate(texts, 1):
        first.setdefault(meant(text), (number, unicodedata.normalize("NFC", text)))
    counts = Counter(map(meant, texts))
    if blank := counts[""]:
        notes.append(f"{blank} empty line{'s' if blank > 1 else ''} left out")
    if doubled := [text for same, (_, text) in first.items() if same and counts[same] > 1]:
        notes.append(f"drawn once, though more than one line says it: {some_of(doubled)}")
    return dict(place for same, place in first.items() if same), notes


def without_ending(text: str) -> str:
    """Of a line that is the name of a picture's file what it names; files get an ending of their own."""
    name, dot, ending = text.rpartition(".")
    return name if name and f"{dot}{ending.casefold()}" in ENDINGS else text


def meant(text: str) -> str:
    """The same for lines that differ in capitals and marks around their words alone; C, C++ and C# are three."""
    return key(text.strip(MARKS)) or key(text)


def file_names(names: Sequence[str], count: int, of: str) -> list[str]:
    """Names of files, without an ending, for `count` icons at the input `of` that are called so; see `each_named`."""
    remedy = f"connect the names of the node that {of} comes from,"
    taken, numbered = Counter(), []
    found = each_named(names, count, f"{of} has {count}", remedy, LONGEST)
    return [numbered_name(without_ending(name.strip()), taken, numbered) for name in found]


def each_named(names: Sequence[str] | None, count: int, held: str, remedy: str, longest: int) -> list[str]:
    """The names of `count` things, or numbers where none are given; ValueError for another number of names, which says
    what there is and the `remedy`, and for one of more letters than the `longest` may have."""
    if not names:
        return [str(number) for number in range(1, count + 1)]
    if len(names) != count:
        raise ValueError(f"names has {len(names)} lines, but {held}; {remedy} or leave names empty")
    for number, name in enumerate(names, 1):
        if len(name) > longest:
            raise ValueError(f"line {number} of names has {len(name)} letters, expected at most {longest}; shorten it")
    return list(names)


def numbered_name(text: str, taken: Counter, numbered: list[str]) -> str:
    """The name of a file for a text, which is none of those `taken`; it joins them, and where it has a number, those
    `numbered`, too."""
    plain = name = called(text)
    while taken[key(name)]:
        taken[key(plain)] += 1
        name = f"{plain}-{taken[key(plain)]}"
    taken[key(name)] += 1
    if name != plain:
        numbered.append(name)
    return name


def key(name: str) -> str:
    """The same for names that some disk takes for one."""
    return unicodedata.normalize("NFKC", name).casefold()


def some_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more
