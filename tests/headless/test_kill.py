"""kill -9, at whatever moment: the last checkpoint is whole, and the training that goes on from it is the same."""

import random
import runpy
import time
from pathlib import Path

import pytest
import torch

from drc import card_file, checkpoint
from drc.checkpoint import load
from drc.style_card import StyleCard
from drc.tensor_file import write_safetensors
from drc.train.checkpoints import STATE, UNFINISHED, WEIGHTS, RunFolder

from .conftest import bytes_of, finish, names_in, timeless, wait_for

KILLS_WHILE_READING, KILLS_AT_RANDOM, KILLS_WHILE_WRITING = 3, 4, 6  # and one for its cache, and one for each node


def test_kill_at_any_moment(course, launcher, tmp_path):
    settings = {"steps": 30, "save_every": 1, "validate_every": 15, "samples": 1, "restyled_views": 6}
    config, run, cache = course.write(tmp_path / "c", **settings), tmp_path / "run", tmp_path / "cache"
    moments = random.Random(3)
    hit = []  # the step of the last checkpoint, and whether a half one lay beside it, at every kill

    def until_killed(wait) -> None:
        process = launcher.start(config, "--out", run, cache=cache)
        wait(process)
        process.kill()
        process.join()
        assert process.exitcode == -9, process.log.read_text()
        hit.append((assert_whole(run), any(run.glob(f"{UNFINISHED}*"))))

    for _ in range(KILLS_WHILE_READING):
        until_killed(lambda process: sleep_after("pictures read", moments.uniform(0, 0.15), process))
    until_killed(lambda process: wait_for(lambda: cache.exists() and any(cache.iterdir()), process))
    assert [step for step, _ in hit] == [0] * (KILLS_WHILE_READING + 1)
    for _ in range(KILLS_AT_RANDOM):
        until_killed(lambda process: sleep_after_steps(run, moments.randrange(4), moments.uniform(0, 0.05), process))
    for _ in range(KILLS_WHILE_WRITING):
        until_killed(
            lambda process: sleep_until_it_writes(run, moments.randrange(3), moments.uniform(0, 0.004), process)
        )
    assert any(half for _, half in hit), hit  # or none was killed while it wrote
    assert len({step for step, _ in hit}) > 3 and max(hit)[0] < 30, hit

    # Saves seldom, or what was half written would only be written over.
    config = course.write(tmp_path / "c", **settings | {"save_every": 100})
    ((code, said),) = finish([launcher.start(config, "--out", run, cache=cache)])

    assert code == 0, said
    course.train(config, tmp_path / "undisturbed")
    assert bytes_of(run, 30) == bytes_of(tmp_path / "undisturbed", 30)
    assert timeless(run) == timeless(tmp_path / "undisturbed")
    killed_at = {name for name in names_in(run) if name.startswith("step-") and "000030" not in name}
    assert names_in(run) - killed_at == names_in(tmp_path / "undisturbed")
    assert names_in(cache) == {path.name for path in course.cache.iterdir()}


@pytest.mark.parametrize("kind", ["checkpoint", "card_file"])
def test_kill_while_a_node_saves(kind, course, launcher, tmp_path):
    """A model or a style card: the file that was there stays whole, and the next takes its place, alone."""
    module = {"checkpoint": checkpoint, "card_file": card_file}[kind]
    path, source = tmp_path / "saved" / "mine.safetensors", course.model
    if kind == "card_file":
        source = tmp_path / "card.safetensors"
        card_file.save(StyleCard(torch.randint(2**14, (200, 576)), torch.ones(200), 64 * "0", "mine"), source)
    module.save(module.load(source), path)
    whole, saver = path.read_bytes(), str(Path(__file__).with_name("saver.py"))
    for _ in range(50):  # until it hits while half of one is written
        request = {"module": kind, "source": str(source), "path": str(path)}
        process = launcher.context.Process(target=runpy.run_path, args=(saver, {"request": request}))
        process.log = source  # it says nothing
        process.start()
        wait_for(lambda: path.with_name(f"{path.name}.part").exists(), process)
        process.kill()
        process.join()
        assert process.exitcode == -9 and path.read_bytes() == whole
        if names_in(path.parent) != {path.name}:
            break
    else:
        pytest.fail("it never hit while a file was written")
    module.save(module.load(path), path)
    assert path.read_bytes() == whole and names_in(path.parent) == {path.name}


def test_what_a_kill_left_of_a_file_is_cleared_away(tmp_path):
    file = tmp_path / "codes.safetensors"
    left = tmp_path / "codes.safetensors.part"
    left.mkdir()
    (left / ".tmpAbC123").write_bytes(b"half")  # as the library calls it
    (left / "whole").write_bytes(b"not moved yet")

    write_safetensors({"codes": torch.zeros(3)}, file, {})

    assert names_in(tmp_path) == {"codes.safetensors"}


def assert_whole(run) -> int:
    """The last checkpoint loads, whichever it is; its step, 0 for none."""
    if not run.exists():
        return 0
    folder = RunFolder(run)
    step = max(folder.steps(), default=0)
    if step:
        assert load(folder.path(step) / WEIGHTS).about.step == step
        assert folder.load(step).header["step"] == str(step)
        assert {path.name for path in folder.path(step).iterdir()} == {WEIGHTS, STATE}
    return step


def sleep_after(words: str, seconds: float, process) -> None:
    """Until a process says something, and a moment more."""
    wait_for(lambda: words in process.log.read_text(), process)
    time.sleep(seconds)


def sleep_after_steps(run, more: int, seconds: float, process) -> None:
    """Until it learns and has saved so many more steps, and a moment more."""
    sleep_after("training takes", 0, process)
    enough = last_step(run) + more
    wait_for(lambda: last_step(run) >= enough, process)
    time.sleep(seconds)


def sleep_until_it_writes(run, more: int, seconds: float, process) -> None:
    sleep_after_steps(run, more, 0, process)
    wait_for(lambda: any(run.glob(f"{UNFINISHED}0*")), process)
    time.sleep(seconds)


def last_step(run) -> int:
    return max((int(path.name[5:]) for path in run.glob("step-*")), default=0)
