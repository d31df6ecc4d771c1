"""A user's folder of pictures: whose each one is, what the user says of it, and which cannot be used and why.

Nothing is ever written into the folder. A sub-folder is a user; a text file beside a picture, of the same name, is its
caption; a table can say more.
"""

import functools
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ..progress import OnCount, OnPart, OnShare
from ..visible import quoted
from . import picture_file
from .caption import read_caption
from .picture_file import read
from .table import read_table
from .walk import is_inside, walk

__all__ = ["Entry", "ImageFolder", "Report", "find", "read", "scan"]

SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
OTHER_PICTURES = {".ai", ".avif", ".clip", ".dng", ".heic", ".heif", ".jxl", ".kra", ".psd", ".svg", ".tga", ".xcf"}
LISTED = 20  # lines of one kind in a report; the rest is counted


@dataclass(frozen=True)
class Entry:
    """One usable picture; width and height in pixels as it is looked at, that is, after its EXIF turn."""

    path: Path
    name: str  # relative to the root, with slashes
    user: str
    style: str
    semantics: str
    caption: str
    digest: str  # SHA-256 of the file's bytes, hexadecimal
    width: int
    height: int


@dataclass(frozen=True)
class Report:
    """What a scan found. Sizes are (width, height); `duplicates` pairs names of files with the same bytes."""

    users: dict[str, int]  # pictures of each
    smallest: tuple[int, int]
    largest: tuple[int, int]
    most_frequent: tuple[int, int]
    captions: int
    meanings: int  # pictures whose meaning the table tells
    duplicates: list[tuple[str, str]]
    left_out: list[tuple[str, str]]  # name and reason
    notes: list[str]  # as reasons are, sentences in which what others wrote is quoted

    def text(self) -> str:
        """The report in plain lines, which a page may also show as Markdown: what others wrote is quoted in it."""
        total, missing = sum(self.users.values()), {name for name, _ in self.left_out}
        left_out = f", {len(missing)} left out" if missing else ""
        least, most, usual = (
            f"{width} x {height}" for width, height in (self.smallest, self.largest, self.most_frequent)
        )
        lines = [
            f"{counted(total, 'picture')} of {counted(len(self.users), 'user')}{left_out}.",
            f"Size: {least}." if least == most else f"Sizes: from {least} to {most}, most often {usual}.",
            f"Captions: {self.captions} of {total}." if self.captions else "Captions: none.",
        ]
        if self.meanings:
            lines.append(f"Meanings from the table: {self.meanings} of {total}.")
        shared = [f"{quoted(first)} and {quoted(second)}" for first, second in self.duplicates if second not in missing]
        for title, details in (
            ("Left out", [f"{quoted(name)}: {reason}" for name, reason in self.left_out]),
            ("The same picture with two users, used for both", shared),
            ("Good to know", self.notes),
            ("Pictures of each user", [f"{quoted(user)}: {count}" for user, count in self.users.items()]),
        ):
            if details:
                more = [f"and {len(details) - LISTED} more"] if len(details) > LISTED else []
                lines += ["", f"{title}:", *(f"- {detail}" for detail in details[:LISTED] + more)]
        return "\n".join(lines)


@dataclass(frozen=True)
class ImageFolder:
    """The usable pictures below `root`, by name; `table` and `pattern` are those of the scan, to repeat it by."""

    root: Path
    entries: list[Entry]
    report: Report
    table: Path | None = None
    pattern: str = "*"

    @property
    def fingerprint(self) -> str:
        """SHA-256, hexadecimal, of all that training takes from here: two folders with the same one are the same data
        set, wherever they lie and whatever they are called."""
        return self.hashed({self.root.name: ""})

    @property
    def former_fingerprint(self) -> str:
        """The same as older versions had it, with the folder's own name as the user of the pictures beside its
        sub-folders."""
        return self.hashed({})

    def hashed(self, names: dict[str, str]) -> str:
        """`names` are those of users and styles to take for others, where a picture is in no sub-folder."""
        rows = []
        for entry in self.entries:
            known = {} if "/" in entry.name else names
            whose = (known.get(name, name) for name in (entry.user, entry.style))
            rows.append((entry.name, entry.digest, *whose, entry.semantics, entry.caption))
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def scan(
    root: str | Path,
    table: str | Path | None = None,
    pattern: str = "*",
    on_file: OnShare | None = None,
    on_seen: OnCount | None = None,
) -> ImageFolder:
    """Reads every picture once and says which can be used.

    Args:
        root: the folder. A picture's user is the first sub-folder on its path, or the root where there is none.
        table: a CSV file, relative to root, with a header out of `image`, `user`, `style`, `semantics` and `caption`.
            Only the images it names are read, and what it says wins over folders and caption files.
        pattern: what the names of the files, without folders, must look like; a table is not filtered.
        on_file: called with (files done, files in all) after each file.
        on_seen: called with the number of names that were seen so far in the folder or in the table, at each of them,
            and often while a picture is read. What it or `on_file` raises ends the scan.

    Only regular files are opened, none larger than a picture or a table can be, and their number is bounded. Hidden
    files and folders are passed over, and links to folders are not followed. Of the same file twice with one user the
    first by name stays. Raises ValueError in one sentence when there is no usable picture or the table is not one of
    this folder.
    """
    root = Path(os.path.abspath(root))
    require_folder(root)
    left_out: list[tuple[str, str]] = []
    notes: list[str] = []
    if table is None:
        rows = {name: {} for name in find(root, pattern, left_out, on_seen)}
    else:
        table = root / table
        rows = read_table(root, table, notes, on_seen)
    on_read = on_seen and functools.partial(on_seen, len(rows))
    entries: dict[str, list[Entry]] = {}  # by digest
    duplicates: list[tuple[str, str]] = []
    for done, name in enumerate(sorted(rows), 1):
        try:
            entry = read_entry(root, name, rows[name], notes, on_read)
            keep(entry, entries.setdefault(entry.digest, []), duplicates)
        except ValueError as error:
            left_out.append((name, str(error)))
        if on_file:
            on_file(done, len(rows))
    left_out.sort()
    if not entries:
        raise ValueError(nothing_usable(root, pattern, left_out))
    usable = sorted((entry for same in entries.values() for entry in same), key=lambda entry: entry.name)
    return ImageFolder(root, usable, make_report(usable, duplicates, left_out, notes), table, pattern)


def require_folder(root: Path) -> None:
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "not there"
        raise ValueError(f"folder is '{root}', which is {what}; give a folder with pictures")


def keep(entry: Entry, same: list[Entry], duplicates: list[tuple[str, str]]) -> None:
    """Adds an entry to those of the same bytes; raises ValueError where its user has the picture already."""
    own = [other for other in same if other.user == entry.user]
    duplicates += [(other.name, entry.name) for other in (own or same)[:1]]
    if own:
        raise ValueError(f"the same picture as {quoted(own[0].name)}")
    same.append(entry)


def read_entry(root: Path, name: str, row: dict[str, str], notes: list[str], on_read: OnPart | None) -> Entry:
    """Raises ValueError with the reason for a picture that cannot be used."""
    path, folders = root / name, PurePosixPath(name).parts[:-1]
    found = picture_file.inspect(path, on_read)
    if found.several:
        notes.append(f"{quoted(name)} holds several pictures; the first is used")
    user = row.get("user") or (folders or [root.name])[0]
    return Entry(
        path,
        name,
        user,
        style=row.get("style") or user,
        semantics=row.get("semantics", ""),
        caption=row.get("caption") or read_caption(root, PurePosixPath(name).with_suffix(".txt"), notes),
        digest=found.digest,
        width=found.width,
        height=found.height,
    )


def find(
    root: Path,
    pattern: str,
    left_out: list[tuple[str, str]],
    on_seen: OnCount | None = None,
) -> list[str]:
    """Names of the files that look like pictures."""
    names, real = [], os.path.realpath(root)
    for path, problem in walk(root, on_seen):
        name, suffix = path.relative_to(root).as_posix(), path.suffix.lower()
        if problem:
            left_out.append((name, problem))
        elif suffix in SUFFIXES | OTHER_PICTURES and fnmatchcase(path.name, pattern):
            if path.is_symlink() and not is_inside(real, path):  # links to folders are not followed
                left_out.append((name, "a link that leads out of the folder"))
            elif not is_text(name):
                left_out.append((name, "a file or a folder whose name is not in UTF-8; rename it"))
            elif suffix in OTHER_PICTURES:
                left_out.append((name, not_read(suffix)))
            else:
                names.append(name)
    return names


def not_read(suffix: str) -> str:
    return f"{suffix} files cannot be read; save it as PNG or JPEG"


def make_report(entries: list[Entry], duplicates, left_out, notes) -> Report:
    sizes = [(entry.width, entry.height) for entry in entries]
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    return Report(
        users=dict(Counter(entry.user for entry in entries)),
        smallest=by_area[0],
        largest=by_area[-1],
        most_frequent=Counter(sizes).most_common(1)[0][0],
        captions=sum(bool(entry.caption) for entry in entries),
        meanings=sum(bool(entry.semantics) for entry in entries),
        duplicates=duplicates,
        left_out=left_out,
        notes=notes,
    )


def nothing_usable(root: Path, pattern: str, left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        called = "" if pattern == "*" else f" called {pattern}"
        return (
            f"folder '{root}' holds no picture{called}; "
            "put PNG, JPEG, GIF, BMP, WebP or TIFF files into it, best in one sub-folder for each user"
        )
    (name, reason), count = left_out[0], counted(len(left_out), "picture")
    return f"folder '{root}' holds no usable picture, {count} left out, first {name}: {reason}; give another folder"


def is_text(name: str) -> bool:
    """Whether a name on a disk is one that can be written down."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
