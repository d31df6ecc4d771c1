"""Damaged folders of pictures: the pictures themselves, their captions and their table."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from drc.data.folder import read, scan

from .bytes import generic
from .guard import Case

PICTURES = ("a.png", "b.jpg", "c.gif", "d.webp", "e.bmp", "f.tiff")
TABLE, CAPTION = "table.csv", "a.txt"


def whole(folder: Path) -> None:
    numbers = np.random.default_rng(0)
    for name in PICTURES:
        Image.fromarray(numbers.integers(0, 255, (40, 50, 3), np.uint8)).save(folder / name)
    (folder / CAPTION).write_text("a red apple")
    rows = [f"{name},anna,oil,apple,a red apple" for name in PICTURES]
    (folder / TABLE).write_text("\n".join(["image,user,style,semantics,caption", *rows]))


def use(folder: Path, table: str | None = None) -> None:
    """Reads every picture; what is left out with a reason, or noted, counts as refused."""
    found = scan(folder, table)
    for entry in found.entries:
        assert read(entry.path, 32).shape == (32, 32, 3)
    assert len(found.report.text()) < 20_000
    assert all("\n" not in note for note in found.report.notes)
    for name, reason in found.report.left_out:
        raise ValueError(f"{name} is left out: {reason}; mend it")
    for note in found.report.notes:
        raise ValueError(f"{note}; mend it")


def use_table(folder: Path) -> None:
    use(folder, TABLE)


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def link(name: str, target: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return damage


def folder_in_place(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def pipe(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return damage


def png(width: int, height: int, rows: bytes = b"", *more: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def text_chunk(size: int) -> bytes:
    data = b"Comment\0\0" + zlib.compress(bytes(size), 9)
    return struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))


def many_frames() -> bytes:
    made = io.BytesIO()
    frames = [Image.new("P", (8, 8), number % 256) for number in range(500)]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
    return made.getvalue()


def images() -> list[tuple[str, str, Callable]]:
    return [
        ("60,000 x 60,000 that are not there", "a.png", write("a.png", png(60_000, 60_000))),
        ("8,000 x 8,000 of nothing", "a.png", write("a.png", png(8000, 8000, bytes(8000 * 3)))),
        ("without height", "a.png", write("a.png", png(40, 0))),
        ("without rows", "a.png", write("a.png", png(40, 40))),
        ("rows of a third", "a.png", write("a.png", png(30, 30, bytes(91 * 10)))),
        ("100 MB of comment", "a.png", write("a.png", png(8, 8, bytes(25 * 8), text_chunk(100 * 2**20)))),
        ("a web page", "b.jpg", write("b.jpg", "<!doctype html><title>404</title>" * 100)),
        ("a vector drawing", "b.jpg", write("b.jpg", "<svg xmlns='http://www.w3.org/2000/svg'/>")),
        ("an archive", "c.gif", write("c.gif", b"PK\x03\x04" + bytes(500))),
        ("another's ending", "e.bmp", write("e.bmp", png(8, 8, bytes(25 * 8)))),
        ("a folder", "d.webp", folder_in_place("d.webp")),
        ("a pipe", "d.webp", pipe("d.webp")),
        ("a link to no end", "a.png", link("a.png", "/dev/zero")),
        ("a link to itself", "a.png", link("a.png", "a.png")),
        ("a link out of the folder", "a.png", link("a.png", "/etc/hostname")),
        ("500 frames", "c.gif", write("c.gif", many_frames())),
        ("PostScript", "b.jpg", write("b.jpg", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9999 9999\n")),
    ]


def captions() -> list[tuple[str, str, Callable]]:
    noise = random.Random(3)
    return [
        ("one word of 64 KiB", CAPTION, write(CAPTION, "a" * 2**16)),
        ("of 5 MB", CAPTION, write(CAPTION, "word " * 10**6)),
        ("NUL", CAPTION, write(CAPTION, bytes(1000))),
        ("bytes that are no text", CAPTION, write(CAPTION, noise.randbytes(1000))),
        ("UTF-16", CAPTION, write(CAPTION, "a red apple".encode("utf-16"))),
        ("a folder", CAPTION, folder_in_place(CAPTION)),
        ("a pipe", CAPTION, pipe(CAPTION)),
        ("a link to no end", CAPTION, link(CAPTION, "/dev/zero")),
        ("overrides of direction", CAPTION, write(CAPTION, "\u202eelppa" * 100)),
    ]


def tables() -> list[tuple[str, str, Callable]]:
    rows = "image,caption\n"
    return [
        ("100,000 columns", TABLE, write(TABLE, ",".join(f"c{n}" for n in range(100_000)) + "\n")),
        ("a million rows", TABLE, write(TABLE, rows + "x.png,\n" * 10**6)),
        ("a cell of a megabyte", TABLE, write(TABLE, rows + f'a.png,"{"a" * 2**20}"\n')),
        ("a user of a megabyte", TABLE, write(TABLE, f"image,user\na.png,{'a' * 900_000}\n")),
        ("a quote that never ends", TABLE, write(TABLE, rows + 'a.png,"' + "a\n" * 50_000)),
        ("NUL", TABLE, write(TABLE, rows.encode() + b"a.png,\0\n")),
        ("an image with NUL", TABLE, write(TABLE, b"image\na\0.png\n")),
        ("an image with a long name", TABLE, write(TABLE, "image\n" + "a" * 5000 + ".png\n")),
        ("an image that leads out", TABLE, write(TABLE, "image\n../../../etc/hostname\n")),
        ("an image anywhere", TABLE, write(TABLE, "image\n/etc/hostname\n")),
        ("no rows", TABLE, write(TABLE, rows)),
        ("no image", TABLE, write(TABLE, "picture\na.png\n")),
        ("no text", TABLE, write(TABLE, b"\xff\xfe" + "image\na.png\n".encode("utf-16-le"))),
        ("a folder", TABLE, folder_in_place(TABLE)),
        ("a link to no end", TABLE, link(TABLE, "/dev/zero")),
        ("a pipe", TABLE, pipe(TABLE)),
        ("of 40 MB", TABLE, write(TABLE, rows + " " * 40 * 10**6)),
    ]


MAY_BE_USED = {
    "another's ending", "500 frames", "one word of 64 KiB", "NUL", "UTF-16", "overrides of direction",
    "bytes that are no text", "a folder", "rows of a third",
}  # fmt: skip


def cases() -> list[Case]:
    made = []
    for what, make, how in (("picture", images, use), ("caption", captions, use), ("table", tables, use_table)):
        made += [
            Case(f"{what}: {label}", damage, how, name, label not in MAY_BE_USED) for label, name, damage in make()
        ]
    for number, name in enumerate(PICTURES):
        made += [
            Case(f"bytes: {label}", damage, use, name, kind == "empty")
            for label, kind, damage in generic(name, number, cuts=2, flips=2)
        ]
    return made + [
        Case(f"bytes: {label}", damage, use_table, TABLE, kind in ("empty", "noise"))
        for label, kind, damage in generic(TABLE, 9, cuts=2, flips=3)
    ]
