"""The directory of an archive, against Python's own reader."""

import struct
import zipfile

import pytest
import torch

from drc.lmm.lavit.zip_directory import Record, read_directory


def expected(path):
    with zipfile.ZipFile(path) as archive:
        return [Record(one.filename, one.file_size, one.CRC, not one.compress_type) for one in archive.infolist()]


def write(path, comment=b""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = comment
        for number, kind in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)):
            archive.writestr(f"folder/{number}", bytes(100 * number), kind)


@pytest.mark.parametrize("comment", [b"", b"a comment" * 1000])
def test_an_archive(tmp_path, comment):
    write(tmp_path / "a.zip", comment)
    assert read_directory(tmp_path / "a.zip") == expected(tmp_path / "a.zip")
    assert [record.size for record in read_directory(tmp_path / "a.zip")] == [0, 100, 200]


def test_an_archive_of_64_bits(tmp_path, monkeypatch):
    """As of more than 4 GB."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 50)
    write(tmp_path / "a.zip")
    assert b"PK\6\6" in (tmp_path / "a.zip").read_bytes()
    assert read_directory(tmp_path / "a.zip") == expected(tmp_path / "a.zip")


def test_what_pytorch_writes(tmp_path):
    torch.save({"a": torch.arange(5), "b": torch.zeros(2, 3)}, tmp_path / "a.bin")
    found = read_directory(tmp_path / "a.bin")
    assert found == expected(tmp_path / "a.bin") and {40, 24} <= {record.size for record in found}


def test_what_is_cut_short_is_an_error(tmp_path):
    write(tmp_path / "a.zip")
    whole = (tmp_path / "a.zip").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises((ValueError, struct.error)):
            read_directory(tmp_path / "cut.zip")


def test_numbers_that_lead_nowhere_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 50)
    write(tmp_path / "a.zip")
    whole = (tmp_path / "a.zip").read_bytes()
    end, locator = whole.rindex(b"PK\6\6"), whole.rindex(b"PK\6\7")
    for place in (end + 40, end + 48, locator + 8):  # size and offset of the directory, offset of the end record
        (tmp_path / "wrong.zip").write_bytes(whole[:place] + b"\xff" * 8 + whole[place + 8 :])
        with pytest.raises((ValueError, struct.error)):
            read_directory(tmp_path / "wrong.zip")
