"""What a training node shows while it runs, and in the end."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from . import host
from .progress import Bar, Progress

WIDTH = 512  # of the live preview, in pixels
TEXT_SECONDS = 0.3  # at least between two texts of a validation


class Watcher:
    """Bar, text and picture of a running training; gives the training its hooks."""

    def __init__(self, hidden, steps: int):
        self.hidden, self.steps = hidden, steps
        self.bar: Progress | None = None
        self.codes = Bar()
        self.text, self.next_text = "resumed", 0.0  # of the last step, and when the next one may be shown
        self.sheet = None  # uint8 [H, W, 3]: what was drawn last
        self.notes: list[str] = []  # lines that stay
        self.held: list = []  # patchers, or the host would take the weights away

    def hooks(self):
        from ..drc.train.run import Hooks

        return Hooks(
            place=self.place,
            on_file=Bar(),
            on_pair=Bar(),
            on_picture=self.on_picture,
            on_step=self.on_step,
            on_part=host.check_interrupt,
            on_validation=self.on_validation,
            on_samples=self.on_samples,
            on_note=self.notes.append,
        )

    def place(self, module, device, memory: int) -> None:
        self.held = [host.place(module, device, memory)]

    @contextlib.contextmanager
    def of(self, folder: Path, resume: bool) -> Iterator[None]:
        """While it trains in `folder`: where it was cancelled, the text says how to go on."""
        from ..drc.train.checkpoints import RunFolder

        try:
            yield
        except host.Interrupted:
            if folder.exists() and (step := RunFolder(folder).reached()):
                how = "Run goes on from there" if resume else "turn resume on to go on from there"
                host.show_text(self.hidden, f"stopped after step {step} of {self.steps}; {how}")
            raise

    def on_picture(self, done: int, total: int) -> None:
        self.codes(done, total)
        if self.is_time() or done == total:
            host.show_text(self.hidden, f"turning pictures into codes, once: {done} of {total}")

    def is_time(self) -> bool:
        """Whether what was said last has been there long enough."""
        now = time.monotonic()
        due = now >= self.next_text
        if due:
            self.next_text = now + TEXT_SECONDS
        return due

    def on_step(self, trainer) -> None:
        self.bar = self.bar or Progress(self.steps)
        self.text = status(trainer)
        self.show(self.text)
        self.bar.step_to(trainer.step, lambda: self.preview(trainer.run_folder.read_log(), self.text))

    def on_validation(self, what: str, done: int, total: int) -> None:
        host.check_interrupt()
        if self.is_time() or done == total:
            self.show(f"{self.text}; {what}: {done} of {total}")

    def finish(self, result, file: str) -> None:
        """`file` is where the trained model lies, as its user looks for it."""
        taken = max((record["step"] for record in result.records), default=result.step)
        text = f"learned {taken} of {self.steps} steps; the model is {file}"
        self.show(text)
        if self.bar is not None:
            self.bar.step_to(self.steps, lambda: self.preview(result.records, text))

    def show(self, text: str) -> None:
        host.show_text(self.hidden, "\n".join([text, *self.notes]))

    def on_samples(self, sheet) -> None:
        self.sheet = sheet

    def preview(self, records: list[dict], text: str) -> Tensor:
        """[3, H, W] in 0..1: the curve, the last samples and the text."""
        import numpy
        from PIL import Image

        from ..drc.pixels import from_pixels
        from ..drc.plots.curve import loss_curve
        from ..drc.plots.sheet import status_strip

        picture = loss_curve(records, WIDTH, WIDTH * 3 // 4)
        if self.sheet is not None:
            size = WIDTH, round(WIDTH * self.sheet.shape[0] / self.sheet.shape[1])
            picture = numpy.concatenate((picture, numpy.array(Image.fromarray(self.sheet).resize(size))))
        return from_pixels(status_strip(picture, text))

    def curve(self, records: list[dict]) -> Tensor:
        from ..drc.plots.curve import loss_curve

        return host.as_images([loss_curve(records)])

    def sheets(self, samples: list) -> Tensor:
        """A grey pixel where none were drawn: an image output cannot be empty."""
        return host.as_images(samples) if samples else torch.full((1, 1, 1, 3), 0.5)


def status(trainer) -> str:
    """Step, loss, pictures a second and time left, in one line. A validation is told apart until one was timed."""
    steps = trainer.schedule.steps
    text = f"step {trainer.step} of {steps}"
    if not trainer.recent:
        return f"{text}; the next one tells how long it will take"
    loss, speed = trainer.recent["loss"], trainer.recent["images_per_second"]
    left = f"about {duration(trainer.seconds_left())} left"
    if count := 0 if trainer.validation_seconds else trainer.validations_left():
        left += f" and {count} validation{'s' * (count > 1)}"
    return f"{text}, loss {loss:.3f}, {speed:.1f} pictures a second, {left}"


def duration(seconds: float) -> str:
    """In its two largest units, such as 3 h 31 min."""
    seconds = round(seconds)
    for unit, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // part} {smaller}"
    return f"{seconds} s"
