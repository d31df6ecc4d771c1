"""Bars of running nodes, and what is shown while they move."""

import time
from collections.abc import Callable

from torch import Tensor

from ..drc.pixels import to_pixels
from . import host

PREVIEW_SECONDS = 0.3  # at least between two previews
PREVIEW_SHARE = 1 / 20  # of the time, at most


class Progress:
    """The bar on the running node. Every step first looks whether the user pressed cancel."""

    def __init__(self, total: int):
        self.bar, self.total = host.bar(total), total
        self.next_preview = time.monotonic() + PREVIEW_SECONDS

    def step_to(self, value: int, preview: Callable[[], Tensor] | None = None) -> None:
        """`preview` makes what the node shows, [3, H, W] in 0..1; it is called where enough time has passed, and at
        the end, so that nothing unfinished stays."""
        host.check_interrupt()
        start, picture = time.monotonic(), None
        if preview is not None and (start >= self.next_preview or value == self.total):
            shown = as_picture(preview())
            picture = ("JPEG", shown, max(shown.size))  # of another size the host would make it that large, and say so
        self.bar.update_absolute(value, preview=picture)
        if picture is not None:
            end = time.monotonic()
            self.next_preview = end + max(PREVIEW_SECONDS, (end - start) / PREVIEW_SHARE)


class Bar:
    """A bar whose length is told with each step; another length begins another bar."""

    progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if self.progress is None or self.progress.total != total:
            self.progress = Progress(total)
        self.progress.step_to(done)


class Later:
    """A bar whose numbers begin after those of others."""

    def __init__(self, progress: Progress, before: int):
        self.progress, self.before = progress, before

    def step_to(self, value: int) -> None:
        self.progress.step_to(self.before + value)


def as_picture(image: Tensor):
    """[3, H, W] in 0..1 -> PIL image."""
    from PIL import Image

    return Image.fromarray(to_pixels(image))
