"""Importers of the paper's data: windows and parts as described, wrong layouts in one sentence, nothing written."""

import argparse
import json
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from drc.bench.cases.importers.collection import PARTS, make_cases, read_cases, share_out, windows
from drc.bench.cases.importers.command import add_arguments, main
from drc.bench.cases.importers.movies import read_movies
from drc.bench.cases.importers.stickers import read_stickers
from scripts.lib.sentence import sentence

FILMS = {1: "Ant (1995)", 2: "Bee (1996)", 3: "Cat, The (1997)", 4: "Dog (1998)", 5: "Elk (1999)", 6: "Fox (2000)"}
FILMS |= {number: f"Film {number} (2001)" for number in range(7, 15)}


def picture(path):
    random = np.random.default_rng(zlib.crc32(str(path).encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (12, 8, 3), np.uint8)).save(path)


@pytest.fixture
def stickers(tmp_path):
    """Three themes of 8, 6 and 5 stickers."""
    root = tmp_path / "stickers"
    for theme, count in {"bear": 8, "cat": 6, "dog": 5}.items():
        for number in range(1, count + 1):
            picture(root / theme / f"{3 + number}.png")
    (root / "bear" / "9.txt").write_text("good night")
    return root


@pytest.fixture
def movies(tmp_path):
    """Users 1 to 4 like ten films, user 5 five, user 6 none; the newest rating of each stands first."""
    root = tmp_path / "ml-latest-small"
    rows = []
    for user in (1, 2, 3, 4, 5):
        rows += [(user, film, 4.0 + film % 2, 1000 - film) for film in range(user, user + (10 if user < 5 else 5))]
        rows.append((user, 14, 3.5, 1))
    rows.append((6, 1, 2.0, 5))
    for film in range(1, 14):
        picture(root / "posters" / f"{film}.jpg")
    table(root / "ratings.csv", "userId,movieId,rating,timestamp", rows)
    names = [(film, f'"{title}"', "Comedy|Drama" if film % 2 else "Drama") for film, title in FILMS.items()]
    table(root / "movies.csv", "movieId,title,genres", names)
    return root


def table(path, head, rows):
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")


def test_windows_are_every_six_in_a_row():
    assert windows("abcdefgh") == [tuple("abcdef"), tuple("bcdefg"), tuple("cdefgh")]
    assert windows("abcde") == []


def test_parts_are_8_1_1_and_do_not_depend_on_the_order():
    keys = [f"key {number}" for number in range(100)]
    part = share_out(keys, "window")
    assert Counter(part.values()) == {"train": 80, "validation": 10, "test": 10}
    assert share_out(reversed(keys), "window") == part
    assert Counter(share_out("abc", "user").values()) == dict.fromkeys(PARTS, 1)
    assert "2 users of at least 6 pictures found, expected at least 3" in sentence(share_out, "ab", "user")
    assert "1 window of" in sentence(share_out, "a", "window")


def test_stickers_follow_each_other_by_number(stickers):
    cases = make_cases(read_stickers(stickers), "pigeon")
    (cat,) = [case for case in cases.cases if case.user == "cat"]
    assert (*cat.history, cat.target) == tuple(f"cat/{number}.png" for number in range(4, 10))
    assert cat.reference == cat.target and cat.text == {"theme": "cat"}
    assert cases.counts == {"train": 2, "validation": 1, "test": 1}
    assert cases.left_out == [("dog", "5 pictures in a row, expected at least 6")]
    said = [case.text for case in cases.cases if case.target == "bear/9.png"]
    assert said == [{"theme": "bear", "caption": "good night"}]


def test_a_table_tells_the_emotion(stickers):
    table(
        stickers / "labels.csv",
        "image,semantics",
        [(f"{t}/{n}.png", "joy") for t in ("bear", "cat") for n in range(4, 10)],
    )
    collection = read_stickers(stickers, "labels.csv")
    assert collection.texts["bear/9.png"] == {"theme": "bear", "emotion": "joy", "caption": "good night"}


def test_unreadable_stickers_are_named(stickers):
    (stickers / "bear" / "5.png").write_bytes(b"no picture")
    picture(stickers / "stray.png")
    collection = read_stickers(stickers)
    assert ("stray.png", "lies in no theme's folder") in collection.left_out
    assert any(name == "bear/5.png" and "not a picture" in reason for name, reason in collection.left_out)
    assert len(dict(collection.sequences)["bear"]) == 7


def test_the_folder_above_the_themes_is_recognised(stickers, tmp_path):
    (tmp_path / "SER30K").mkdir()
    stickers.rename(tmp_path / "SER30K" / "Images")
    message = sentence(read_stickers, tmp_path / "SER30K")
    assert "holds one theme, Images, expected one folder for each theme" in message
    flat = tmp_path / "flat"
    picture(flat / "1.png")
    assert "holds pictures, but no folder of a theme" in sentence(read_stickers, flat)
    assert "is not there" in sentence(read_stickers, tmp_path / "nowhere")


def test_films_are_those_liked_oldest_first(movies):
    collection = read_movies(movies)
    sequences = dict(collection.sequences)
    assert sequences["user 1"] == [f"{film}.jpg" for film in range(10, 0, -1)]  # film 14 got 3.5
    assert "user 6" not in sequences
    assert collection.texts["3.jpg"] == {"title": "Cat, The (1997)", "genres": "Comedy|Drama"}
    cases = make_cases(collection, "pigeon")
    assert len(cases.cases) == 4 * 5 and cases.counts == {"train": 16, "validation": 2, "test": 2}
    assert all(case.reference == case.target and len(case.history) == 5 for case in cases.cases)
    assert cases.left_out == [("user 5", "5 pictures in a row, expected at least 6")]


def test_users_of_the_test_are_in_no_other_part(movies):
    cases = make_cases(read_movies(movies), "users")
    users = {part: {case.user for case in cases.cases if case.part == part} for part in PARTS}
    assert sorted(map(len, users.values())) == [1, 1, 2]
    assert len(set().union(*users.values())) == 4
    assert 0 < cases.known_targets <= cases.counts["test"]  # films are shared although users are not


def test_pigeons_split_shares_users(movies):
    cases = make_cases(read_movies(movies), "pigeon")
    users = {part: {case.user for case in cases.cases if case.part == part} for part in PARTS}
    assert users["test"] <= users["train"]
    assert cases.known_targets == cases.counts["test"]


def test_genres_apart(movies):
    sequences = read_movies(movies, by_genre=True).sequences
    drama, comedy = (
        names
        for _, names in sorted((pair for pair in sequences if pair[0] == "user 1"), key=lambda pair: -len(pair[1]))
    )
    assert drama == [f"{film}.jpg" for film in range(10, 0, -1)]
    assert comedy == [f"{film}.jpg" for film in range(9, 0, -2)]


def test_films_without_a_usable_poster_are_named(movies):
    (movies / "posters" / "2.jpg").unlink()
    (movies / "posters" / "3.jpg").write_bytes(b"")
    picture(movies / "posters" / "4.png")
    (movies / "posters" / "readme.txt").write_text("posters")
    done = []
    collection = read_movies(movies, on_file=lambda *numbers: done.append(numbers))
    assert collection.left_out == [
        ("film 2, Bee (1996)", "no poster called 2"),
        ("film 3, Cat, The (1997)", "3.jpg is an empty file"),
    ]
    assert collection.notes == [
        "4.png is a second poster of film 4; 4.jpg is used",
        "2 of 13 films that somebody likes have no poster that can be used",
    ]
    assert done[-1] == (13, 13)
    assert not {"2.jpg", "3.jpg"} & {name for _, names in collection.sequences for name in names}


def test_wrong_layouts_of_movies(movies, tmp_path):
    assert "'ratings.csv' cannot be opened" in broken(movies, "ratings.csv", None)
    assert "'movies.csv' cannot be opened" in broken(movies, "movies.csv", None)
    assert "no column movieId" in broken(movies, "ratings.csv", b"userId,film\n1,2\n")
    assert "no CSV file in UTF-8" in broken(movies, "movies.csv", b"movieId,title,genres\n1,\xff\xfe,x\n")
    message = broken(movies, "ratings.csv", b"userId,movieId,rating,timestamp\n1,2,good,3\n")
    assert "line 2" in message and "'good' for rating, expected a number" in message
    assert "no rating of 4 or more" in broken(movies, "ratings.csv", b"userId,movieId,rating,timestamp\n1,2,3,3\n")
    assert "there is no folder" in sentence(read_movies, movies, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    message = sentence(read_movies, movies, tmp_path / "empty")
    assert "holds no poster of a film that somebody likes" in message and "name the posters by movieId" in message


def broken(movies, name, data) -> str:
    """What is said when a file is missing (None) or holds something else."""
    whole = (movies / name).read_bytes()
    (movies / name).unlink()
    if data is not None:
        (movies / name).write_bytes(data)
    message = sentence(read_movies, movies)
    (movies / name).write_bytes(whole)
    return message


def command(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    main(parser.parse_args(list(map(str, words))))


def state(root):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(root.rglob("*"))}


def test_the_command_writes_cases_and_nothing_into_the_folder(stickers, movies, tmp_path, capsys):
    before = state(stickers), state(movies)
    command("stickers", stickers, "--split", "pigeon", "--out", tmp_path / "out" / "stickers.json")
    assert "4 cases of 2 users: 2 train, 1 validation, 1 test." in capsys.readouterr().out
    command("movies", movies, "--split", "users", "--out", tmp_path / "movies.json")
    assert "Left out (1):\n- user 5: 5 pictures in a row" in capsys.readouterr().out
    assert (state(stickers), state(movies)) == before
    written = json.loads((tmp_path / "movies.json").read_text())
    assert written["counts"] == {part: sum(case["part"] == part for case in written["cases"]) for part in PARTS}
    cases = read_cases(tmp_path / "movies.json")
    assert cases == make_cases(read_movies(movies), "users")
    assert all((cases.root / name).is_file() for case in cases.cases for name in (*case.history, case.target))
    for words in (("stickers", stickers), ("movies", movies)):
        message = sentence(command, *words, "--out", words[1] / "cases.json")
        assert "which lies in" in message
    assert (state(stickers), state(movies)) == before
