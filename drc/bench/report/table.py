"""Tables as CSV."""

import csv
import dataclasses
import io
from collections.abc import Iterable


def as_csv(kind: type, rows: Iterable) -> bytes:
    """A table of dataclasses of one kind, its fields being the columns."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(field.name for field in dataclasses.fields(kind))
    table.writerows(dataclasses.astuple(row) for row in rows)
    return file.getvalue().encode(errors="backslashreplace")  # names of files may hold what is no UTF-8
