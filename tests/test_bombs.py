"""Folders that mean harm: whatever lies in them ends soon, in a note or a sentence, and can be stopped."""

import collections
import io
import os
import struct
import time
import zlib

import pytest
from PIL import Image

from drc.data import picture_file, walk
from drc.data.folder import scan
from drc.data.picture_file import inspect

SECONDS = 20.0  # that even a busy machine does not need


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    root.mkdir()
    Image.new("RGB", (32, 32), "teal").save(root / "a.png")
    return root


@pytest.fixture(autouse=True)
def soon():
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def sentence(folder, **given):
    with pytest.raises(ValueError) as error:
        scan(folder, **given)
    text = str(error.value)
    assert "\n" not in text and len(text) < 2000
    return text


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def animated(frames):
    file = io.BytesIO()
    pictures = [Image.new("P", (16, 16), number) for number in range(frames)]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def many_scans(count):
    file = io.BytesIO()
    Image.new("L", (4096, 4096), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


LONG_COMMENT = b"GIF89a\x10\x00\x10\x00\x00\x00\x00" + b"!\xfe" + (b"\xff" + b"x" * 255) * 60_000 + b"\x00"
MANY_CHUNKS = png(32, 32, *[chunk(b"teXt", b"")] * 10_000)
TEXT_BOMB = chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(2**27)))
PICTURES = {
    "a JPEG of a thousand scans": (many_scans(1000), "a JPEG in 100"),
    "more pixels than memory": (png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", b"")), "at most 64 megapixels"),
    "a text that swells": (png(32, 32, TEXT_BOMB, chunk(b"IDAT", zlib.compress(bytes(97 * 32)))), "damaged or cut off"),
    "pixels that swell": (png(32, 32, chunk(b"IDAT", zlib.compress(bytes(2**27)))), None),
    "many frames": (animated(200), None),
    "pixels that are not there": (png(8192, 8192, chunk(b"IDAT", zlib.compress(b"\x00"))), "damaged or cut off"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(folder, name):
    data, reason = PICTURES[name]
    (folder / "bomb.png").write_bytes(data)
    report = scan(folder).report
    if reason:
        assert [(left, reason in why) for left, why in report.left_out] == [("bomb.png", True)]
    else:
        assert report.users == {"pictures": 2}


@pytest.mark.parametrize("data", [LONG_COMMENT, MANY_CHUNKS])
def test_a_picture_that_is_long_to_read_can_be_stopped(folder, data):
    (folder / "b.png").write_bytes(data)
    reads = []

    def on_read():
        reads.append(1)
        if len(reads) == 1000:
            raise KeyError("cancelled")

    with pytest.raises(KeyError, match="cancelled"):
        inspect(folder / "b.png", on_read)


def test_files_larger_than_any_picture_or_table(folder):
    with open(folder / "b.png", "wb") as file:
        file.write((folder / "a.png").read_bytes())
        file.truncate(picture_file.MOST_BYTES + 1)  # holes take no room
    with open(folder / "t.csv", "wb") as file:
        file.truncate(2**40)
    assert scan(folder).report.left_out == [("b.png", "512 MiB, but at most 512 can be read")]
    assert sentence(folder, table="t.csv").startswith("table 't.csv' is 1048576 MiB large, expected at most 32")


def test_pipes_are_never_opened(folder):
    for name in ("b.png", "a.txt", "t.csv"):
        os.mkfifo(folder / name)
    report = scan(folder).report
    assert report.left_out == [("b.png", "impossible to open (not a regular file)")]
    assert report.notes == ["`a.txt` is not a regular file; this caption is left out"]
    assert "cannot be opened" in sentence(folder, table="t.csv")
    with pytest.raises(ValueError, match="impossible to open"):
        picture_file.read(folder / "b.png", 32)


def test_captions(folder, tmp_path):
    for name in ("b", "c", "d", "e"):
        Image.new("RGB", (32, 32), (ord(name), 0, 0)).save(folder / f"{name}.png")
    (folder / "a.txt").mkdir()
    (tmp_path / "secret").write_text("a secret")
    (folder / "b.txt").symlink_to(tmp_path / "secret")
    (folder / "c.txt").write_bytes(b"\xed\xa0\x80")  # half a letter
    (folder / "d.txt").write_text("nothing\0hidden")
    (folder / "e.txt").write_text("x" * 2**16)
    found = scan(folder)
    assert [len(entry.caption) for entry in found.entries] == [0, 0, 0, 14, 2**16]
    assert sorted(found.report.notes) == [
        "`a.txt` cannot be opened (Is a directory); this caption is left out",
        "`b.txt` is a link that leads out of the folder; this caption is left out",
        "`c.txt` is not in UTF-8; this caption is left out",
    ]


HEADER = "image,user,semantics,caption\n"
TABLES = {
    "a million rows": (HEADER + "a.png,,,\n" * 1_000_000, "has more than 250,000 rows"),
    "100,000 columns": ("c," * 99_999 + "c", "has 100000 columns, expected at most 100"),
    "a line without end": (HEADER + "a.png" + "," * 2**24, "has a line of more than 1,048,576 letters"),
    "a cell without end": (HEADER + "a.png," + "x" * 200_000, "field larger than field limit"),
    "a user of 64 KiB": (HEADER + "a.png," + "x" * 2**16, "a user of 65536 letters, expected at most 200"),
    "a name with a zero": (HEADER + "a\0.png\n", "names files that are not there"),
    "a name of 64,000 folders": (HEADER + "a/" * 2**15 + "\n", "names files that are not there: a/a/"),
    "many such names": (HEADER + ("a/" * 2**15 + "\n") * 20, "and more, 20 in all"),
    "half a letter": ((HEADER + "a.png").encode() + b"\xed\xa0\x80", "is not in UTF-8"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(folder, name):
    table, part = TABLES[name]
    (folder / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    assert part in sentence(folder, table="t.csv")


def test_a_long_caption_in_a_table_is_left_out(folder):
    (folder / "t.csv").write_text(HEADER + "a.png,anna,," + "x" * 2**16 + "x\n")
    found = scan(folder, "t.csv")
    assert found.entries[0].caption == ""
    assert found.report.notes == ["`t.csv`: the caption of `a.png` is longer than 64 KiB and left out"]


@pytest.mark.parametrize("image", ["a.png", "{}.png", "{}\\\\b.png", "{}/../c/{}" + "/d" * 20 + ".png"])
def test_every_file_and_folder_of_a_table_is_looked_for_once(folder, image, monkeypatch):
    asked, lstat, rows = collections.Counter(), os.lstat, 2000

    def counted(path, **keywords):
        asked[os.fspath(path)] += 1
        return lstat(path, **keywords)

    (folder / "t.csv").write_text(HEADER + "".join(image.format(row, row) + ",,,\n" for row in range(rows)) * 3)
    monkeypatch.setattr(os, "lstat", counted)
    if image == "a.png":
        assert scan(folder, "t.csv").report.notes == ["`t.csv` names `a.png` more than once; its first row counts"]
        assert asked.total() < 100
    else:
        assert "names files that are not there" in sentence(folder, table="t.csv")
        assert asked.total() < 4 * rows and max(asked.values()) < 10


@pytest.mark.parametrize("stop", [0, 1000])
def test_a_long_table_can_be_stopped_while_it_is_read_and_looked_for(folder, stop):
    (folder / "t.csv").write_text(HEADER + "a.png,,,\n" * 100_000)

    def on_seen(count):
        if count == stop:
            raise KeyError("cancelled")

    with pytest.raises(KeyError):
        scan(folder, "t.csv", on_seen=on_seen)


def test_too_many_files_and_too_deep_folders(folder, monkeypatch):
    deep = folder.joinpath(*"abcdefg")
    deep.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number}.dat").touch()
    monkeypatch.setattr(walk, "DEEPEST", 5)
    assert scan(folder).report.left_out == [("a/b/c/d/e/f", "a folder below 5 others, which is not entered")]
    monkeypatch.setattr(walk, "MOST_FILES", 30)
    assert sentence(folder).endswith("holds more than 30 files; give a smaller one")


def test_names_that_cannot_be_written_down(folder):
    (folder / os.fsdecode(b"\xff.png")).write_bytes((folder / "a.png").read_bytes())
    left_out = scan(folder).report.left_out
    assert left_out == [("\udcff.png", "a file or a folder whose name is not in UTF-8; rename it")]


def test_a_name_makes_no_lines_in_the_report(folder):
    user = folder / "anna: 3\n- ben: 9"
    user.mkdir()
    Image.new("RGB", (32, 32)).save(user / "b.png")
    assert scan(folder).report.text().endswith("\n- `anna: 3\\n- ben: 9`: 1")
