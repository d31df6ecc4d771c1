"""Two processes train what one trains: the same losses to 1e-5, the same weights, one after the other or together."""

import os
import signal
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from drc.checkpoint import load
from drc.train.checkpoints import STATE, WEIGHTS, RunFolder
from drc.train.machine.processes import OneProcess, processes_of
from drc.train.run import Hooks

from .conftest import CLOCKED, Command, finish, names_in, wait_for

LAUNCH = (
    "-m",
    "accelerate.commands.launch",
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
)
SHARDED = {
    "ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "Layer",
}  # fmt: skip
WRAP = ("--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP", "--fsdp_transformer_layer_cls_to_wrap", "Layer")
LOSS, WEIGHT = 1e-5, 1e-5
"""Largest differences. The log has five decimals, so a loss differs by none of them or by one."""
CANCELLED = "key.bias"  # by softmax: its gradient is what rounding leaves, and AdamW makes whole steps of that


@pytest.fixture(scope="module")
def alone(course, tmp_path_factory):
    """For each stage the run of one process, with its config.toml: what all others are compared with."""

    def trained(stage: int) -> Path:
        folder = tmp_path_factory.mktemp(f"stage_{stage}") / "run"
        course.train(course.write(folder, stage), folder)
        return folder

    return {stage: trained(stage) for stage in (1, 2)}


def assert_same_training(run: Path, other: Path, steps: set[int] = frozenset({5, 10})) -> None:
    """The same records with the same numbers, and the same model in the last of the checkpoints of `steps`."""
    records, others = (RunFolder(folder).read_log() for folder in (run, other))
    assert [record["step"] for record in records] == [record["step"] for record in others]
    assert sum("validation_loss" in record for record in records) == 2
    for record, same in zip(records, others, strict=True):
        assert record.keys() == same.keys()
        differences = {name: abs(record[name] - same[name]) for name in record.keys() - CLOCKED}
        assert max(differences.values()) < 1.01 * LOSS, (record["step"], differences)
    for name in (WEIGHTS, STATE):
        tensors, same = (load_file(folder / "step-000010" / name) for folder in (run, other))
        assert tensors.keys() == same.keys()
        differences = {
            key: float((tensor.double() - same[key].double()).abs().max())
            for key, tensor in tensors.items()
            if not key.endswith(CANCELLED)
        }
        assert max(differences.values()) < WEIGHT, sorted((size, key) for key, size in differences.items())[-5:]
    assert load(run / "step-000010" / WEIGHTS).about.step == 10
    assert set(RunFolder(run).steps()) == steps
    assert not [name for name in names_in(run) if name.startswith((".", "samples"))]


def assert_all_finished(members: list[tuple[int, str]]) -> None:
    assert [code for code, _ in members] == [0] * len(members), members
    assert sum("/weights.safetensors\n" in said for _, said in members) == 1  # the first one alone says where


@pytest.mark.parametrize(
    ("stage", "options"),
    [(1, ("--multi_gpu",)), (2, ("--use_fsdp", "--fsdp_version", "2", *WRAP))],
    ids=["copies", "shards"],
)
def test_accelerate_launch(course, alone, tmp_path, stage, options):
    config = course.write(tmp_path / "run", stage)
    launcher = (*LAUNCH, *options, "--num_processes", "2", "--main_process_port", "0", "-m")

    code, out, err = Command(python=sys.executable).run(config, "--cache", course.cache, launcher=launcher)

    assert code == 0, err
    assert out == f"{tmp_path / 'run' / 'step-000010' / WEIGHTS}\n"
    assert_same_training(tmp_path / "run", alone[stage])


@pytest.mark.parametrize(("stage", "micro_batch"), [(1, 1), (2, 0)])
def test_two_processes(course, launcher, alone, tmp_path, stage, micro_batch):
    config = course.write(tmp_path / "run", stage, micro_batch=micro_batch)

    assert_all_finished(launcher.run(config))

    assert_same_training(tmp_path / "run", alone[stage])


@pytest.mark.parametrize("variables", [{}, SHARDED], ids=["copies", "shards"])
def test_one_goes_on_where_two_stopped(course, launcher, alone, tmp_path, variables):
    """A signal to one of them stops both after the same step."""
    config = course.write(tmp_path / "run", save_every=100)
    members = launcher.launch(config, **variables)
    wait_for(lambda: " step 2 " in members[0].log.read_text(), members[0])
    os.kill(members[1].pid, signal.SIGTERM)
    (first, said), (second, also_said) = finish(members)

    assert (first, second) == (2, 130)
    assert said.endswith("another process stopped; what it says is the reason.\n")
    assert also_said.endswith("Stopped; start it again and it goes on where it was.\n")
    (step,) = RunFolder(tmp_path / "run").steps()
    assert 2 <= step < 10
    assert_all_finished(launcher.run(config, count=1))
    RunFolder(tmp_path / "run").discard(step)
    assert_same_training(tmp_path / "run", alone[1], {10})


@pytest.mark.parametrize("variables", [{}, SHARDED], ids=["copies", "shards"])
def test_two_go_on_where_one_stopped(course, launcher, alone, tmp_path, variables):
    """In passes of one sample."""
    config = course.write(tmp_path / "run", save_every=100, micro_batch=1)

    def stop(trainer) -> None:
        if trainer.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        course.train(config, tmp_path / "run", Hooks(on_step=stop))

    assert_all_finished(launcher.run(config, **variables))
    RunFolder(tmp_path / "run").discard(4)
    assert_same_training(tmp_path / "run", alone[1], {10})


def assert_both_say_why(members: list[tuple[int, str]], reason: str, by: int | None = None) -> None:
    """One sentence each: the reason, and of those that it is not theirs, that there is one."""
    for rank, (code, said) in enumerate(members):
        sentences = [line for line in said.splitlines() if not line[:4].isdigit()]  # but for the log
        elsewhere = "another process stopped; what it says is the reason."
        assert code == 2 and len(sentences) == 1, said
        assert (reason if by in (None, rank) else elsewhere) in sentences[0] and sentences[0].endswith(".")


def test_a_batch_that_cannot_be_shared(course, launcher, tmp_path):
    members = launcher.run(course.write(tmp_path / "run", batch=3))

    assert_both_say_why(members, "batch is 3, which 2 processes cannot share evenly; choose a multiple of them")


def test_a_loss_that_is_no_number(course, launcher, tmp_path):
    config = course.write(tmp_path / "run", rate=1e30, language_rate=1e30)

    assert_both_say_why(launcher.run(config), "; lower the learning rate")


def test_another_kind_of_sharding(course, launcher, tmp_path):
    members = launcher.run(course.write(tmp_path / "run"), **SHARDED | {"FSDP_VERSION": "1"})

    assert_both_say_why(members, "asked for FSDP, expected --multi_gpu, or --use_fsdp with --fsdp_version 2; change it")


def test_settings_that_one_machine_lacks(course, launcher, tmp_path):
    config = course.write(tmp_path / "run")

    members = launcher.run(config, each={1: {"arguments": [tmp_path / "none.toml"]}})

    assert_both_say_why(members, "none.toml is not a readable TOML file", by=1)


@pytest.mark.parametrize("rank", [0, 1])
def test_pictures_that_one_machine_lacks(course, launcher, tmp_path, rank):
    config = course.write(tmp_path / "run")
    lacking = course.write(tmp_path / "lacking", folder=str(tmp_path / "none"))

    members = launcher.run(config, each={rank: {"arguments": [lacking, "--out", tmp_path / "run"]}})

    assert_both_say_why(members, "none', which is not there; give a folder with pictures", by=rank)


def test_other_pictures_on_one_machine(course, launcher, tmp_path):
    config = course.write(tmp_path / "run")
    fewer = course.write(tmp_path / "fewer", pattern="history-[12].png")

    members = launcher.run(config, each={1: {"arguments": [fewer, "--out", tmp_path / "run"]}})

    assert_both_say_why(members, "give all of them the same files")


def test_a_full_disk(course, launcher, tmp_path):
    """The system refuses files as large as a checkpoint; only the first process writes."""
    config = course.write(tmp_path / "run")

    members = launcher.run(config, each={0: {"largest_file": 200_000}})

    assert_both_say_why(members, "make room on that disk and start the training again", by=0)
    assert names_in(tmp_path / "run") == {"config.toml", "log.jsonl"}


def test_a_full_disk_for_the_codes(course, launcher, tmp_path):
    config = course.write(tmp_path / "run")

    members = launcher.run(config, each={rank: {"largest_file": 2000, "cache": tmp_path / "cache"} for rank in (0, 1)})

    assert_both_say_why(members, "make room on that disk and start the training again", by=0)
    assert names_in(tmp_path / "cache") == set()


def test_a_process_that_is_killed(course, launcher, tmp_path):
    """The other one does not wait for it, and keeps its last step."""
    config = course.write(tmp_path / "run", steps=1000, save_every=1000)
    members = launcher.launch(config)
    wait_for(lambda: " step 3 " in members[0].log.read_text(), members[0])
    members[1].kill()

    (code, said), (killed, _) = finish(members)

    assert killed == -9 and code not in (0, None)
    assert RunFolder(tmp_path / "run").steps()[-1] >= 3


def test_each_machine_turns_pictures_into_codes(course, launcher, tmp_path):
    """Where they share no disk."""
    config = course.write(tmp_path / "run", steps=1)
    own = {rank: {"cache": tmp_path / f"cache_{rank}"} for rank in (0, 1)}

    assert_all_finished(launcher.run(config, each=own))

    first, second = (list((tmp_path / f"cache_{rank}").iterdir()) for rank in (0, 1))
    assert [path.name for path in first] == [path.name for path in second]
    assert first[0].read_bytes() == second[0].read_bytes()


def test_the_first_process_turns_pictures_into_codes(course, launcher, tmp_path):
    """The other one could not write them."""
    config = course.write(tmp_path / "run", steps=1)
    shared = {"cache": tmp_path / "cache"}

    assert_all_finished(launcher.run(config, each={0: dict(shared), 1: shared | {"largest_file": 2000}}))


def test_a_device_is_the_choice_of_the_launcher(course, launcher, tmp_path):
    members = launcher.run(course.write(tmp_path / "run"), "--device", "cuda:1")

    assert_both_say_why(members, "--device is cuda:1, but the launcher gives each process its own")


def test_a_launcher_without_accelerate(course, launcher, tmp_path):
    """Two processes that do not know of each other would write into one folder."""
    config = course.write(tmp_path / "run")

    members = launcher.run(config, without=("accelerate",), TORCHELASTIC_RUN_ID="1")

    assert_both_say_why(members, "training on many processes needs accelerate; pip install accelerate")
    assert names_in(tmp_path / "run") == {"config.toml"}


def test_alone_no_launcher_is_needed():
    processes = processes_of("cpu")

    assert type(processes) is OneProcess and processes.device == torch.device("cpu") and processes.main
