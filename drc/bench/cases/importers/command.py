"""The command behind `python -m drc.bench import`: data that a user has -> a JSON file of cases."""

import argparse
import logging
import sys
from pathlib import Path

from ....visible import visible
from .collection import SPLITS, make_cases
from .movies import read_movies
from .stickers import read_stickers

log = logging.getLogger("drc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True)
    stickers = kinds.add_parser("stickers", help="one folder per theme, such as SER30K")
    stickers.add_argument(
        "--table", help="CSV file in FOLDER: image, user (the theme), semantics (the emotion), caption"
    )
    movies = kinds.add_parser("movies", help="MovieLens latest-small: ratings.csv, movies.csv and posters by movieId")
    movies.add_argument("--posters", type=Path, help="folder of the posters; without it, FOLDER/posters")
    movies.add_argument("--by-genre", action="store_true", help="a sequence for each genre of a user, not for a user")
    for kind in (stickers, movies):
        kind.add_argument("folder", type=Path, metavar="FOLDER")
        kind.add_argument(
            "--split",
            choices=SPLITS,
            default="pigeon",
            help="; ".join(f"{name}: {what}" for name, what in SPLITS.items()),
        )
        kind.add_argument("--out", type=Path, required=True, metavar="FILE", help="the cases, as JSON")


def main(options: argparse.Namespace) -> None:
    """Writes the cases and tells what was found; ValueError, in one sentence, for a folder of another layout."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    keep_apart(options.out, options.folder, getattr(options, "posters", None))
    if options.kind == "stickers":
        collection = read_stickers(options.folder, options.table, told)
    else:
        collection = read_movies(options.folder, options.posters, options.by_genre, told)
    cases = make_cases(collection, options.split)
    cases.write(options.out)
    sys.stdout.write(visible(f"{cases.report()}\n{options.out}\n"))


def keep_apart(out: Path, *folders: Path | None) -> None:
    """ValueError where the file would lie among the user's data, where nothing is ever written."""
    for folder in filter(None, folders):
        if out.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"out is '{out}', which lies in '{folder}', among your data; give a path elsewhere")


def told(done: int, total: int) -> None:
    if done == total or done % 1000 == 0:
        log.info("pictures read: %d of %d", done, total)
