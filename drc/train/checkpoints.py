"""The folder of one training: its checkpoints, its log and its sample pictures.

    step-000200/weights.safetensors   the model as it would ship, ready to load
    step-000200/state.safetensors     what training needs to go on: weights, averages, optimiser, sampler
    log.jsonl                         one record per note
    samples/step-000200.png           what the model drew for validation
    config.toml                       the settings

A checkpoint is written under another name and renamed as a whole, so whoever looks finds a whole one or none, even if
the process was killed. Randomness needs no file: it all follows from the seed and the step.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..checkpoint import read_header
from ..files import BETWEEN_LOOKS, Beside, open_regular, read_bounded, remove, replacing
from ..parsing import brief
from ..progress import OnPart
from ..shapes import Shapes
from ..tensor_file import AGAIN, header_in, look, metadata_of, read_plain, read_tensors, write_safetensors
from .errors import CheckpointError, TrainingError

WEIGHTS, STATE = "weights.safetensors", "state.safetensors"
SAMPLES = "samples"
BUFFERS = "buffers."  # how the names of numbers begin that are not learned; some are whole numbers
UNFINISHED = ".unfinished-"
FORMER_NAMES = {"read_out": "auxiliary"}  # numbers of a log, by the names that older runs gave them


def always() -> bool:
    return True


@dataclass(frozen=True)
class Checkpoint:
    """Tensors and header of one file."""

    tensors: dict[str, Tensor]
    header: dict[str, str]


class RunFolder:
    """Keeps the last `keep` checkpoints of a training in `folder`."""

    def __init__(self, folder: Path, keep: int = 2):
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)

    def tidy(self) -> None:
        """Clears away what a killed process left; for the one process that is about to write here."""
        for place in (self.folder, self.folder / SAMPLES):
            for leftover in list(place.glob(f"{UNFINISHED}*")):
                remove(leftover)

    def steps(self) -> list[int]:
        """The steps that have a whole checkpoint, in order."""
        found = (re.fullmatch("step-([0-9]{6,})", path.name) for path in self.folder.glob("step-*") if path.is_dir())
        return sorted(int(name[1]) for name in found if name)

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:06d}"

    def last(self, name: str) -> Path:
        """A file of the last checkpoint; TrainingError when there is none."""
        if not self.steps():
            raise TrainingError(f"{self.folder} holds no checkpoint; train there first, or give another folder")
        return self.path(self.steps()[-1]) / name

    def save(
        self,
        step: int,
        files: dict[str, Checkpoint],
        protect: set[int] = frozenset(),
        goes_on: Callable[[], bool] = always,
    ) -> None:
        """Writes a checkpoint and lets go of the oldest but those to `protect`; CheckpointError when the disk does
        not take it. A busy disk needs seconds, in which `goes_on` is asked whether to wait; the checkpoint is written
        to its end in any case, from these tensors, and `settle` waits for that."""
        settle(self.folder)
        Saving(self, step, files, protect).wait(goes_on)

    def reached(self) -> int:
        """The last step that has a checkpoint, or will once it is written; 0 where there is none."""
        return max([*self.steps(), *(saving.step for saving in savings(self.folder))], default=0)

    def write_checkpoint(self, step: int, files: dict[str, Checkpoint], protect: set[int]) -> None:
        unfinished = self.folder / f"{UNFINISHED}{step:06d}"
        try:
            unfinished.mkdir(exist_ok=True)
            for name, file in files.items():
                write_safetensors(file.tensors, unfinished / name, metadata_of(file.header))
            if self.path(step).exists():  # a run that repeats steps after a damaged checkpoint
                self.discard(step)
            unfinished.rename(self.path(step))
        except OSError as error:
            remove(unfinished)
            last = max(self.steps(), default=None)
            kept = "there is no earlier one" if last is None else f"the one of step {last} is whole"
            raise CheckpointError(
                f"the checkpoint of step {step} could not be written to {self.folder} ({error}); {kept}; make room "
                "on that disk and start the training again"
            ) from error
        for old in set(self.steps()[: -self.keep]) - protect:
            self.discard(old)

    def discard(self, step: int) -> None:
        """Takes a checkpoint away as a whole before its files go one by one."""
        leaving = self.folder / f"{UNFINISHED}old-{step:06d}"
        self.path(step).rename(leaving)
        remove(leaving)

    def load(self, step: int, shapes: Shapes | None = None) -> Checkpoint:
        """The state of a checkpoint, which must hold tensors of the names and shapes in `shapes`, whatever else it
        holds; TrainingError when it is damaged."""
        path = self.path(step) / STATE
        header = self.header(step)
        try:
            contents = look(path)
            wrong = [name for name, shape in (shapes or {}).items() if contents.shapes.get(name) != shape]
            if wrong:
                raise ValueError(f"{len(wrong)} tensors are missing or of another size, such as {brief(wrong[0])}")
            floating = [name for name in contents.shapes if not name.startswith(BUFFERS)]
            tensors = read_tensors(path, floating) | read_plain(path, contents.shapes.keys() - set(floating))
            return Checkpoint(tensors, header)
        except (ValueError, OSError) as error:
            raise self.damaged(step, error) from error

    def header(self, step: int) -> dict[str, str]:
        """What a checkpoint says of itself; TrainingError when it is damaged."""
        path = self.path(step) / STATE
        try:
            header = header_in(path, look(path).metadata)
            if not header:
                raise ValueError("it has no header")
            return header
        except ValueError as error:
            raise self.damaged(step, error) from error

    def model(self, step: int) -> Path:
        """The model of a checkpoint, which others are about to load; TrainingError when it is damaged."""
        path = self.path(step) / WEIGHTS
        try:
            read_header(path)
            read_tensors(path)
            return path
        except ValueError as error:
            raise self.damaged(step, error, WEIGHTS) from error

    def damaged(self, step: int, error: Exception, name: str = STATE) -> TrainingError:
        """What to raise for a checkpoint that cannot be used, and what is wrong with it."""
        before = [earlier for earlier in self.steps() if earlier < step]
        instead = f"to go on from step {before[-1]}" if before else "to begin again"
        path, what = self.path(step) / name, brief(str(error).removesuffix(f"; {AGAIN}"), 200)
        return TrainingError(
            f"{path} is not a readable checkpoint ({what}); delete the folder {path.parent.name} {instead}"
        )

    def append_log(self, record: dict) -> None:
        with open_regular(self.folder / "log.jsonl", "ab") as file:
            file.write((json.dumps(record) + "\n").encode())

    def read_log(self, until: int | None = None) -> list[dict]:
        """The records of the log, of steps up to `until`; a half-written last one is none, nor is what others wrote."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return []
        lines = read_bounded(path).decode("utf-8", "replace").splitlines(keepends=True)
        records = [record for line in lines if line.endswith("\n") and (record := read_record(line))]
        return [record for record in records if until is None or record["step"] <= until]

    def cut_log(self, until: int, validated: int | None = None) -> None:
        """Forgets the records of steps after a checkpoint, and validations after `validated`: a run that was killed is
        about to write them again."""
        last = until if validated is None else validated
        found = self.read_log(until)
        lines = [json.dumps(one) + "\n" for one in found if "validation_loss" not in one or one["step"] <= last]
        self.write("log.jsonl", lambda path: path.write_text("".join(lines), "utf-8"))

    def write(self, name: str, write: Callable[[Path], object]) -> Path:
        """A small file of the run, written whole or not at all."""
        path = self.folder / name
        with replacing(path, path.with_name(f"{UNFINISHED}{path.name}")) as unfinished:
            write(unfinished)
        return path


class Saving(Beside):
    """A checkpoint that is being written."""

    def __init__(self, run_folder: RunFolder, step: int, files: dict[str, Checkpoint], protect: set[int]):
        self.run_folder, self.step = run_folder, step
        super().__init__(lambda: run_folder.write_checkpoint(step, files, protect))


def savings(folder: Path) -> list[Saving]:
    """Those of a run that nobody waited for to their end."""
    return [one for one in threading.enumerate() if isinstance(one, Saving) and one.run_folder.folder == folder]


def settle(folder: Path, on_part: OnPart | None = None) -> None:
    """Waits until nothing is written to a run any more; `on_part` is called again and again and may raise to stop."""
    for saving in savings(folder):
        while saving.is_alive():
            saving.join(BETWEEN_LOOKS)
            if on_part is not None:
                on_part()


def read_record(line: str) -> dict | None:
    """A record of a log; None for a line that is not one."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_record = isinstance(record, dict) and isinstance(record.get("step"), int)
    return renamed(record) if is_record and all(isinstance(value, (int, float)) for value in record.values()) else None


def renamed(numbers: dict) -> dict:
    """Numbers of a log by the names of today."""
    return {FORMER_NAMES.get(name, name): value for name, value in numbers.items()}


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with prefix, without it."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
