"""A user's folder: every picture is told apart, every unusable one is named, nothing is written."""

import io
import os
import re
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from drc.data.folder import read, scan
from drc.data.walk import stamp
from scripts.lib.sentence import sentence


def noise(size=(16, 16), seed=0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


def save(path, image=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or noise(seed=zlib.crc32(path.name.encode()))).save(path, **options)
    return path


@pytest.fixture
def pictures(tmp_path):
    """Two users with two pictures each, one captioned."""
    root = tmp_path / "pictures"
    for name in ("anna/cat.png", "anna/deep/dog.png", "ben/cat.png", "ben/dog.png"):
        save(root / name, noise(seed=zlib.crc32(name.encode())))
    (root / "anna" / "cat.txt").write_text("\ufeffein schl\u00e4friger Kater\n", encoding="utf-8")
    return root


def reason(root, name) -> str:
    return dict(scan(root).report.left_out)[name]


def test_users_names_captions_and_report(pictures):
    done = []
    folder = scan(pictures, on_file=lambda *numbers: done.append(numbers))
    assert [(e.name, e.user, e.style) for e in folder.entries] == [
        ("anna/cat.png", "anna", "anna"),
        ("anna/deep/dog.png", "anna", "anna"),
        ("ben/cat.png", "ben", "ben"),
        ("ben/dog.png", "ben", "ben"),
    ]
    assert [e.caption for e in folder.entries] == ["ein schl\u00e4friger Kater", "", "", ""]
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert folder.report.left_out == [] and folder.report.notes == []
    assert folder.report.text().splitlines() == [
        "4 pictures of 2 users.",
        "Size: 16 x 16.",
        "Captions: 1 of 4.",
        "",
        "Pictures of each user:",
        "- `anna`: 2",
        "- `ben`: 2",
    ]


def test_pictures_in_the_root_belong_to_a_user_of_its_name(pictures):
    save(pictures / "fox.png", noise((40, 20)))
    save(pictures / "owl.png", noise((10, 20)))
    folder = scan(pictures)
    assert {e.user for e in folder.entries if "/" not in e.name} == {"pictures"}
    assert "Sizes: from 10 x 20 to 40 x 20, most often 16 x 16." in folder.report.text()


def test_a_pattern_picks_files(pictures):
    assert [e.name for e in scan(pictures, pattern="cat*").entries] == ["anna/cat.png", "ben/cat.png"]
    assert "holds no picture called fox*" in sentence(scan, pictures, pattern="fox*")


def test_what_stops_a_scan_stops_it(pictures):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(pictures, on_file=stop)


def test_hidden_files_and_links_that_lead_out_are_ignored(pictures, tmp_path):
    secret = save(tmp_path / "elsewhere" / "secret.png")
    (secret.parent / "secret.txt").write_text("secret")
    save(pictures / "anna" / ".hidden.png")
    save(pictures / ".thumbnails" / "cat.png")
    (pictures / "ben" / "link.png").symlink_to(secret)
    (pictures / "ben" / "dog.txt").symlink_to(secret.parent / "secret.txt")
    (pictures / "carl").symlink_to(secret.parent, target_is_directory=True)
    folder = scan(pictures)
    assert len(folder.entries) == 4 and not any("secret" in e.caption for e in folder.entries)
    assert folder.report.left_out == [
        ("ben/link.png", "a link that leads out of the folder"),
        ("carl", "a link to a folder, which is not followed"),
    ]


def test_the_folder_itself_may_be_a_link(pictures, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(pictures, target_is_directory=True)
    assert scan(link).fingerprint == scan(pictures).fingerprint


def test_nothing_is_written_into_the_folder(pictures):
    (pictures / "labels.csv").write_text("image\nben/cat.png\n")

    def state():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [pictures, *pictures.rglob("*")]}

    before = state()
    os.chmod(pictures, 0o555)
    for entry in (*scan(pictures).entries, *scan(pictures, "labels.csv").entries):
        read(entry.path, 8)
    stamp(pictures)
    assert state() == before


# Pictures that cannot be used


def test_unreadable_pictures_are_named_and_the_rest_is_read(pictures):
    (pictures / "ben" / "words.png").write_text("this is no picture")
    (pictures / "ben" / "empty.jpg").touch()
    (pictures / "ben" / "layers.PSD").write_bytes(b"8BPS")
    folder = scan(pictures)
    assert len(folder.entries) == 4
    assert folder.report.left_out == [
        ("ben/empty.jpg", "an empty file"),
        ("ben/layers.PSD", ".psd files cannot be read; save it as PNG or JPEG"),
        ("ben/words.png", "not a picture, or damaged at its beginning"),
    ]
    lines = folder.report.text().splitlines()
    assert lines[0] == "4 pictures of 2 users, 3 left out."
    assert lines[4:8] == ["Left out:", *(f"- `{name}`: {reason}" for name, reason in folder.report.left_out)]


def test_a_long_report_is_shortened(pictures):
    for number in range(30):
        (pictures / "ben" / f"{number:02}.png").touch()
    lines = scan(pictures).report.text().splitlines()
    assert lines[0] == "4 pictures of 2 users, 30 left out."
    assert lines[5] == "- `ben/00.png`: an empty file" and lines[25] == "- and 10 more"


@pytest.mark.parametrize("filled_up", [False, True])
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp", "tif"])
def test_truncated(pictures, suffix, filled_up, monkeypatch):
    """Also where another node pack has told Pillow to read truncated files."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", filled_up)
    path = save(pictures / "ben" / f"cut.{suffix}", noise((64, 64)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert reason(pictures, path.relative_to(pictures).as_posix()).startswith(("damaged or cut off", "not a picture"))
    assert filled_up == ImageFile.LOAD_TRUNCATED_IMAGES


def write_huge_png(path, side):
    """One bit a pixel, all black: some 50 KB for 20000 x 20000."""
    packer, row = zlib.compressobj(1), bytes(1 + side // 8)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])

    def chunk(name, body):
        return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def test_huge_pictures_are_never_decoded(pictures, monkeypatch):
    write_huge_png(pictures / "ben" / "huge.png", 20000)
    write_huge_png(pictures / "ben" / "large.png", 9000)  # too large for us, not for Pillow
    decoded, load = [], ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: decoded.append(self.size) or load(self))
    left_out = dict(scan(pictures).report.left_out)
    assert left_out["ben/huge.png"].startswith("20000 x 20000 pixels, but at most 64 megapixels can be used")
    assert left_out["ben/large.png"].startswith("9000 x 9000 pixels")
    assert decoded and max(decoded) == (16, 16)


def test_a_huge_webp_is_found_out_before_its_decoder_takes_memory(pictures):
    file = io.BytesIO()
    Image.new("RGB", (16383, 1), "white").save(file, "WEBP", lossless=True)
    data = bytearray(file.getvalue())
    bits = int.from_bytes(data[21:25], "little") | (16382 << 14)  # 14 bits of width - 1, 14 bits of height - 1
    data[21:25] = bits.to_bytes(4, "little")
    (pictures / "ben" / "huge.webp").write_bytes(data)
    assert "64 megapixels" in reason(pictures, "ben/huge.webp")


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_tiny(pictures, size):
    save(pictures / "ben" / "tiny.png", noise(size))
    assert reason(pictures, "ben/tiny.png") == f"{size[0]} x {size[1]} pixels, but each side needs at least 8"


def test_lab_colours_are_named(pictures):
    save(pictures / "ben" / "lab.tif", Image.new("LAB", (16, 16)))
    assert reason(pictures, "ben/lab.tif").startswith("in Lab colours")


def test_duplicates(pictures):
    same = (pictures / "anna" / "cat.png").read_bytes()
    (pictures / "anna" / "copy.png").write_bytes(same)
    (pictures / "ben" / "stolen.png").write_bytes(same)
    folder = scan(pictures)
    assert folder.report.duplicates == [("anna/cat.png", "anna/copy.png"), ("anna/cat.png", "ben/stolen.png")]
    assert folder.report.left_out == [("anna/copy.png", "the same picture as `anna/cat.png`")]
    assert "ben/stolen.png" in [e.name for e in folder.entries]
    lines = folder.report.text().splitlines()
    assert lines[lines.index("The same picture with two users, used for both:") + 1] == (
        "- `anna/cat.png` and `ben/stolen.png`"
    )


def test_captions_that_cannot_be_read_are_named(pictures):
    (pictures / "ben" / "cat.txt").write_bytes("schl\u00e4frig".encode("latin-1"))
    (pictures / "ben" / "dog.txt").write_text("x" * 100_000)
    folder = scan(pictures)
    assert folder.report.captions == 1 and len(folder.entries) == 4
    assert folder.report.notes == [
        "`ben/cat.txt` is not in UTF-8; this caption is left out",
        "`ben/dog.txt` is longer than 64 KiB; this caption is left out",
    ]


# Tables


def write_table(root, text, encoding="utf-8", name="labels.csv"):
    (root / name).write_bytes(text.encode(encoding))
    return name


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_wins(pictures, mark, encoding):
    rows = [
        ("Image", "user", "semantics", "style", "caption"),
        ("anna/cat.png", "carla", "cat", "ink", "from the table"),
        ("ben\\cat.png", "", "cat", "", ""),
        ("anna/deep/../cat.png", "twice", "", "", ""),
        ("", "", "", "", ""),
    ]
    table = write_table(pictures, "\r\n".join(map(mark.join, rows)), encoding)
    folder = scan(pictures, table)
    assert [(e.name, e.user, e.style, e.semantics, e.caption) for e in folder.entries] == [
        ("anna/cat.png", "carla", "ink", "cat", "from the table"),
        ("ben/cat.png", "ben", "ben", "cat", ""),
    ]
    assert "Meanings from the table: 2 of 2" in folder.report.text()
    assert folder.report.notes == ["`labels.csv` names `anna/cat.png` more than once; its first row counts"]
    assert (folder.table, folder.pattern) == (pictures / table, "*")


def test_a_short_table_leaves_the_rest_to_folders_and_captions(pictures):
    table = write_table(pictures, "image,colour\nanna/cat.png,red\n")
    folder = scan(pictures, table)
    (entry,) = folder.entries
    assert (entry.user, entry.caption) == ("anna", "ein schl\u00e4friger Kater")
    assert folder.report.notes == ["`labels.csv`: columns that were not used: `colour`"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "has no columns, expected a column image; its first line should be out of: image, user, style"),
        ("picture,user\na.png,b\n", "has only the columns picture, user, expected a column image"),
        ("image\n", "names no picture"),
        ("image\nanna/cat.png\nx.png\n", "names files that are not there: x.png; write their paths from the folder"),
        ("image\na.png\nb.png\nc.png\nd.png\n", "not there: a.png, b.png, c.png and more, 4 in all;"),
        (f"image\n{'x' * 500}.png\n", "names files that are not there"),
        ("image\n../secret.png\nanna/cat.png\n", "names files outside the folder: ../secret.png;"),
        ("image\n/etc/hostname\n", "names files outside the folder: /etc/hostname;"),
        ("image\nout.png\n", "names files outside the folder: out.png;"),
        ("image\nanna\n", "names files that are not there: anna;"),
        ('image\n"' + "x" * 200_000 + '"\n', "is not a CSV file"),
    ],
)
def test_bad_tables(pictures, tmp_path, text, part):
    (pictures / "out.png").symlink_to(save(tmp_path / "secret.png"))
    table = write_table(pictures, text)
    message = sentence(scan, pictures, table)
    assert message.startswith("table 'labels.csv' ") and part in message


def test_tables_that_cannot_be_read(pictures):
    assert "is not in UTF-8" in sentence(scan, pictures, write_table(pictures, "image\n\u00e4.png\n", "latin-1"))
    text = sentence(scan, pictures, "missing.csv")
    assert text.startswith("table 'missing.csv' cannot be opened") and "or leave table empty" in text


# Folders that are none


def test_folders_without_pictures(tmp_path):
    assert "which is not there; give a folder" in sentence(scan, tmp_path / "nowhere")
    file = save(tmp_path / "a.png")
    assert "which is a file, not a folder" in sentence(scan, file)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "readme.txt").write_text("no picture")
    assert "holds no picture; put PNG, JPEG" in sentence(scan, empty)
    save(empty / "a.png", noise((4, 4)))
    (empty / "b.png").touch()
    assert sentence(scan, empty).endswith(
        "holds no usable picture, 2 pictures left out, first a.png: 4 x 4 pixels, but each side needs at least 8; "
        "give another folder"
    )


# Names that mean harm


def test_a_report_quotes_all_that_others_wrote(pictures):
    """As Markdown has it, nothing between two signs ` of one line is markup, and the rest is ours."""
    harm = "<img src=x> ![z](http:&sol;&sol;a.b) `code` **b** \u202e\r\n- <b>"
    same, user = (pictures / "anna" / "cat.png").read_bytes(), pictures / f"![user]{harm}"
    user.mkdir()
    for name in (f"![copy]{harm}.png", f"![again]{harm}.png"):
        (user / name).write_bytes(same)
    (user / f"![layers]{harm}.psd").touch()
    noise().save(user / f"![several]{harm}.gif", save_all=True, append_images=[noise(seed=1)])
    (user / f"![several]{harm}.txt").write_bytes(b"\xff")
    (user / f"![cut]{harm}.png").write_bytes(same[:100])
    names = [path.relative_to(pictures).as_posix() for path in user.iterdir() if path.suffix != ".txt"]
    rows = [f'"{name}","![style]{harm}"' for name in (*names, names[0])]
    table = write_table(pictures, "\n".join([f'image,user,"![column]{harm}"', *rows]), name=f"![table]{harm}.csv")
    for report in (scan(pictures).report.text(), scan(pictures, table).report.text()):
        ours = re.sub("`[^`\n]*`", "", report)
        assert re.fullmatch(r"[A-Za-z0-9,.:;() \n-]+", ours)
        quotes = re.findall("`[^`\n]*`", report)
        assert all(quote.isprintable() for quote in quotes)
        for what in ("copy", "several", "layers", "cut"):
            assert any(f"![{what}]<img" in quote for quote in quotes)
    assert all(f"![{what}]<img" in report for what in ("style", "column", "table"))


# What identifies a data set


def test_fingerprint_and_stamp_notice_changes(pictures, tmp_path):
    def change_caption():
        (pictures / "anna" / "cat.txt").write_text("awake")

    def change_picture():
        save(pictures / "anna" / "cat.png", noise(seed=9))

    def rename():
        (pictures / "ben" / "cat.png").rename(pictures / "ben" / "kitten.png")

    def remove():
        (pictures / "ben" / "kitten.png").unlink()

    def add():
        save(pictures / "ben" / "new.png")

    seen = [(scan(pictures).fingerprint, stamp(pictures))]
    assert seen[0] == (scan(pictures).fingerprint, stamp(pictures))
    for change in (change_caption, change_picture, rename, remove, add):
        change()
        seen.append((scan(pictures).fingerprint, stamp(pictures)))
    assert len({fingerprint for fingerprint, _ in seen}) == len({stamped for _, stamped in seen}) == len(seen)
    moved = pictures.rename(tmp_path / "moved")
    assert scan(moved).fingerprint == seen[-1][0]
    table = write_table(moved, "image,semantics\n" + "".join(f"{e.name},thing\n" for e in scan(moved).entries))
    assert scan(moved, table).fingerprint != seen[-1][0]
