"""Damaged runs: the state of a checkpoint, the log and the settings."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from drc.train.checkpoints import STATE, RunFolder
from drc.train.config import Config, DataConfig, ModelConfig, Schedule
from drc.train.config_file import read_config, to_toml
from drc.train.loop import Trainer, plainly
from drc.train.objectives.importance import ImportanceSampler

from .bytes import Damage, Edit, edited, generic
from .guard import Case

RUN, SETTINGS = "run", "config.toml"
FILE = f"{RUN}/step-000004/{STATE}"
STEPS = 8


class Model(nn.Module):
    """With a buffer that is no floating point."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.linear(x))


def trainer(folder: Path, steps: int) -> Trainer:
    torch.manual_seed(0)
    schedule = Schedule(steps=steps, rate=0.01, save_every=4, log_every=3)
    return Trainer(Model(), schedule, RunFolder(folder / RUN), sampler=ImportanceSampler(), identity={"of": "test"})


def learn(model: nn.Module, step: int) -> tuple[torch.Tensor, dict]:
    return model(torch.arange(32.0).view(4, 8)).square().sum() * 0.1, {}


def whole(folder: Path) -> None:
    one = trainer(folder, 4)
    one.run(plainly(one.inner, 0, learn))
    config = Config(DataConfig(folder="pictures"), ModelConfig(file="model.safetensors"))
    (folder / SETTINGS).write_text(to_toml(config))


def use(folder: Path) -> None:
    """Goes on from the checkpoint, to the end."""
    one = trainer(folder, STEPS)
    one.run(plainly(one.inner, 0, learn))
    assert one.step == STEPS and all(
        math.isfinite(record["loss"]) for record in one.run_folder.read_log() if "loss" in record
    )


def read_settings(folder: Path) -> None:
    read_config(folder / SETTINGS)


def change(edit: Edit) -> Damage:
    return edited(FILE, edit)


def states() -> list[tuple[str, Callable]]:
    def put(name: str, make: Callable[[torch.Tensor], torch.Tensor]) -> Callable:
        return change(lambda tensors, header: tensors.update({name: make(tensors[name])}))

    def entry(**values) -> Callable:
        return change(lambda tensors, header: header.update(values))

    names = ("weights.linear.weight", "average.linear.bias", "buffers.norm.running_mean", "sampler.difficulty")
    moments = ("exp_avg.linear.weight", "exp_avg_sq.linear.weight")
    return [
        *((f"without {name}", change(lambda found, header, name=name: found.pop(name))) for name in names + moments),
        *((f"{name} of one number", put(name, lambda one: one.flatten()[:1].clone())) for name in names + moments),
        ("NaN in the weights", put(names[0], lambda one: one * float("nan"))),
        ("infinite averages", put(names[1], lambda one: one + float("inf"))),
        ("complex weights", put(names[0], lambda one: one.to(torch.complex64))),
        ("whole numbers for moments", put(moments[0], lambda one: one.to(torch.int32))),
        ("steps of two", put("step.linear.weight", lambda one: torch.ones(2))),
        *((f"without {name}", change(lambda found, header, name=name: header.pop(name))) for name in ("best", "seen")),
        ("a best of text", entry(best="good")),
        ("a best that is none", entry(best="nan")),
        ("a best step after the last", entry(best_step="9" * 30)),
        ("a validation of text", entry(validated="all")),
        ("seen 100,000 deep", entry(seen="[" * 100_000)),
        ("seen that is a list", entry(seen="[1]")),
        ("seen of text", entry(seen='{"loss": ["a"]}')),
        ("of another training", entry(of="x" * 10**6)),
        ("a header that is no text", entry(best=3)),
    ]


def logs() -> list[tuple[str, Callable]]:
    def write(content: str | bytes) -> Callable[[Path], None]:
        data = content.encode() if isinstance(content, str) else content
        return lambda folder: (folder / RUN / "log.jsonl").write_bytes(data)

    return [
        ("no JSON", write("step 3\n" * 10)),
        ("100,000 deep", write("[" * 100_000 + "\n")),
        ("rows of other things", write('[1]\n{"step": "3"}\n{"loss": 1}\nnull\n')),
        ("a step of 5,000 digits", write('{"step": ' + "9" * 5000 + "}\n")),
        ("bytes that are no text", write(b"\xff\xfe\x00\n" * 100)),
        ("of 2 MB without a line feed", write("x" * 2 * 10**6)),
    ]


def settings() -> list[tuple[str, Callable]]:
    def put(table: str, line: str) -> Callable[[Path], None]:
        def damage(folder: Path) -> None:
            lines = (folder / SETTINGS).read_text().splitlines()
            name = line.split(" = ")[0]
            at = next((n for n, old in enumerate(lines) if old.startswith(f"{name} = ")), lines.index(f"[{table}]") + 1)
            replaced = lines[at].startswith(f"{name} = ")
            lines[at : at + replaced] = [line]
            (folder / SETTINGS).write_text("\n".join(lines))

        return damage

    def write(content: str) -> Callable[[Path], None]:
        return lambda folder: (folder / SETTINGS).write_text(content)

    bombs = ("batch", "micro_batch", "history", "samples", "steps", "seed")
    return [
        *((f"{name} of 10^30", put("training", f"{name} = {10**30}")) for name in bombs),
        *((f"{name} of 10^18", put("training", f"{name} = {10**18}")) for name in bombs[:4]),
        ("a rate of 10^400", put("training", f"rate = {10**400}")),
        ("a rate that is none", put("training", "rate = nan")),
        ("an infinite rate", put("training", "rate = inf")),
        ("a rate below 0", put("training", "rate = -1.0")),
        ("a batch of text", put("training", 'batch = "all"')),
        ("a choice of 60,000 letters", put("training", f'precision = "{"x" * 60_000}"')),
        ("a setting with a long name", put("training", f"{'x' * 60_000} = 3")),
        ("a setting nobody knows", put("data", "color = 0.5")),
        ("a list of numbers", put("data", "restylings = [1, 2]")),
        ("a table of text", write('training = "fast"\n')),
        ("a table nobody knows", write(f"[{'x' * 60_000}]\n")),
        ("a list 100,000 deep", write("a = " + "[" * 100_000)),
        ("tables 30,000 deep", write(f"[{'.'.join('a' * 30_000)}]\n")),
        ("a name 30,000 deep", write(f"{'.'.join('a' * 30_000)} = 1\n")),
        ("a name 12,000 deep in quotes", write('"\u2028".' * 12_000 + "a = 1\n")),
        ("of 3 MB", write("#" * 3 * 10**6)),
        ("a name twice", write("[data]\nfolder = 'a'\nfolder = 'b'\n")),
        ("without a folder", write("[data]\n")),
        ("a number of 5,000 digits", write("[training]\nseed = " + "9" * 5000)),
    ]


def cases() -> list[Case]:
    made = [Case(f"state: {label}", damage, use, RUN) for label, damage in states()]
    made += [Case(f"log: {label}", damage, use, RUN, refused=False) for label, damage in logs()]
    made += [Case(f"settings: {label}", damage, read_settings, SETTINGS) for label, damage in settings()]
    made += [
        Case(f"bytes: {label}", damage, use, STATE, kind in ("cut", "empty", "noise"))
        for label, kind, damage in generic(FILE, 7, cuts=3, flips=6)
    ]
    made += [
        Case(f"bytes: {label}", damage, read_settings, SETTINGS, kind in ("empty", "noise"))
        for label, kind, damage in generic(SETTINGS, 8, cuts=2, flips=4)
    ]
    return made
