"""The emoji benchmark as a data set to train on, once the scripts of the source repository have built it."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .pictures import PROGRAM, Pictures, training_pictures

EMOJI = ("emoji.json", "emoji.npy")
RESTYLED = tuple(
    f"restyled/{part}/restyled.{kind}" for part in ("train", "val", "val_history") for kind in ("json", "npy")
)


@dataclass(frozen=True)
class Benchmark:
    """A build in `folder`, as `open_benchmark` found it."""

    folder: Path

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hexadecimal, of what names the pictures of training and validation; the pixels follow from it."""
        digest = hashlib.sha256()
        for name in (*EMOJI, *RESTYLED):
            if name.endswith(".json"):
                digest.update(hashlib.sha256((self.folder / name).read_bytes()).digest())
        return digest.hexdigest()

    @cached_property
    def pictures(self) -> Pictures:
        """What training may see; the pixels stay on disk."""
        return training_pictures(self.folder)

    def report_text(self) -> str:
        """What training may see, in plain lines."""
        styles = {record.style for record in self.pictures.records}
        programs = {style for style in styles if style.startswith(PROGRAM)}
        meanings = {record.meaning for record in self.pictures.records}
        drawn = int(self.pictures.starts[1])
        return "\n".join(
            (
                f"Emoji benchmark: {len(self.pictures)} pictures of {len(meanings)} meanings to train on.",
                "",
                f"- {drawn} in {len(styles - programs)} styles of real emoji sets",
                f"- {len(self.pictures) - drawn} in {len(programs)} styles made by programs",
                "",
                "Other styles and meanings are kept apart for validation and tests.",
            )
        )


def open_benchmark(folder: Path) -> Benchmark:
    """Raises ValueError in one sentence when the benchmark, or a part of it, is not built."""
    for names, script in ((EMOJI, "build_emoji"), (RESTYLED, "build_restyled")):
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ValueError(
                f"the emoji benchmark is not built, {missing[0]} is missing in '{folder}'; run "
                f"'python scripts/{script}.py' in a copy of this pack's source repository, or choose another source"
            )
    return Benchmark(folder)
