"""Data sets that scripts of the source repository have built on this machine, to train on and to measure with."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from ..files import read_bounded
from .emoji import Emoji
from .icons import FILES, Icons
from .pictures import PROGRAM, Pictures, training_pictures
from .wordings import meaning_texts

RESTYLED = tuple(
    f"restyled/{part}/restyled.{kind}" for part in ("train", "val", "val_history") for kind in ("json", "npy")
)


def require_built(source: str, folder: Path, files: dict[str, tuple[str, ...]], otherwise: str) -> None:
    """ValueError in one sentence where a file is missing that a script writes into the folder: names by script.
    `otherwise` says what else one can do."""
    for script, names in files.items():
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise ValueError(
                f"the {source} is not built, {missing[0]} is missing in '{folder}'; run 'python scripts/{script}.py' "
                f"in a copy of this pack's source repository, or {otherwise}"
            )


@dataclass(frozen=True)
class Built:
    """A build in `folder`, as `open` found it.

    `source` is what nodes and settings call it, `domain` what the benchmark does; `files` are those that each script
    writes into the folder.
    """

    folder: Path
    source: ClassVar[str]
    domain: ClassVar[str]
    files: ClassVar[dict[str, tuple[str, ...]]]

    @classmethod
    def open(cls, folder: Path) -> "Built":
        """Raises ValueError in one sentence when it, or a part of it, is not built."""
        require_built(cls.source, folder, cls.files, "choose another source")
        return cls(folder)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hexadecimal, of what names the pictures of training and validation; the pixels follow from it."""
        digest = hashlib.sha256()
        for name in (name for names in self.files.values() for name in names if name.endswith(".json")):
            digest.update(hashlib.sha256(read_bounded(self.folder / name)).digest())
        return digest.hexdigest()

    def texts(self) -> dict[str, list[str]]:
        """Meaning -> its name, then other words for it."""
        raise NotImplementedError

    def training_meanings(self) -> set[str]:
        """Those that training may see."""
        raise NotImplementedError

    def training_texts(self) -> set[str]:
        """The words for them."""
        texts = self.texts()
        return {text for meaning in self.training_meanings() for text in texts[meaning]}

    def report_text(self) -> str:
        """What training may see, in plain lines."""
        raise NotImplementedError


class EmojiBenchmark(Built):
    """Real emoji sets, and drawings of theirs under programs that paint."""

    source = "emoji benchmark"
    domain = "emoji"
    files: ClassVar = {"build_emoji": ("emoji.json", "emoji.npy"), "build_restyled": RESTYLED}

    @cached_property
    def pictures(self) -> Pictures:
        """What training may see; the pixels stay on disk."""
        return training_pictures(self.folder)

    def texts(self) -> dict[str, list[str]]:
        return meaning_texts(Emoji(self.folder).meanings)

    def training_meanings(self) -> set[str]:
        return {record.meaning for record in self.pictures.records}

    def report_text(self) -> str:
        styles = {record.style for record in self.pictures.records}
        programs, meanings = {style for style in styles if style.startswith(PROGRAM)}, self.training_meanings()
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


class IconMatrix(Built):
    """What about a hundred designers drew of the same meanings."""

    source = "icon matrix"
    domain = "icons"
    files: ClassVar = {"build_icons": tuple(f"icons/{name}" for name in FILES)}

    @cached_property
    def icons(self) -> Icons:
        return Icons(self.folder / "icons")

    def texts(self) -> dict[str, list[str]]:
        return {meaning: [meaning] for meaning in self.icons.meaning_split}

    def training_meanings(self) -> set[str]:
        return {cell.meaning for cell in self.icons.cells if self.icons.may_train(cell)}

    def report_text(self) -> str:
        cells = [cell for cell in self.icons.cells if self.icons.may_train(cell)]
        hands = [self.icons.styles[name] for name in {cell.style for cell in cells}]
        families, coloured = {hand.family for hand in hands}, sum(hand.colour for hand in hands)
        meanings, changed = self.training_meanings(), sum(cell.line != 1 for cell in cells)
        licences = Counter(hand.licence for hand in hands).most_common()
        return "\n".join(
            (
                f"Icon matrix: {len(cells)} pictures of {len(meanings)} meanings to train on.",
                "",
                f"- drawn by {len(hands)} hands of {len(families)} families: designers, or sets that share outlines",
                f"- {len(hands) - coloured} hands draw in one colour and are shown in colours of ours, too",
                f"- {changed} pictures have lines that are thinner or thicker than drawn",
                f"- licences, and how many hands: {', '.join(f'{name} {count}' for name, count in licences)}",
                "",
                "Other hands and meanings are kept apart for validation and tests. Authors and licences stand in the "
                "model card, and in icons.json beside the pictures.",
            )
        )


BUILT: dict[str, type[Built]] = {kind.source: kind for kind in (EmojiBenchmark, IconMatrix)}
