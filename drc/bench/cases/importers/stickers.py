"""A set of stickers with one folder per theme, such as SER30K; a theme stands for a user and its taste.

The sets' own order is not known: stickers of a theme follow each other by name, 2 before 10.
"""

import re
from collections import defaultdict
from pathlib import Path

from ....data.folder import Entry, scan
from ....progress import OnShare
from .collection import Collection


def read_stickers(folder: str | Path, table: str | Path | None = None, on_file: OnShare | None = None) -> Collection:
    """Args as for `drc.data.folder.scan`, which reads it: what a table calls `user` is the theme, `semantics` the
    emotion, and `caption` the words on the sticker, which may also stand in a text file beside it.

    ValueError, in one sentence, for a folder of another layout.
    """
    found = scan(folder, table, on_file=on_file)
    themes: dict[str, list[Entry]] = defaultdict(list)
    left_out, notes = list(found.report.left_out), list(found.report.notes)
    for entry in found.entries:
        if "/" not in entry.name and entry.user == found.root.name:
            left_out.append((entry.name, "lies in no theme's folder"))
        else:
            themes[entry.user].append(entry)
    if len(themes) < 2:
        only = f"one theme, {next(iter(themes))}" if themes else "pictures, but no folder of a theme"
        raise ValueError(
            f"folder '{found.root}' holds {only}, expected one folder for each theme; "
            "give the folder that the folders of the themes lie in"
        )
    notes += [f"{first} and {second} are the same picture in two themes" for first, second in twice(found.report)]
    sequences = [
        (theme, [entry.name for entry in sorted(entries, key=lambda entry: natural(entry.name))])
        for theme, entries in sorted(themes.items())
    ]
    texts = {entry.name: text_of(entry) for entries in themes.values() for entry in entries}
    return Collection(found.root, sequences, texts, left_out, notes)


def twice(report) -> list[tuple[str, str]]:
    missing = {name for name, _ in report.left_out}
    return [pair for pair in report.duplicates if pair[1] not in missing]


def natural(name: str) -> list[str | int]:
    """A sort key by which 2.png comes before 10.png."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def text_of(entry: Entry) -> dict[str, str]:
    text = {"theme": entry.user, "emotion": entry.semantics, "caption": entry.caption}
    return {name: value for name, value in text.items() if value}
