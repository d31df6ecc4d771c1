"""What a zip archive says of its files, read from its end; nothing is unpacked.

Source: PKWARE's APPNOTE 6.3, sections 4.3.12 to 4.3.16 and 4.5.3. The registry withholds packs that import `zipfile`.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...files import open_regular

END, END_64, LOCATOR_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
ENTRY, FIELD = struct.Struct("<4s6H3L5H2L"), struct.Struct("<2H")
LONGEST_COMMENT = 2**16  # bytes after the end record
LARGEST_DIRECTORY = 2**24  # bytes
SEE_FIELD = 2**32 - 1  # a size that stands in the field of 64 bits instead
SIZES_64 = 1  # number of that field


@dataclass(frozen=True)
class Record:
    """A file in an archive; `size` in bytes as it is unpacked, `stored` when it is not compressed."""

    name: str
    size: int
    check_sum: int
    stored: bool


def read_directory(path: Path) -> list[Record]:
    """ValueError, struct.error or OSError for what is no archive, or one that is cut short."""
    with open_regular(path) as file:
        size, offset = find_directory(file)
        if size > LARGEST_DIRECTORY or offset > file.seek(0, 2):
            raise ValueError("the directory is too large, or not in the file")
        file.seek(offset)
        directory = file.read(size)
    records, place = [], 0
    while place < size:
        record, place = read_entry(directory, place)
        records.append(record)
    return records


def find_directory(file: BinaryIO) -> tuple[int, int]:
    """Size and offset of the directory."""
    length = file.seek(0, 2)
    start = file.seek(max(0, length - END.size - LONGEST_COMMENT))
    tail = file.read()
    place = tail.rfind(b"PK\5\6")
    if place < 0:
        raise ValueError("there is no end record")
    size, offset = END.unpack_from(tail, place)[5:7]
    before = start + place - LOCATOR_64.size
    if before >= 0:
        file.seek(before)
        sign, _, where, _ = LOCATOR_64.unpack(file.read(LOCATOR_64.size))
        if sign == b"PK\6\7":
            file.seek(min(where, length))
            sign, *_, size, offset = END_64.unpack(file.read(END_64.size))
            if sign != b"PK\6\6":
                raise ValueError("the end record of 64 bits is not where it should be")
    return size, offset


def read_entry(directory: bytes, place: int) -> tuple[Record, int]:
    """The file whose entry begins there, and where the next one begins."""
    sign, _, _, _, method, _, _, check_sum, _, size, name, extra, comment, *_ = ENTRY.unpack_from(directory, place)
    if sign != b"PK\1\2":
        raise ValueError("an entry of the directory is damaged")
    start = place + ENTRY.size
    fields, end = start + name, start + name + extra
    while size == SEE_FIELD and fields < end:
        number, length = FIELD.unpack_from(directory, fields)
        if number == SIZES_64:
            (size,) = struct.unpack_from("<Q", directory, fields + FIELD.size)
        fields += FIELD.size + length
    return Record(directory[start : start + name].decode(), size, check_sum, method == 0), end + comment
