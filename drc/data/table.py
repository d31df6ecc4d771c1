"""The table a user may put beside pictures: CSV, one row a picture."""

import csv
import functools
import io
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ..files import open_regular
from ..parsing import brief
from ..progress import OnCount
from ..visible import quoted
from .caption import LONGEST_CAPTION
from .walk import MOST_FILES

COLUMNS = ("user", "style", "semantics", "caption")
DELIMITERS = ",;\t"  # which one a spreadsheet writes depends on the country
NAMED, LISTED = 3, 10  # files, and columns, in a message
MOST_BYTES, MOST_COLUMNS, LONGEST_LINE = 2**25, 100, 2**20
LONGEST_PATH, LONGEST_LABEL = 4096, 200  # letters


def read_table(root: Path, path: Path, notes: list[str], on_seen: OnCount | None = None) -> dict[str, dict[str, str]]:
    """Rows by picture: name below root with slashes -> what the row says under COLUMNS.

    `on_seen` is called with 0 at each row that is read, and with the number of rows so far at each whose picture is
    looked for; what it raises ends the reading. Raises ValueError in one sentence for a table that cannot be read, is
    too large, or names pictures that are not in the folder.
    """
    rows: dict[str, dict[str, str]] = {}
    outside, missing, repeated, find = [], [], {}, finder(root)
    on_seen, listed = on_seen or (lambda count: None), []
    for row in read_rows(path, notes):  # all, as there may be too many to look for
        on_seen(0)
        listed.append(row)
    for number, row in enumerate(listed, 1):
        on_seen(number)
        image = row["image"]
        name, is_there = find(image)
        if name is None:
            outside.append(image)
        elif not is_there:
            missing.append(image)
        elif name in rows:
            repeated[name] = f"{quoted(path.name)} names {quoted(name)} more than once; its first row counts"
        else:
            rows[name] = labels_of(row, name, path, notes)
    notes += repeated.values()
    if outside:
        raise ValueError(
            f"table '{path.name}' names files outside the folder: {some(outside)}; "
            "put the pictures into the folder and write their paths from there"
        )
    if missing:
        raise ValueError(
            f"table '{path.name}' names files that are not there: {some(missing)}; "
            f"write their paths from the folder '{root}'"
        )
    if not rows:
        raise ValueError(f"table '{path.name}' names no picture; write one row for each picture below the header")
    return rows


def labels_of(row: dict[str, str], name: str, path: Path, notes: list[str]) -> dict[str, str]:
    """What a row says under COLUMNS; ValueError for what is too long to be the name of anything."""
    labels = {column: row[column] for column in COLUMNS}
    for column in COLUMNS[:-1]:
        if len(labels[column]) > LONGEST_LABEL:
            raise ValueError(
                f"table '{path.name}' gives {name} a {column} of {len(labels[column])} letters, expected at most "
                f"{LONGEST_LABEL}; write a short name there"
            )
    if len(labels["caption"].encode()) > LONGEST_CAPTION:
        most = LONGEST_CAPTION // 2**10
        notes.append(f"{quoted(path.name)}: the caption of {quoted(name)} is longer than {most} KiB and left out")
        labels["caption"] = ""
    return labels


def read_rows(path: Path, notes: list[str]) -> Iterator[dict[str, str]]:
    """The rows that name an image, with every column, empty where the table has none."""
    try:
        with open_regular(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > MOST_BYTES:
                raise ValueError(
                    f"table '{path.name}' is {size // 2**20} MiB large, expected at most {MOST_BYTES // 2**20}; split "
                    "the folder and its table"
                )
            yield from rows_of(io.TextIOWrapper(file, "utf-8-sig", newline=""), path, notes)
    except OSError as error:
        raise ValueError(
            f"table '{path.name}' cannot be opened in '{path.parent}' ({error.strerror}); "
            "give the name of a CSV file in the folder, or leave table empty"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        what = "not a CSV file" if isinstance(error, csv.Error) else "not in UTF-8"
        raise ValueError(f"table '{path.name}' is {what} ({error}); save it as CSV in UTF-8") from error


def rows_of(text: io.TextIOBase, path: Path, notes: list[str]) -> Iterator[dict[str, str]]:
    lines = lines_of(text, path)
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=(first.splitlines() or [""])[0].count)
    reader = csv.DictReader(itertools.chain([first], lines), delimiter=delimiter)
    reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or ()]
    if len(reader.fieldnames) > MOST_COLUMNS:
        raise ValueError(
            f"table '{path.name}' has {len(reader.fieldnames)} columns, expected at most {MOST_COLUMNS}; leave out "
            "those that are not needed"
        )
    if "image" not in reader.fieldnames:
        columns = f"only the columns {some(reader.fieldnames, LISTED)}" if reader.fieldnames else "no columns"
        raise ValueError(
            f"table '{path.name}' has {columns}, expected a column image; "
            f"its first line should be out of: image, {', '.join(COLUMNS)}"
        )
    unknown = [column for column in reader.fieldnames if column not in ("image", *COLUMNS)]
    if unknown:
        notes.append(f"{quoted(path.name)}: columns that were not used: {quoted(some(unknown, LISTED))}")
    for number, row in enumerate(reader):
        if number == MOST_FILES:
            raise ValueError(f"table '{path.name}' has more than {MOST_FILES:,} rows; split the folder and its table")
        named = {column: (row.get(column) or "").strip() for column in ("image", *COLUMNS)}
        if named["image"]:
            yield named


def lines_of(text: io.TextIOBase, path: Path) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"table '{path.name}' has a line of more than {LONGEST_LINE:,} letters; save it as CSV")
        yield line


def finder(root: Path) -> Callable[[str], tuple[str | None, bool]]:
    """Where a table's names lead: name -> (the same from root on with slashes, whether a file is there).

    None for a path that leads out of the folder, once links are followed; one that no file can have stays as it is. A
    table may name what it likes as often as it likes, so every name and every folder is looked for once.
    """
    base = str(root)
    start, real = os.path.join(base, ""), os.path.realpath(base)

    @functools.cache
    def resolved(path: str) -> str | None:
        return os.path.realpath(path) if os.path.lexists(path) else None

    @functools.cache
    def folder_of(folders: str) -> str:
        """Where they lead from root on; of those that are not there, the part that is."""
        ways = itertools.accumulate(folders.split(os.sep), os.path.join, initial=base)
        return [real, *itertools.takewhile(bool, map(resolved, ways))][-1]

    @functools.cache
    def find(image: str) -> tuple[str | None, bool]:
        if "\0" in image or len(image) > LONGEST_PATH:
            return image, False
        path = os.path.normpath(os.path.join(base, image))
        kind = kind_of(path)
        if not kind and "\\" in image:
            path = os.path.normpath(os.path.join(base, image.replace("\\", "/")))  # a table that was made on Windows
            kind = kind_of(path)
        if not is_below(path, base):
            return None, False
        name, is_link = path[len(start) :], stat.S_ISLNK(kind)
        if not is_below(os.path.realpath(path) if is_link else folder_of(os.path.dirname(name)), real):
            return None, False
        return name.replace(os.sep, "/"), os.path.isfile(path) if is_link else stat.S_ISREG(kind)

    return find


def kind_of(path: str) -> int:
    """Its mode, links not followed; 0 where there is nothing."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def is_below(path: str, folder: str) -> bool:
    path, folder = os.path.normcase(path), os.path.normcase(folder)
    return path == folder or path.startswith(os.path.join(folder, ""))


def some(names: list[str], most: int = NAMED) -> str:
    shown = ", ".join(brief(name, LONGEST_LABEL) for name in names[:most])
    return shown + (f" and more, {len(names)} in all" if len(names) > most else "")
