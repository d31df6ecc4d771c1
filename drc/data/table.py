"""The table a user may put beside pictures: CSV, one row a picture."""

import csv
import io
import os
from pathlib import Path

COLUMNS = ("user", "style", "semantics", "caption")
DELIMITERS = ",;\t"  # which one a spreadsheet writes depends on the country
NAMED = 3  # files in a message


def read_table(root: Path, path: Path, notes: list[str]) -> dict[str, dict[str, str]]:
    """Rows by picture: name below root with slashes -> what the row says under COLUMNS.

    Raises ValueError in one sentence for a table that cannot be read or names pictures that are not in the folder.
    """
    rows: dict[str, dict[str, str]] = {}
    outside, missing = [], []
    for row in read_rows(path, notes):
        image = row["image"]
        name = name_below(root, image)
        if name is None:
            outside.append(image)
        elif not os.path.isfile(root / name):
            missing.append(image)
        elif name in rows:
            notes.append(f"{path.name} names {name} more than once; its first row counts")
        else:
            rows[name] = {column: row[column] for column in COLUMNS}
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


def read_rows(path: Path, notes: list[str]) -> list[dict[str, str]]:
    """The rows that name an image, with every column, empty where the table has none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        header = (text.splitlines() or [""])[0]
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=header.count))
        reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or ()]
        rows = [{column: (row.get(column) or "").strip() for column in ("image", *COLUMNS)} for row in reader]
    except OSError as error:
        raise ValueError(
            f"table '{path.name}' cannot be opened in '{path.parent}' ({error.strerror}); "
            "give the name of a CSV file in the folder, or leave table empty"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        what = "not a CSV file" if isinstance(error, csv.Error) else "not in UTF-8"
        raise ValueError(f"table '{path.name}' is {what} ({error}); save it as CSV in UTF-8") from error
    if "image" not in reader.fieldnames:
        raise ValueError(
            f"table '{path.name}' has the columns {', '.join(reader.fieldnames) or 'none'}, but no column image; "
            f"its first line should be out of: image, {', '.join(COLUMNS)}"
        )
    unknown = [column for column in reader.fieldnames if column not in ("image", *COLUMNS)]
    if unknown:
        notes.append(f"{path.name}: columns that were not used: {', '.join(unknown)}")
    return [row for row in rows if row["image"]]


def name_below(root: Path, image: str) -> str | None:
    """None for a path that leads out of the folder."""
    written = root / image
    if not os.path.exists(written):
        written = root / image.replace("\\", "/")  # a table that was made on Windows
    path = Path(os.path.normpath(written))
    if not path.is_relative_to(root) or not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        return None
    return path.relative_to(root).as_posix()


def some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and more, {len(names)} in all" if len(names) > NAMED else "")
