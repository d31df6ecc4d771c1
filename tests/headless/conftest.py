"""Trainings of a tiny model on the pack's example pictures, without ComfyUI: as commands, and as forked processes."""

import dataclasses
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from drc.train.checkpoints import RunFolder
from drc.train.config import Config
from drc.train.config_file import read_config, to_toml
from drc.train.run import Hooks, Result, train
from scripts.lib.environment import ROOT, tested_host
from scripts.lib.tiny import config_of, write_tiny

CLOCKED = {"seconds", "images_per_second", "waited"}
LONGEST = 120  # seconds; whatever takes longer, on a machine however busy, hangs


@dataclasses.dataclass
class Course:
    """What trainings have in common: a model, pictures, and a cache of codes that is filled once."""

    model: Path
    cache: Path

    def settings(self, stage: int = 1, **settings) -> Config:
        quick = {
            "folder": str(ROOT / "nodes" / "examples"), "pattern": "history-*.png", "restyled_views": 3,
            "file": str(self.model),
            "stage": stage, "steps": 10, "batch": 4, "rate": 1e-2, "language_rate": 1e-2, "warm_up": 2, "save_every": 5,
            "log_every": 1, "validate_every": 5, "samples": 0, "sampling_warm_up": 2, "precision": "float32",
        } | settings  # fmt: skip
        return config_of(quick)

    def write(self, place: Path, stage: int = 1, **settings) -> Path:
        """A config.toml in a folder."""
        place.mkdir(parents=True, exist_ok=True)
        file = place / "config.toml"
        file.write_text(to_toml(self.settings(stage, **settings)), "utf-8")
        return file

    def train(self, config: Path, out: Path, hooks: Hooks | None = None) -> Result:
        """Here, in this process."""
        return train(read_config(config), out, self.cache, hooks=hooks)


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Course:
    folder = tmp_path_factory.mktemp("course")
    return Course(write_tiny(folder / "tiny.safetensors"), folder / "cache")


def environment() -> dict[str, str]:
    """Without a way to ComfyUI, and on one core."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@dataclasses.dataclass
class Command:
    """`python -m drc.train`, run from the pack's folder or from a copy of it, in an environment that holds what a stock
    host does; what a launcher of accelerate starts needs this one."""

    folder: Path = ROOT
    python: Path = tested_host().python

    def start(self, *arguments, launcher=("-m",)) -> subprocess.Popen:
        command = [self.python, *launcher, "drc.train", *map(str, arguments), "--device", "cpu"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=environment(), stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments, launcher=("-m",)) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(*arguments, launcher=launcher)
        out, err = process.communicate(timeout=2 * LONGEST)
        return process.returncode, out, err


@pytest.fixture(scope="session")
def command() -> Command:
    return Command()


@dataclasses.dataclass
class Launcher:
    """Starts trainings, or another of our commands, in processes that are forked from one that has imported everything,
    so in no time.

    `logs` is where they write what they say.
    """

    logs: Path
    cache: Path | None = None
    module: str = "drc.train"
    started: int = 0

    def __post_init__(self):
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            [
                "drc.complete.command",
                "drc.complete.__main__",
                "drc.train.run",
                "drc.train.__main__",
                "torch._dynamo",
                "accelerate",
            ]
        )

    def start(self, *arguments, largest_file: int = 0, cache: Path | None = None, without: tuple = (), **variables):
        """One process; its `log` is a file. `largest_file` is how many bytes the system lets it write into one, and
        `without` names modules that it cannot import."""
        self.started += 1
        log, cache = self.logs / f"{self.started}.txt", cache or self.cache
        options = ["--device", "cpu", *(["--cache", str(cache)] if cache else [])]
        request = {
            "module": self.module,
            "arguments": [*options, *map(str, arguments)],
            "environment": {"OMP_NUM_THREADS": "1"} | variables,
            "log": str(log),
            "largest_file": largest_file,
            "without": without,
        }
        member = str(Path(__file__).with_name("member.py"))
        process = self.context.Process(target=runpy.run_path, args=(member, {"request": request}))
        process.log = log
        process.start()
        return process

    def launch(self, *arguments, count: int = 2, each: dict[int, dict] | None = None, **variables) -> list:
        """As many processes as a launcher would start, with the variables that it would set; `each` has keywords of
        `start` for single ones, "arguments" among them."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
        processes = []
        for rank in range(count):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(count)}
            special = (each or {}).get(rank, {})
            given = special.pop("arguments", arguments)
            processes.append(self.start(*given, **group | own | variables | special))
        return processes

    def run(self, *arguments, **keywords) -> list[tuple[int, str]]:
        """Exit code and words of each process of `launch`."""
        return finish(self.launch(*arguments, **keywords))


def finish(processes: list, within: float = LONGEST) -> list[tuple[int, str]]:
    """Exit code and words of processes; one that still runs after so many seconds hangs, and fails the test."""
    deadline = time.monotonic() + within
    try:
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        hanging = [process.log.read_text() for process in processes if process.is_alive()]
        assert not hanging, hanging
    finally:
        for process in processes:
            process.kill()
    return [(process.exitcode, process.log.read_text()) for process in processes]


def wait_for(condition, process) -> None:
    """Until something has happened in a process that runs."""
    deadline = time.monotonic() + LONGEST
    while not (process.log.exists() and condition()):
        assert process.is_alive() and time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.0005)


@pytest.fixture(scope="session")
def launcher(course, tmp_path_factory) -> Launcher:
    return Launcher(tmp_path_factory.mktemp("logs"), course.cache)


def bytes_of(run: Path, step: int) -> dict[str, bytes]:
    """Both files of a checkpoint."""
    return {
        name: (run / f"step-{step:06d}" / name).read_bytes() for name in ("weights.safetensors", "state.safetensors")
    }


def names_in(run: Path) -> set[str]:
    """Everything in the folder of a run, hidden files too."""
    return {path.relative_to(run).as_posix() for path in run.rglob("*")}


def timeless(run: Path) -> list[dict]:
    """The records of a log without the numbers of the clock."""
    records = RunFolder(run).read_log()
    return [{name: value for name, value in record.items() if name not in CLOCKED} for record in records]


@pytest.fixture
def signals():
    """Puts back the handlers of a test that runs the command in this process."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)
