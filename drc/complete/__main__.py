"""Draws what is missing from a set, in the style of the pictures that are there.

    python -m drc.complete --history FOLDER --words FILE --out FOLDER [--references FOLDER] [--svg] [--best-of N]

FILE has one thing on each line. A picture in --references that is called as one of them shows what that line means; the
others are drawn, too. What is drawn is kept: started again it goes on where it was, and of a longer list only what is
new is drawn. Up to 16 pictures are drawn together and kept together, so Ctrl-C loses these at most. On many processes,
each with a share of the list:

    accelerate launch --multi_gpu --num_processes 2 -m drc.complete --device cpu ...
"""

import argparse
import contextlib
import logging
import sys
from pathlib import Path

from tqdm.contrib.logging import logging_redirect_tqdm

from .. import EMBEDDED
from ..bar import Bar
from ..train.ending import UnfinishedError, exit_code
from ..visible import visible

# What takes seconds to import is imported in functions, so that Ctrl-C is heard there, too.


def parser() -> argparse.ArgumentParser:
    from .settings import FULL, LEAST, MOST_CANDIDATES

    main = argparse.ArgumentParser(
        prog="python -m drc.complete", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = main.add_argument
    add(
        "--history",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="pictures of the set, eight or more, or a style card",
    )
    add("--negative", type=Path, metavar="FOLDER", help="pictures, or a style card, that the set must not look like")
    add("--words", type=Path, metavar="FILE", help="what is missing, one thing on each line")
    add("--references", type=Path, metavar="FOLDER", help="pictures of what is missing, drawn by anybody")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where pictures and report are written")
    add("--model", type=Path, default=EMBEDDED, metavar="FILE", help="a DRC model (the one that ships)")
    add("--lmm", type=Path, metavar="FOLDER", help="the large model, such as Janus-Pro-1B, that it was trained over")
    add("--size", type=int, default=FULL, metavar="PIXELS", help=f"{LEAST} to {FULL} ({FULL})")
    add("--svg", action="store_true", help="write SVG, too, in the colours of the history; needs the package vtracer")
    add(
        "--colours",
        type=int,
        metavar="N",
        help="snap to the colours of the history, to N of them beside the ground, 0: to as many as usual; without this "
        "colours stay as they are drawn, but for --svg",
    )
    option(add, "--best-of", int, f"draw as many of each, 1 to {MOST_CANDIDATES}, and keep the best")
    option(add, "--drawings", int, "how many drawings of other hands say what a word means; 0: the word alone does")
    option(add, "--seed", int, "another number draws other pictures")
    for flag in ("--style-strength", "--semantic-strength", "--temperature"):
        option(add, flag, float, "as in the graph")
    add("--device", help="such as cpu or cuda; without it, the fastest there is")
    return main


def option(add, flag: str, kind: type, words: str) -> None:
    from .settings import Settings

    default = Settings().values()[flag.removeprefix("--").replace("-", "_")]
    add(flag, type=kind, default=default, help=f"{words} ({default})")


def run() -> None:
    options = parser().parse_args()
    from ..instruction import Dials
    from ..train.machine.processes import processes_of
    from .command import Command
    from .settings import Settings

    processes = processes_of(options.device)
    logging.basicConfig(level=logging.INFO if processes.main else logging.WARNING, format="%(asctime)s %(message)s")
    settings = Settings(options.seed, options.best_of, options.drawings, Dials.among(options))
    with logging_redirect_tqdm(), contextlib.closing(Bar()) as bar:
        tell = bar if processes.main else lambda what, done, total: None
        with processes.together():
            command = Command(options, settings, processes)
        with processes.together():
            command.draw(tell)
        with processes.together():
            command.finish_what_is_left(tell)
        with processes.together():
            lost = command.report(tell) if processes.main else ""
    if processes.main:
        sys.stdout.write(visible(f"{options.out}\n"))
    processes.end()
    if lost:
        raise UnfinishedError(lost)


def main() -> int:
    return exit_code(run)


if __name__ == "__main__":
    sys.exit(main())
