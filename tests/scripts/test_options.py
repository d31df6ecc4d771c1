"""The demo refuses what it cannot use in one sentence, with exit code 2, before it sets anything up."""

import subprocess

import pytest
from PIL import Image

from scripts.lib.environment import BUILD
from scripts.lib.options import read_options


def demo(root, *arguments):
    return subprocess.run(
        ["bash", str(root / "scripts" / "demo.sh"), *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "b.png")
    Image.new("RGB", (9, 5), "blue").save(folder / "a.jpg")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--history", "{folder}/missing"], "which is not a folder"),
        (["--history", "{folder}/empty"], "which holds no picture"),
        (["--reference", "{folder}/missing.png"], "which does not exist"),
        (["--reference", "{folder}"], "which is a folder"),
        (["--reference", "{folder}/text.png"], "which is not a picture"),
        (["--seed", "-1"], "--seed is -1"),
        (["--out", "{folder}"], "expected the name of a .png file"),
    ],
)
def test_bad_input_is_one_sentence(root, tmp_path, arguments, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("not a picture")
    answer = demo(root, *[argument.format(folder=tmp_path) for argument in arguments])
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert sentence in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_truncated_picture_is_one_sentence(root, tmp_path, pictures):
    whole = (pictures / "b.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    answer = demo(root, "--reference", tmp_path / "half.png", "--out", tmp_path / "out.png")
    assert answer.returncode == 2
    assert "half.png' cannot be read as a picture" in answer.stderr
    assert not (tmp_path / "out.png").exists()


def test_options_are_read(pictures):
    options = read_options(["--history", str(pictures), "--reference", str(pictures / "a.jpg"), "--seed", "7"])
    assert [path.name for path in options.history] == ["a.jpg", "b.png"]
    assert options.seed == 7
    assert options.out == BUILD / "picture.png"
