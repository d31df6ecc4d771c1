"""A checkpoint is there whole or not at all, whatever the disk says."""

import contextlib
import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from drc.train.checkpoints import STATE, UNFINISHED, WEIGHTS, Checkpoint, RunFolder
from drc.train.config import Schedule
from drc.train.errors import CheckpointError, TrainingError
from drc.train.loop import Trainer, plainly
from scripts.lib.disk import full_disk, names


def files(value: float = 0.0) -> dict[str, Checkpoint]:
    tensors = {"weights.w": torch.full((4,), value)}
    return {name: Checkpoint(tensors, {"step": "1", "of": name}) for name in (STATE, WEIGHTS)}


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    run = RunFolder(tmp_path / "a" / "run")
    run.save(20, files(3.0))
    found = run.load(20)
    assert found.header == {"step": "1", "of": STATE}
    assert torch.equal(found.tensors["weights.w"], torch.full((4,), 3.0))
    assert names(run.folder) == ["step-000020", f"step-000020/{STATE}", f"step-000020/{WEIGHTS}"]
    assert run.last(WEIGHTS) == run.folder / "step-000020" / WEIGHTS


def test_the_last_ones_are_kept_and_the_protected(tmp_path):
    run = RunFolder(tmp_path)
    for step in (1, 2, 3, 4, 5):
        run.save(step, files(), protect={2})
    assert run.steps() == [2, 4, 5]
    run.save(6, files())
    assert run.steps() == [5, 6]
    assert len(names(tmp_path)) == 6


def test_a_step_taken_again_replaces_its_checkpoint(tmp_path):
    run = RunFolder(tmp_path)
    for value in (1.0, 2.0):
        run.save(7, files(value))
    assert run.steps() == [7] and run.load(7).tensors["weights.w"].tolist() == [2.0] * 4


def test_what_a_killed_process_left_is_taken_away(tmp_path):
    RunFolder(tmp_path).save(1, files())
    (tmp_path / f"{UNFINISHED}000002").mkdir()
    (tmp_path / f"{UNFINISHED}000002" / f"{STATE}.part").write_bytes(b"half")
    (tmp_path / f"{UNFINISHED}old-000000").mkdir()
    (tmp_path / f"{UNFINISHED}log.jsonl").write_text("half")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / f"{UNFINISHED}step-000001.png").write_bytes(b"half")
    run = RunFolder(tmp_path)
    assert run.steps() == [1]
    run.tidy()
    assert names(tmp_path) == ["samples", "step-000001", f"step-000001/{STATE}", f"step-000001/{WEIGHTS}"]


def test_other_folders_are_no_checkpoints(tmp_path):
    for name in ("step-best", "step-", "samples"):
        (tmp_path / name).mkdir()
    assert RunFolder(tmp_path).steps() == []
    with pytest.raises(TrainingError, match="holds no checkpoint; train there first, or give another folder"):
        RunFolder(tmp_path).last(WEIGHTS)


@pytest.mark.parametrize("damage", ["cut", "noise", "missing", "no header", "foreign header"])
def test_a_damaged_state_says_which_file_and_what_to_do(tmp_path, damage):
    run = RunFolder(tmp_path)
    for step in (2, 4):
        run.save(step, files())
    path = tmp_path / "step-000004" / STATE
    if damage == "missing":
        path.unlink()
    elif damage == "no header":
        save_file({"weights.w": torch.zeros(4)}, path)
    elif damage == "foreign header":
        save_file({"weights.w": torch.zeros(4)}, path, {"drc": "{"})
    else:
        path.write_bytes(path.read_bytes()[:-5] if damage == "cut" else b"noise")
    with pytest.raises(TrainingError) as error:
        run.load(4)
    text = str(error.value)
    assert text.startswith(f"{path} is not a readable checkpoint (") and "\n" not in text
    assert text.endswith("; delete the folder step-000004 to go on from step 2")
    assert run.load(2).header["of"] == STATE
    (tmp_path / "step-000002" / STATE).write_bytes(b"noise")
    with pytest.raises(TrainingError, match="delete the folder step-000002 to begin again$"):
        run.load(2)


def test_a_half_written_last_row_is_none(tmp_path):
    run = RunFolder(tmp_path)
    assert run.read_log() == []
    for step in (1, 2, 3):
        run.append_log({"step": step, "loss": 1.0})
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('{"step": 4, "lo')
    assert [record["step"] for record in run.read_log()] == [1, 2, 3]
    assert [record["step"] for record in run.read_log(until=2)] == [1, 2]
    run.cut_log(2)
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2]
    run.append_log({"step": 2, "validation_loss": 1.0})
    run.cut_log(2, validated=2)
    assert len(run.read_log()) == 3
    run.cut_log(2, validated=0)  # the checkpoint of step 2 was made before its validation
    assert run.read_log() == [{"step": step, "loss": 1.0} for step in (1, 2)]


def test_a_small_file_is_replaced_whole(tmp_path):
    run = RunFolder(tmp_path)
    run.write("config.toml", lambda path: path.write_text("first"))

    def half(path):
        path.write_text("sec")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        run.write("config.toml", half)
    assert (tmp_path / "config.toml").read_text() == "first"


def test_a_full_disk_leaves_the_earlier_checkpoint_and_nothing_half(tmp_path):
    trainer = Trainer(nn.Linear(50, 50), Schedule(steps=9, rate=0.01, save_every=2), RunFolder(tmp_path))
    learn = plainly(trainer.inner, 0, lambda model, step: (model(torch.ones(1, 50)).square().sum(), {}))
    disk = contextlib.ExitStack()

    def fill(trainer):
        if trainer.step == 3:
            disk.enter_context(full_disk(4096))

    with disk, pytest.raises(CheckpointError) as error:
        trainer.run(learn, fill)
    text = str(error.value)
    assert text.startswith(f"the checkpoint of step 4 could not be written to {tmp_path} (") and "\n" not in text
    assert text.endswith("); the one of step 2 is whole; make room on that disk and start the training again")
    assert names(tmp_path) == ["log.jsonl", "step-000002", f"step-000002/{STATE}"]
    assert RunFolder(tmp_path).load(2).header["step"] == "2"


def test_a_disk_that_was_full_from_the_beginning(tmp_path):
    with full_disk(16), pytest.raises(CheckpointError, match="; there is no earlier one; make room on that disk"):
        RunFolder(tmp_path).save(1, files())
    assert names(tmp_path) == []
