"""Trainings of a tiny model on a few pictures, in a moment each."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from drc.train.checkpoints import STATE
from drc.train.config import Config
from drc.train.run import Hooks, Result, train
from scripts.lib.tiny import config_of

USERS = {"anna": "crimson", "ben": "navy"}
PICTURES = 4  # of each


def draw_pictures(folder: Path, users: dict[str, str], count: int = PICTURES) -> Path:
    """Every user draws other shapes, in a colour of their own."""
    for user, colour in users.items():
        (folder / user).mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (40, 32), "white")
            corner = 3 * number + len(user)
            ImageDraw.Draw(picture).rectangle((corner, 4, corner + 8 + number, 12 + 4 * number), fill=colour)
            picture.save(folder / user / f"{number}.png")
    return folder


class Watched(Hooks):
    """Keeps the trainer, the start values and the gradients of the last step but one."""

    trainer = start = gradients = None

    def __init__(self, **hooks):
        super().__init__(on_step=self.look, **hooks)

    def look(self, trainer):
        if self.trainer is None:
            self.trainer = trainer
            self.start = {name: p.detach().clone() for name, p in trainer.inner.named_parameters()}
        self.gradients = {name: p.grad for name, p in trainer.named.items() if p.grad is not None}


def bytes_of(folder: Path) -> dict[str, str]:
    """A hash of every file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@dataclasses.dataclass
class TinyTraining:
    """Trains as a node does; `config` and `train` take settings of all three tables by name."""

    model: Path
    pictures: Path
    cache: Path

    def config(self, **settings) -> Config:
        quick = {
            "folder": str(self.pictures), "restyled_views": 3, "validation_share": 0.25,
            "file": str(self.model),
            "stage": 1, "steps": 4, "batch": 4, "rate": 1e-2, "language_rate": 1e-3, "warm_up": 2, "save_every": 2,
            "log_every": 2, "validate_every": 100, "samples": 0, "instructions_first": 0.5, "sampling_warm_up": 2,
            "precision": "float32",
        }  # fmt: skip
        return config_of(quick | settings)

    def train(self, run: Path, hooks: Hooks | None = None, **settings) -> Result:
        return train(self.config(**settings), run, self.cache, hooks=hooks)


def both_stages(train: Callable[..., Result], folder: Path, **settings) -> dict[int, tuple[Result, Watched]]:
    """By stage what came of it and what was watched; stage 2 goes on with the file of stage 1."""
    made, file = {}, {}
    for stage in (1, 2):
        often = {"stage": stage, "validate_every": 8, "log_every": 1, "all_blank": 0.2, "some_blank": 0.4}
        watched = Watched()
        made[stage] = train(folder / str(stage), watched, **often | settings | file), watched
        file = {"file": str(made[stage][0].file)}
    return made


def validation_losses(result: Result) -> list[float]:
    return [record["validation_loss"] for record in result.records if "validation_loss" in record]


class PowerCutError(Exception):
    pass


def cut(trainer) -> None:
    """Ends a training that saves every second step with a step that is in no checkpoint."""
    if trainer.step == 3:
        raise PowerCutError


def assert_resumes(train: Callable[..., Result], folder: Path, **settings) -> Path:
    """That a training which was cut off and begun again ends in the bytes of one that was not; its file."""
    settings |= {"steps": 5, "save_every": 2}
    straight = train(folder / "straight", **settings).file
    with pytest.raises(PowerCutError):
        train(folder / "cut", Hooks(on_step=cut), **settings)
    resumed = train(folder / "cut", **settings).file
    for file in (resumed, resumed.with_name(STATE)):
        assert file.read_bytes() == (straight.parent / file.name).read_bytes()
    return resumed
