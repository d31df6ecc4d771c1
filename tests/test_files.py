"""Safetensors in pieces against the library, and files that are written whole or not at all."""

import os
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from drc.files import CHUNK, LEFT_OVER, file_chunks, replacing, write_bytes, write_chunks
from drc.tensor_file import DTYPES, safetensors_chunks, safetensors_header, write_safetensors
from scripts.lib.disk import full_disk, names


def tensors():
    generator = torch.Generator().manual_seed(0)
    made = {
        "b.half": torch.randn(3, 5, generator=generator).half(),
        "a.single": torch.randn(2, 2, generator=generator),
        "c.brain": torch.randn(7, generator=generator).bfloat16(),
        "d.double": torch.randn(1, 3, generator=generator).double(),
        "number": torch.tensor(0.5),
        "empty": torch.zeros(0, 4),
        "turned": torch.randn(4, 6, generator=generator).T,
        'quotes " and umlauts \u00e4': torch.ones(2),
    }
    return made | {"shared": made["a.single"], "part": made["a.single"][1:]}


def test_the_library_reads_what_is_written(tmp_path):
    path = tmp_path / "a.safetensors"
    write_chunks(safetensors_chunks(tensors()), path)
    found = load_file(path)
    assert found.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_numbers_lie_where_their_width_asks(tmp_path):
    path = tmp_path / "a.safetensors"
    write_chunks(safetensors_chunks(tensors()), path)
    assert len(safetensors_header(tensors())) % 8 == 0
    assert all(tensor.data_ptr() % tensor.itemsize == 0 for tensor in load_file(path).values())


@pytest.mark.parametrize("metadata", [{}, {"format": "pt"}, {"drc": '{"\u00e4": "\\u2028 \u0001"}'}])
def test_the_bytes_are_those_of_the_library(tmp_path, metadata):
    many = tensors()
    del many["turned"], many["shared"], many["part"]  # the library takes neither strided nor shared memory
    for dtype in DTYPES:
        many |= {f"{dtype} {name}": torch.arange(6).reshape(3, 2).to(dtype) for name in ("z", "\u4e8c", "\\\n\x7f")}
        many |= {f"{dtype} empty": torch.zeros(0, 3, dtype=dtype), f"{dtype} one": torch.tensor(1, dtype=dtype)}
    save_file(many, tmp_path / "library", metadata)
    write_safetensors(many, tmp_path / "ours", metadata)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "library").read_bytes()


def test_large_tensors_come_in_pieces(tmp_path):
    large = {"large": torch.arange(CHUNK // 2 + 7, dtype=torch.float32)}
    pieces = [len(piece) for piece in safetensors_chunks(large)]
    assert pieces[1:] == [CHUNK, CHUNK, 28]
    path = tmp_path / "large"
    write_chunks(safetensors_chunks(large), path)
    assert torch.equal(load_file(path)["large"], large["large"])
    assert [len(piece) for piece in file_chunks(path)] == [CHUNK, CHUNK, pieces[0] + 28]


def test_the_disk_has_one_piece_before_it_gets_the_next(tmp_path, monkeypatch):
    """And between them it is asked whether to go on."""
    had, asked, path = [], [], tmp_path / "file"
    monkeypatch.setattr("drc.files.sync", lambda file: had.append(file.tell()))
    pieces = [bytes(1000), bytes(CHUNK - 1000), bytes(CHUNK), bytes(5)]
    write_chunks(pieces, path, lambda: asked.append(len(had)))
    assert had == [CHUNK, 2 * CHUNK, 2 * CHUNK + 5] and asked == [0, 0, 1, 2]

    def stop():
        if len(asked) == 6:
            raise RuntimeError
        asked.append(0)

    with pytest.raises(RuntimeError):
        write_chunks(pieces, path, stop)
    assert path.stat().st_size == 2 * CHUNK + 5 and names(tmp_path) == ["file"]


def test_an_error_between_pieces_leaves_what_was_there(tmp_path):
    path = tmp_path / "new folder" / "file"

    def pieces():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_chunks(pieces(), path)
    assert names(tmp_path) == ["new folder"]
    write_chunks([b"who", b"le"], path)
    with pytest.raises(RuntimeError):
        write_chunks(pieces(), path)
    with full_disk(4), pytest.raises(OSError, match="File too large"):
        write_chunks([b"too ", b"much"], path)
    assert path.read_bytes() == b"whole" and names(path.parent) == ["file"]


def test_what_a_killed_process_left_is_cleared_away_by_the_next(tmp_path):
    """Not what one that lives is writing, nor what one that may live on another machine was writing just now."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    old = time.time() - 2 * LEFT_OVER
    for name, process, when in (("a", ended.pid, old), ("b", ended.pid, None), ("c", os.getppid(), old)):
        part = tmp_path / f"{name}.json.{process}.part"
        part.mkdir()
        (part / "whole").write_bytes(b"half")
        if when:
            os.utime(part, (when, when))
        write_bytes(b"new", tmp_path / f"{name}.json")
    kept = {f"b.json.{ended.pid}.part", f"c.json.{os.getppid()}.part"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json", "c.json"} | kept


def test_whatever_is_written_takes_its_place_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new folder" / "file"
    write_bytes(b"whole", path)
    with pytest.raises(RuntimeError), replacing(path) as unfinished:
        unfinished.write_bytes(b"half")
        unfinished.with_name("of a library").write_bytes(b"half")
        raise RuntimeError
    with full_disk(4), pytest.raises(OSError, match="File too large"):
        write_bytes(b"too much", path)
    assert path.read_bytes() == b"whole" and names(path.parent) == ["file"]
    with replacing(path) as unfinished:
        unfinished.write_bytes(b"other")
        assert path.read_bytes() == b"whole"
    assert path.read_bytes() == b"other" and names(path.parent) == ["file"]


@pytest.mark.parametrize("write", [write_bytes, lambda data, path: write_chunks([data], path)])
def test_a_full_disk_is_told_by_the_name_of_the_file(tmp_path, write):
    with full_disk(1000), pytest.raises(OSError) as error:
        write(bytes(5000), tmp_path / "a.png")
    assert error.value.filename == str(tmp_path / "a.png") and names(tmp_path) == []
