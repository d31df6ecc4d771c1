"""What `python -m drc.complete` does, on one process or with a share of the list on each of many."""

import logging
import os
from argparse import Namespace
from pathlib import Path

from torch import Tensor

from ..checkpoint import load_to_draw
from ..data.folder import nothing_usable
from ..data.history import picture_names, reasons, usable
from ..files import read_bounded
from ..model import DRC
from ..parsing import between
from ..train.machine.processes import OneProcess
from . import svg
from .history import history_in
from .names import items_of, some_of
from .output import Finish, SetFolder
from .run import Completion, style_key
from .settings import FULL, LEAST, MOST_COLOURS, Settings, check
from .summary import Summary, Tell

log = logging.getLogger("drc")

MOST_BYTES = 2**22  # of a file with words


class Command:
    """ValueError, in one sentence, for options that do not serve."""

    def __init__(self, options: Namespace, settings: Settings, processes: OneProcess):
        if not LEAST <= options.size <= FULL:
            raise ValueError(f"--size is {options.size}, expected {LEAST} to {FULL}; choose one of these")
        if options.colours is not None and not 0 <= options.colours <= MOST_COLOURS:
            raise ValueError(f"--colours is {options.colours}, expected 0 to {MOST_COLOURS}; choose one of these")
        if options.svg:
            svg.require()
        if options.words is None and options.references is None:
            raise ValueError("neither --words nor --references is given, and one of them says what to draw; give one")
        keep_apart(options.out, history=options.history, negative=options.negative, references=options.references)
        require_writable(options.out)
        self.out, self.processes = SetFolder(options.out), processes
        self.notes: list[str] = []
        self.unwritten: dict[str, tuple[str, Tensor]] = {}  # names of pictures with their keys and codes
        self.refused: OSError | None = None
        self.items, notes = items_of(words_in(options.words), references_in(options.references, self.notes))
        drc = model_at(options.model, options.lmm).to(processes.device)
        check(settings, drc, option)
        self.history = history_in(options.history, drc)
        negative = history_in(options.negative, drc, "--negative").style if options.negative else None
        self.completion = Completion(drc, self.history.style, settings, self.out.cache, negative)
        locked = options.svg or options.colours is not None
        look = self.history.look() if locked else None
        self.finish = Finish(drc, options.size, look, options.colours or 0, options.svg)
        self.notes += [*notes, *self.completion.meanings.notes(self.items), *self.history.notes]
        if processes.main:
            for note in self.notes:
                log.info(note)
            keys = {"history": self.completion.style_key, "negative": negative and style_key(negative)}
            self.out.claim({"model": drc.hash} | keys | settings.values())

    def draw(self, tell: Tell) -> None:
        """This process's share of the list; what is there already is not drawn again."""
        items = self.items[self.processes.rank :: self.processes.count]
        tell("drawing", 0, len(items))
        for done, drawn in enumerate(self.completion.draw(items), 1):
            self.write(drawn.asked.item.name, drawn.asked.key, drawn.codes)
            tell("drawing", done, len(items))
        self.write_again()

    def finish_what_is_left(self, tell: Tell) -> None:
        """Pictures of earlier lists get the size and colours of this one, so that a folder holds one set."""
        left = self.out.left((item.name for item in self.items), self.finish)
        left = [(name, key) for name, key in left if int(key, 16) % self.processes.count == self.processes.rank]
        for done, (name, key) in enumerate(left, 1):
            if cached := self.out.cache.get(key, self.completion.drc.lmm):
                self.write(name, key, cached[0])
            tell("finishing", done, len(left))
        self.write_again()

    def write(self, name: str, key: str, codes: Tensor) -> None:
        """What the disk does not take is written again in the end; the next picture may find room."""
        try:
            self.write_files(name, key, codes)
        except OSError as error:
            log.warning("'%s' is not written yet (%s); the others go on", name, error.strerror or error)
            self.refused, self.unwritten[name] = error, (key, codes)

    def write_files(self, name: str, key: str, codes: Tensor) -> None:
        """The PNG last: it stands for all files of a picture."""
        if self.out.is_whole(name, self.finish, key):
            return
        full, traced = self.finish.full(codes), None
        picture = self.finish.whole(full)
        if self.finish.as_svg:
            try:
                traced = self.finish.svg(full, picture, name)
                self.out.write_svg(name, traced)
            except ValueError as error:
                log.warning(error)
        self.out.write(self.out.picture(name), self.finish.file(picture), self.finish.mark(key), traced)

    def write_again(self) -> None:
        """Also the codes; those of the list and those of earlier ones."""
        unwritten, self.unwritten, self.refused = self.unwritten, {}, None
        for name, (key, codes) in unwritten.items():
            self.write(name, key, codes)
        self.completion.keep_again()

    def report(self, tell: Tell) -> str:
        """Of what all processes drew. What could not be written, as a sentence; empty where all was."""
        there, missing = [], []
        for item in self.items:
            has = self.out.has(item.name, self.finish.mark(self.completion.ask(item).key))
            there.append(item) if has else missing.append(item.name)
        lost = [f"{len(missing)} of {len(self.items)} pictures ({some_of(missing)})"] if missing else []
        for note in (seen := self.completion.meanings.notes_of_references(self.items)):
            log.info(note)
        notes = [*self.notes, *seen, *(f"not written: {one}" for one in lost)]
        try:
            if there:
                Summary(self.completion, self.finish, self.out, self.history).write(there, notes, tell)
        except OSError as error:
            self.refused = error
            lost.append("the report")
        why = f" ({self.refused.strerror or self.refused})" if self.refused else ""
        return f"{' and '.join(lost)} could not be written{why}; see to that and start again" if lost else ""


def option(name: str) -> str:
    """What a setting is called by whoever gives the command."""
    return f"--{name.replace('_', '-')}"


def keep_apart(out: Path, **folders: Path | None) -> None:
    """Of what is drawn nothing would be told from theirs, and a set that is to be drawn anew is deleted as a whole."""
    for name, folder in folders.items():
        if folder is None:
            continue
        where, theirs = out.resolve(), folder.resolve()
        if where.is_relative_to(theirs):
            raise ValueError(f"--out is '{out}', which lies in --{name}; give another folder")
        if theirs.is_relative_to(where):
            raise ValueError(f"--out is '{out}', in which --{name} lies; give another folder")


def require_writable(out: Path) -> None:
    """ValueError, in one sentence, where no folder can be made or nothing can be put into it."""
    place = next(place for place in (out, *out.absolute().parents) if os.path.lexists(place))
    if not place.is_dir():
        where = "a file" if place == out else f"which lies in '{place}', a file"
        raise ValueError(f"--out is '{out}', {where}, expected a folder, which is made where there is none; give one")
    if not os.access(place, os.W_OK):
        raise ValueError(f"--out is '{out}', but nothing can be written into '{place}'; give another folder")


def model_at(path: Path, lmm: Path | None) -> DRC:
    """ValueError, in one sentence, where there is no model, or not the large one in the folder `lmm` that it needs."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is not there"
        raise ValueError(f"--model is '{path}', which {found}; give the file of a DRC model, or leave --model out")
    with between(f"--model is '{path}', but "):
        return load_to_draw(path, lmm)


def words_in(path: Path | None) -> str:
    """The text of a file; ValueError for one that is none."""
    if path is None:
        return ""
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"--words is '{path}', which is no text in UTF-8; save it as such") from error


def references_in(folder: Path | None, notes: list[str]) -> list[tuple[str, Path]]:
    """Name and file of every picture in a folder that can be used; `notes` get the others."""
    if folder is None:
        return []
    left_out: list[tuple[str, str]] = []
    with between("--references: "):
        names = sorted(picture_names(folder, left_out, lambda seen: None))
        found = [(Path(name).stem, folder / name) for name in usable(folder, names, left_out, lambda: None)]
        if not found:
            raise ValueError(nothing_usable(folder, "*", left_out))
    notes += reasons("Left out of the references", left_out)
    return found
