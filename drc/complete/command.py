"""What `python -m drc.complete` does, on one process or with a share of the list on each of many."""

import logging
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ..checkpoint import load
from ..data.folder import Entry, scan
from ..data.history import MOST as MOST_HISTORY
from ..data.picture_file import read
from ..files import read_bounded
from ..instruction import Style
from ..lmm.pictures import codes_of
from ..model import DRC
from ..pixels import from_pixels
from ..train.processes import OneProcess
from . import svg
from .names import items_of
from .output import Finish, Look, SetFolder
from .palette import palette_of
from .run import Completion, Drawn, Settings
from .sizes import FULL, LEAST
from .summary import Summary, Tell

log = logging.getLogger("drc")

MOST_BYTES = 2**22  # of a file with words


class Command:
    """ValueError, in one sentence, for options that do not serve."""

    def __init__(self, options: Namespace, settings: Settings, processes: OneProcess):
        if not LEAST <= options.size <= FULL:
            raise ValueError(f"--size is {options.size}, expected {LEAST} to {FULL}; choose one of these")
        if options.svg:
            svg.require()
        keep_apart(options.out, history=options.history, references=options.references)
        self.out, self.processes = SetFolder(options.out), processes
        self.items, notes = items_of(words_in(options.words), references_in(options.references))
        drc = load(options.model).to(processes.device)
        drc.require_pixels()
        self.history = history_in(options.history)
        self.completion = Completion(drc, style_of(drc, self.history), settings, self.out.kept)
        locked = options.svg or options.colours is not None
        look = look_of(self.history) if locked else None
        self.finish = Finish(drc, options.size, look, options.colours or 0, options.svg)
        self.notes = notes + self.completion.meanings.notes(self.items)
        if processes.main:
            for note in self.notes:
                log.info(note)
            self.out.claim({"model": drc.hash, "history": self.completion.style_key} | vars(settings))

    def draw(self, tell: Tell) -> None:
        """This process's share of the list; what is there already is not drawn again."""
        items = self.items[self.processes.rank :: self.processes.count]
        tell("drawing", 0, len(items))
        for done, drawn in enumerate(self.completion.draw(items), 1):
            self.write(drawn)
            tell("drawing", done, len(items))

    def write(self, drawn: Drawn) -> None:
        """The PNG last: it stands for all files of a picture."""
        name, mark = drawn.asked.item.name, self.finish.mark(drawn)
        if self.out.has(self.out.picture(name), mark):
            return
        picture = self.finish.whole(drawn.codes)
        if self.finish.as_svg:
            try:
                self.out.write_text(self.out.path / "svg" / f"{name}.svg", self.finish.svg(picture, name))
            except ValueError as error:
                log.warning(error)
        self.out.write(self.out.picture(name), self.finish.file(picture), mark)

    def report(self, tell: Tell) -> None:
        """Of what all processes drew."""
        summary = Summary(self.completion, self.finish, self.out, [entry.path for entry in self.history])
        summary.write(self.items, self.notes, tell)


def keep_apart(out: Path, **folders: Path | None) -> None:
    """What is drawn would be taken for a picture of theirs."""
    for name, folder in folders.items():
        if folder is not None and out.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"--out is '{out}', which lies in --{name}; give another folder")


def words_in(path: Path | None) -> str:
    """The text of a file; ValueError for one that is none."""
    if path is None:
        return ""
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"--words is '{path}', which is no text in UTF-8; save it as such") from error


def references_in(folder: Path | None) -> list[tuple[str, Path]]:
    """Name and file of every picture in a folder; of equal ones under several names the first serves for all."""
    if folder is None:
        return []
    found = scan(folder)
    files = {entry.name: entry.path for entry in found.entries}
    files |= {other: files[name] for name, other in found.report.duplicates}
    return [(Path(name).stem, path) for name, path in sorted(files.items())]


def history_in(folder: Path) -> list[Entry]:
    """The pictures of a folder that can be used; ValueError for none, and for more than a style is found in."""
    entries = scan(folder).entries
    if len(entries) > MOST_HISTORY:
        raise ValueError(f"--history has {len(entries)} pictures, expected at most {MOST_HISTORY}; give a part of them")
    if len(entries) == 1:
        log.info("the history has one picture, which leaves open what is style and what is meaning; give eight or more")
    return entries


def style_of(drc: DRC, history: Sequence[Entry]) -> Style:
    squares = (from_pixels([read(entry.path, drc.lmm.image_size)])[0] for entry in history)
    return drc.style(codes_of(drc.lmm, squares, drc.device))


def look_of(history: Sequence[Entry]) -> Look:
    sides = [max(entry.width, entry.height) for entry in history]
    pictures = (read(entry.path, min(side, FULL)) for entry, side in zip(history, sides, strict=True))
    return Look(palette_of(pictures), svg.grid_of(sides))
