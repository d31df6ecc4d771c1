"""MovieLens latest-small with a folder of posters: what somebody rated 4 or more, in the order of the ratings.

    FOLDER/ratings.csv          userId, movieId, rating, timestamp
    FOLDER/movies.csv           movieId, title, genres
    FOLDER/posters/MOVIEID.jpg  or another folder, and any kind of picture

Pigeon keeps its windows by user and genre, but how it files a film of several genres is not known. So a user has one
sequence here; with `by_genre` there is one for each genre, and a film is in the sequences of all of its genres.
"""

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ....data import picture_file
from ....data.folder import find
from ....files import open_regular
from ....progress import OnShare
from .collection import Collection

LEAST = 4.0  # rating from which on somebody likes a film
POSTERS = "posters"
GENRES = "|"  # stands between genres


def read_movies(
    folder: str | Path,
    posters: str | Path | None = None,
    by_genre: bool = False,
    on_file: OnShare | None = None,
) -> Collection:
    """The root is the folder of the posters: `posters`, or else the one of that name in `folder`.

    `on_file` is called with (posters read, posters in all); what it raises ends the reading. ValueError, in one
    sentence, for a folder of another layout.
    """
    folder = Path(os.path.abspath(folder))
    root = Path(os.path.abspath(posters)) if posters else folder / POSTERS
    left_out: list[tuple[str, str]] = []
    notes: list[str] = []
    films = read_films(folder / "movies.csv")
    liked = read_liked(folder / "ratings.csv")
    usable = usable_posters(root, {film for _, film in liked}, films, left_out, notes, on_file)
    sequences: dict[tuple, list[str]] = defaultdict(list)
    for user, film in liked:
        if film in usable:
            genres = films.get(film, {}).get("genres", "").split(GENRES) if by_genre else [""]
            for genre in genres:
                sequences[user, genre].append(usable[film])
    named = [(f"user {user}", names) for (user, _), names in sorted(sequences.items())]
    texts = {name: films[film] for film, name in usable.items() if film in films}
    return Collection(root, named, texts, left_out, notes)


def read_films(path: Path) -> dict[int, dict[str, str]]:
    """Title and genres by movieId."""
    return {
        number(row["movieId"], int, "movieId", path, line): {"title": row["title"], "genres": row["genres"]}
        for line, row in rows_of(path, ("movieId", "title", "genres"))
    }


def read_liked(path: Path) -> list[tuple[int, int]]:
    """(userId, movieId) of what somebody likes, oldest first."""
    found = []
    for line, row in rows_of(path, ("userId", "movieId", "rating", "timestamp")):
        rating, when = (number(row[name], float, name, path, line) for name in ("rating", "timestamp"))
        user, film = (number(row[name], int, name, path, line) for name in ("userId", "movieId"))
        if rating >= LEAST:
            found.append((when, user, film))
    if not found:
        raise ValueError(f"'{path}' has no rating of {LEAST:g} or more; give the ratings of MovieLens latest-small")
    return [(user, film) for _, user, film in sorted(found)]


def rows_of(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbers of lines, and rows with these columns."""
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"'{path}' has no column {missing[0]}, expected {', '.join(columns)} as in MovieLens latest-small; "
                    "give the file as it was published"
                )
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise ValueError(
            f"'{path.name}' cannot be opened in '{path.parent}' ({error.strerror}); "
            "give the folder of MovieLens latest-small, with ratings.csv and movies.csv"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"'{path}' is no CSV file in UTF-8 ({error}); give the file as it was published") from error


def number(text: str, kind: type, column: str, path: Path, line: int):
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(
            f"line {line} of '{path}' has {text!r} for {column}, expected a number; give the file as it was published"
        ) from error


def usable_posters(
    root: Path, wanted: set[int], films: dict[int, dict[str, str]], left_out: list, notes: list[str], on_file
) -> dict[int, str]:
    """Name below root by movieId, of the wanted films that have a poster which can be read."""
    if not root.is_dir():
        raise ValueError(
            f"there is no folder '{root}', expected the posters, such as {POSTERS}/1.jpg; give their folder"
        )
    posters: dict[int, str] = {}
    for name in sorted(find(root, "*", left_out)):
        stem = PurePosixPath(name).stem
        film = int(stem) if stem.isdecimal() else None
        if film in posters:
            notes.append(f"{name} is a second poster of film {film}; {posters[film]} is used")
        elif film is not None:
            posters[film] = name
    usable = {}
    for done, film in enumerate(sorted(wanted), 1):
        title = f"film {film}, {films[film]['title']}" if film in films else f"film {film}"
        try:
            if film not in posters:
                raise ValueError(f"no poster called {film}")
            picture_file.inspect(root / posters[film])
            usable[film] = posters[film]
        except ValueError as error:
            left_out.append((title, f"{posters[film]} is {error}" if film in posters else str(error)))
        if on_file:
            on_file(done, len(wanted))
    missing = len(wanted) - len(usable)
    if missing:
        notes.append(f"{missing} of {len(wanted)} films that somebody likes have no poster that can be used")
    if not usable:
        name, reason = left_out[-1]
        raise ValueError(
            f"folder '{root}' holds no poster of a film that somebody likes, for one {name}: {reason}; "
            "name the posters by movieId, such as 1.jpg"
        )
    return usable
