"""The conversion of damaged files, or stopped, or on a full disk: whole files only, and the next call goes on."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from drc.lmm.lavit.convert import check_room, convert, table
from drc.lmm.lavit.reading import open_set
from drc.lmm.lavit.weights import File
from scripts.lib.disk import full_disk, names

from .places import BECOMES, DESCRIPTION, EVERYTHING, files_in


def damaged(published: Path, folder: Path, name: str, change) -> Path:
    """A copy in which `change` damages the numbers of one file, of the same size as before."""
    shutil.copytree(published, folder)
    with zipfile.ZipFile(folder / name) as archive:
        record = max(archive.infolist(), key=lambda record: record.file_size)
    data = bytearray((folder / name).read_bytes())
    end = data.index(b"PK", record.header_offset + 200 + record.file_size // 2)  # of the largest tensor's record
    data[end - 400 : end - 100] = change(data[end - 400 : end - 100])
    (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    "change", [lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: bytes(len(data))], ids=["a bit", "zeros"]
)
@pytest.mark.parametrize("source", [list(BECOMES)[number] for number in (0, 3, 6)])
def test_damage_that_keeps_the_size(published, tmp_path, source, change):
    folder, models = damaged(published, tmp_path / "published", source, change), tmp_path / "models"
    models.mkdir()
    with pytest.raises(ValueError) as error:
        convert(folder, models, "tiny")
    text = str(error.value)
    assert text.startswith(f"{folder / source} is damaged in ") and "\n" not in text
    assert text.endswith(", its check sum is another; download it again from rain1011/LaVIT-7B-v2")
    assert not {BECOMES[source], DESCRIPTION} & files_in(models)
    assert not [name for name in names(models) if name.endswith(".part")]
    shutil.copy(published / source, folder / source)
    convert(folder, models, "tiny")
    assert files_in(models) == EVERYTHING


def changed_encoder(published: Path, tmp_path: Path, change) -> tuple[Path, Path]:
    """A published folder with other tensors in the file of the vision encoder, and a models folder."""
    folder, models = tmp_path / "published", tmp_path / "models"
    shutil.copytree(published, folder)
    models.mkdir()
    path = folder / "visual_tokenizer" / "eva_vitg_psz14.bin"
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)
    return folder, models


def test_numbers_that_tensors_share_are_held_against_their_sum(published, tmp_path):
    def share(tensors: dict) -> None:
        table = torch.stack([tensors["norm.bias"], tensors["norm.weight"]])
        tensors |= {"norm.bias": table[0], "norm.weight": table[1]}

    folder, models = changed_encoder(published, tmp_path, share)
    convert(folder, models, "tiny")
    before = torch.load(published / "visual_tokenizer" / "eva_vitg_psz14.bin", weights_only=True)
    after = load_file(models / "drc" / "tiny" / "vision.safetensors")
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(published, tmp_path, value):
    folder, models = changed_encoder(published, tmp_path, lambda tensors: tensors["norm.bias"][:1].fill_(value))
    with pytest.raises(ValueError, match=r"eva_vitg_psz14.bin holds numbers in norm.bias that are none \(NaN or inf"):
        convert(folder, models, "tiny")
    assert "drc/tiny/vision.safetensors" not in files_in(models)


class StopError(Exception):
    pass


def stop_after(calls: int):
    def on_bytes(done: int, total: int) -> None:
        nonlocal calls
        calls -= 1
        if calls == 0:
            raise StopError

    return on_bytes


def test_progress_counts_all_bytes(published, converted, tmp_path):
    told = []
    conversion = convert(published, tmp_path, "tiny", lambda *numbers: told.append(numbers))
    total = sum(file.size for file in conversion.files)
    assert told[-1] == (total, total) and {end for _, end in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_stop_leaves_whole_files_and_the_next_call_goes_on(published, converted, tmp_path, share):
    told = []
    convert(published, tmp_path, "other", lambda *numbers: told.append(numbers))
    models = tmp_path / "models"
    models.mkdir()
    with pytest.raises(StopError):
        convert(published, models, "tiny", stop_after(1 + round(share * (len(told) - 1))))
    assert DESCRIPTION not in files_in(models) and files_in(models) < EVERYTHING
    before = {name: (models / name).stat() for name in files_in(models)}
    assert all((models / name).read_bytes() == (converted[0] / name).read_bytes() for name in before)
    with pytest.raises(ValueError, match="holds no lavit.json"):
        open_set(models / "drc" / "tiny")

    conversion = convert(published, models, "tiny")
    assert conversion.kept == set(before)
    for name, status in before.items():
        assert (models / name).stat().st_mtime_ns == status.st_mtime_ns
    assert files_in(models) == EVERYTHING
    assert all((models / name).read_bytes() == (converted[0] / name).read_bytes() for name in EVERYTHING)


def test_a_file_with_other_bytes_is_written_again(published, converted, tmp_path):
    shutil.copytree(converted[0], tmp_path, dirs_exist_ok=True)
    name = "drc/tiny/vision.safetensors"
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)

    def on_bytes(done: int, total: int) -> None:
        if not (tmp_path / DESCRIPTION).exists():  # from the first new byte on, the set is not one
            raise StopError

    with pytest.raises(StopError):
        convert(published, tmp_path, "tiny", on_bytes)
    conversion = convert(published, tmp_path, "tiny")
    assert {file.place for file in conversion.files} - conversion.kept == {name}
    assert all((tmp_path / name).read_bytes() == (converted[0] / name).read_bytes() for name in EVERYTHING)


def test_a_whole_set_is_left_alone(published, converted, tmp_path):
    shutil.copytree(converted[0], tmp_path, dirs_exist_ok=True)
    with pytest.raises(StopError):
        convert(published, tmp_path, "tiny", stop_after(5))
    assert open_set(tmp_path / "drc" / "tiny").hash == open_set(converted[0] / "drc" / "tiny").hash
    conversion = convert(published, tmp_path, "tiny")
    assert conversion.kept == EVERYTHING - {DESCRIPTION}
    assert "was there" in table(conversion) and "written" not in table(conversion)


def test_what_a_killed_process_left_is_taken_away(published, tmp_path):
    for name in ("vision.safetensors.part", "language-00002-of-00003.safetensors.part"):
        (tmp_path / "drc" / "tiny").mkdir(parents=True, exist_ok=True)
        (tmp_path / "drc" / "tiny" / name).write_bytes(b"half")
    convert(published, tmp_path, "tiny")
    assert files_in(tmp_path) == EVERYTHING


def test_a_full_disk_leaves_whole_files_and_the_next_call_goes_on(published, tmp_path):
    with full_disk(500_000), pytest.raises(ValueError) as error:
        convert(published, tmp_path, "tiny")
    path = tmp_path / "drc" / "tiny" / "language-00001-of-00003.safetensors"
    text = str(error.value)
    assert text.startswith(f"{path} could not be written (") and "\n" not in text
    assert text.endswith("make room on that disk and start the conversion again, it goes on from there")
    before = {"drc/tiny/config.json", "drc/tiny/tokenizer.model"}
    assert files_in(tmp_path) == before
    assert convert(published, tmp_path, "tiny").kept == before
    assert files_in(tmp_path) == EVERYTHING


def test_room_is_looked_for_before_anything_is_written(tmp_path):
    there = tmp_path / "vae" / "there.safetensors"
    there.parent.mkdir()
    there.write_bytes(b"12345")
    large = File("diffusion_models/large.safetensors", tmp_path / "large.bin", 2**60, "bfloat16", "")
    with pytest.raises(ValueError) as error:
        check_room([File("vae/there.safetensors", there, 5, "", ""), large], tmp_path)
    text = str(error.value)
    assert text.startswith(f"the disk of {tmp_path} has ") and "the conversion needs 1152921.50 TB there" in text
    check_room([File("vae/there.safetensors", there, 5, "", "")], tmp_path)
