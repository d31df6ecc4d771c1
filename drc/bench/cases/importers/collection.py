"""Cases of the paper's own kind, made of data that a user has: windows of somebody's pictures, parted 8:1:1.

A window is six pictures in a row, of which the first five are the history and the sixth is the target; windows move on
by one picture (Pigeon; METHOD.md, 8). The reference is the target's own picture, as Pigeon has it; `imported` also asks
with a repainted one, or else a copy is the best answer there is. Which window Pigeon puts into which part is not known:
here hashes of names decide, the same way on every machine.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from ....data.folder import LISTED, counted
from ....data.splits import order
from ....files import read_bounded, write_bytes

HISTORY = 5
WINDOW = HISTORY + 1
PARTS = ("train", "validation", "test")
SHARE = 0.1  # of validation, and of test
SPLITS = {
    "pigeon": "over windows, as Pigeon has it: neighbours share pictures, and may lie in different parts",
    "users": "over users: nobody who is measured is known from training",
}


@dataclass(frozen=True)
class Collection:
    """What was found in a user's data.

    Names of pictures have slashes and start from `root`. `sequences` are pairs of a user and the names of what this
    user likes, oldest first; a user may have several. `texts` tells of pictures, by name. `left_out` pairs what could
    not be used with the reason.
    """

    root: Path
    sequences: list[tuple[str, list[str]]]
    texts: dict[str, dict[str, str]]
    left_out: list[tuple[str, str]]
    notes: list[str]


@dataclass(frozen=True)
class ImportedCase:
    """Names of pictures, and what is known of the target in words, such as its title."""

    part: str  # one of PARTS
    user: str
    history: tuple[str, ...]
    target: str
    reference: str
    text: dict[str, str]


@dataclass(frozen=True)
class CaseList:
    root: Path
    split: str  # one of SPLITS
    cases: list[ImportedCase]
    left_out: list[tuple[str, str]]
    notes: list[str]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # what is known of pictures in words, by name

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(case.part for case in self.cases)
        return {part: found[part] for part in PARTS}

    @cached_property
    def known_targets(self) -> int:
        """Test cases whose target some case of training shows."""
        shown = {name for case in self.cases if case.part == "train" for name in (*case.history, case.target)}
        return sum(case.part == "test" and case.target in shown for case in self.cases)

    def report(self) -> str:
        parts = ", ".join(f"{count} {part}" for part, count in self.counts.items())
        users = len({case.user for case in self.cases})
        lines = [
            f"{counted(len(self.cases), 'case')} of {counted(users, 'user')}: {parts}.",
            f"Test targets that training shows, too: {self.known_targets} of {self.counts['test']}.",
        ]
        left_out = [f"{name}: {reason}" for name, reason in self.left_out]
        for title, details in (("Left out", left_out), ("Good to know", self.notes)):
            if details:
                more = [f"and {len(details) - LISTED} more"] if len(details) > LISTED else []
                lines += ["", f"{title} ({len(details)}):", *(f"- {detail}" for detail in details[:LISTED] + more)]
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """As JSON, which `read_cases` reads."""
        values = {
            "root": str(self.root),
            "split": self.split,
            "reference": "the target's own picture",
            "counts": self.counts,
            "test targets that training shows": self.known_targets,
            "left_out": self.left_out,
            "notes": self.notes,
            "texts": self.texts,
            "cases": [asdict(case) for case in self.cases],
        }
        write_bytes(json.dumps(values, indent=1).encode(), path)


def read_cases(path: Path, root: Path | None = None) -> CaseList:
    """What `CaseList.write` wrote; `root` says where the pictures lie by now, if they have moved.

    ValueError, in one sentence, for a file that it did not write.
    """
    try:
        values = json.loads(read_bounded(path))
        cases = [case_of(case) for case in values["cases"]]
        left_out = [(str(name), str(reason)) for name, reason in values["left_out"]]
        texts = {case.target: case.text for case in cases} | {
            str(name): told(text) for name, text in values.get("texts", {}).items()
        }
        return CaseList(root or Path(values["root"]), values["split"], cases, left_out, list(values["notes"]), texts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"'{path}' holds no cases ({type(error).__name__}: {error}); give a file that 'python -m drc.bench import' "
            "wrote"
        ) from error


def case_of(values: dict) -> ImportedCase:
    history = tuple(map(str, values["history"]))
    if values["part"] not in PARTS or not history:
        raise ValueError(f"a case of part {values['part']!r} with {counted(len(history), 'picture')} of history")
    user, target, reference = (str(values[name]) for name in ("user", "target", "reference"))
    return ImportedCase(values["part"], user, history, target, reference, told(values["text"]))


def told(text: dict) -> dict[str, str]:
    return {str(name): str(value) for name, value in text.items()}


def make_cases(collection: Collection, split: str) -> CaseList:
    """All windows of a collection, parted; ValueError, in one sentence, where there are too few."""
    found = [(user, window) for user, names in collection.sequences for window in windows(names)]
    longest: dict[str, int] = {}
    for user, names in collection.sequences:
        longest[user] = max(longest.get(user, 0), len(names))
    short = [(user, count) for user, count in longest.items() if count < WINDOW]
    too_few = [(user, f"{counted(count, 'picture')} in a row, expected at least {WINDOW}") for user, count in short]
    by_user = split == "users"
    keys = [user if by_user else f"{user} {' '.join(window)}" for user, window in found]
    part = share_out(keys, "user" if by_user else "window")
    cases = [
        ImportedCase(part[key], user, window[:HISTORY], window[-1], window[-1], collection.texts.get(window[-1], {}))
        for key, (user, window) in zip(keys, found, strict=True)
    ]
    named = {name for case in cases for name in (*case.history, case.target)}
    texts = {name: text for name, text in collection.texts.items() if name in named}
    return CaseList(collection.root, split, cases, collection.left_out + too_few, collection.notes, texts)


def windows(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every six in a row."""
    return [tuple(names[first : first + WINDOW]) for first in range(len(names) - WINDOW + 1)]


def share_out(keys: Iterable[str], what: str) -> dict[str, str]:
    """Key -> one of PARTS, 8:1:1, by the order of the keys' hashes."""
    ordered = sorted(set(keys), key=order)
    if len(ordered) < len(PARTS):
        raise ValueError(
            f"{counted(len(ordered), what)} of at least {WINDOW} pictures found, expected at least {len(PARTS)}: "
            f"one for {', one for '.join(PARTS)}; add pictures"
        )
    each = max(1, round(SHARE * len(ordered)))
    return {key: PARTS[2 if place < each else 1 if place < 2 * each else 0] for place, key in enumerate(ordered)}
