"""A converted set is whole, or says what it lacks."""

import json
import shutil

import pytest

from drc.lmm.lavit.converted import Sizes
from drc.lmm.lavit.reading import open_set
from drc.parsing import read
from scripts.lib.tiny_lavit import SIZES

AGAIN = "; run the conversion again, it writes what is missing"


@pytest.fixture
def whole(converted):
    return converted[0] / "drc" / "tiny"


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "moved and renamed")


def refusal(folder) -> str:
    with pytest.raises(ValueError) as error:
        open_set(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_set_may_be_moved_and_renamed(folder, whole):
    found = open_set(folder)
    assert found.sizes == SIZES and found.hash == open_set(whole).hash
    assert all(path.is_file() and path.parent == folder for path in found.language)


def test_sizes_come_back_as_they_were(folder):
    assert read(Sizes, json.loads((folder / "lavit.json").read_text())["sizes"]) == SIZES


@pytest.mark.parametrize("name", ["language-00002-of-00003.safetensors", "decoder.safetensors", "tokenizer.model"])
def test_one_file_is_missing(folder, name):
    (folder / name).unlink()
    assert refusal(folder) == f"{folder / name} is missing, so this LaVIT is not whole{AGAIN}"


def test_one_file_is_cut_short(folder):
    path = folder / "vision.safetensors"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(folder) == f"{path} has {size - 1} bytes, expected {size}, so this LaVIT is not whole{AGAIN}"


def test_the_description_is_missing(folder):
    (folder / "lavit.json").unlink()
    assert refusal(folder) == f"{folder} holds no lavit.json, so no LaVIT was converted there to its end{AGAIN}"


@pytest.mark.parametrize(
    "content", ["", "{", "{}", "[]", '{"format": 1}', '{"format": 1, "sizes": {"vision": 3}}', "\xff"]
)
def test_the_description_is_damaged(folder, content):
    (folder / "lavit.json").write_bytes(content.encode("latin1"))
    text = refusal(folder)
    assert text.startswith(f"{folder / 'lavit.json'} is damaged: it ") and text.endswith(AGAIN)


def test_the_description_is_of_another_version(folder):
    path = folder / "lavit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    assert refusal(folder) == (
        f"{path} has the format 2, but this version of DRC reads 1; update DRC or run the conversion again"
    )
