"""The icon matrix as a data set: what it says of itself, and builds that are damaged or not of one piece."""

import json

import numpy as np
import pytest

from drc.data.built import BUILT, IconMatrix
from drc.data.icons import FILES, Icons, is_held_out
from drc.train.config import SOURCES
from scripts.lib.tiny_benchmark import SIDE, write_tiny_icons


@pytest.fixture
def data(tmp_path):
    write_tiny_icons(tmp_path)
    return tmp_path


def test_what_settings_can_name_is_what_can_be_opened():
    assert ("folder", *BUILT) == SOURCES


def test_the_report_counts_what_training_may_see(data):
    matrix = IconMatrix.open(data)
    drawn = 3 * 24 - sum(is_held_out(family, f"thing {n}") for family in ("able", "able", "baker") for n in range(24))
    assert matrix.report_text().splitlines() == [
        f"Icon matrix: {drawn} pictures of 24 meanings to train on.",
        "",
        "- drawn by 3 hands of 2 families: designers, or sets that share outlines",
        "- 3 hands draw in one colour and are shown in colours of ours, too",
        "- 0 pictures have lines that are thinner or thicker than drawn",
        "- licences, and how many hands: MIT 3",
        "",
        "Other hands and meanings are kept apart for validation and tests. Authors and licences stand in the model "
        "card, and in icons.json beside the pictures.",
    ]


def test_one_that_is_built_in_part(data):
    before = IconMatrix.open(data).fingerprint
    (data / "icons" / "icons.npy").unlink()
    with pytest.raises(ValueError) as error:
        IconMatrix.open(data)
    assert str(error.value) == (
        f"the icon matrix is not built, icons/icons.npy is missing in '{data}'; run 'python scripts/build_icons.py' in "
        "a copy of this pack's source repository, or choose another source"
    )
    assert len(before) == 64


def sentence(folder):
    with pytest.raises(ValueError) as error:
        Icons(folder / "icons")
    text = str(error.value)
    assert text.endswith("; build it again with 'python scripts/build_icons.py'") and "\n" not in text
    assert len(text) < 600 and ".npy" in text or ".json" in text
    return text


def without(name):
    return lambda record: record.pop(name)


def putting(value, *keys):
    def change(record):
        *path, last = keys
        for key in path:
            record = record[key]
        record[last] = value

    return change


@pytest.mark.parametrize(
    "change, said",
    [
        (without("size"), "icons.json has size None, expected 1 to 4096"),
        (putting(10**9, "size"), "icons.json has size 1000000000, expected 1 to 4096"),
        (without("styles"), "icons.json has styles None, expected a list"),
        (putting("MIT", "styles", 0), "icons.json has an entry of styles 'MIT', expected names and values"),
        (putting("yes", "styles", 0, "colour"), "has an entry of styles.colour 'yes', expected true or false"),
        (putting("bold", "styles", 0, "name"), "has 5 styles, of which 4 differ, expected each once"),
        (putting(["bell"], "meanings"), "has meanings ['bell'], expected a split for each meaning"),
        (putting("all", "meanings", "bell"), "has meanings.bell 'all', expected one of train, val, test, emoji-test"),
        (without("cells"), "has cells None, expected a list"),
        (putting(["plain", "bell"], "cells", 3), "has the cell ['plain', 'bell'], expected one of its styles, one of"),
        (putting(["none", "bell", 1.0], "cells", 3), "has the cell ['none', 'bell', 1.0], expected one of its styles"),
        (putting(["plain", "none", 1.0], "cells", 3), "has the cell ['plain', 'none', 1.0], expected one of its"),
        (putting(["plain", "bell", float("nan")], "cells", 3), "has the cell ['plain', 'bell', nan], expected one of"),
        (putting([[1], "bell", 1.0], "cells", 3), "has the cell [[1], 'bell', 1.0], expected one of its styles"),
        (putting(["plain", "thing 0", 1.0], "cells", 3), "has 130 cells, of which 129 differ, expected each once"),
        (lambda record: record["cells"].pop(), "icons.npy holds uint8 [130, 32, 32, 3], expected uint8 [129, 32,"),
        (putting(64, "size"), "icons.npy holds uint8 [130, 32, 32, 3], expected uint8 [130, 64, 64, 3] as icons.json"),
    ],
)
def test_names_that_do_not_fit(data, change, said):
    path = data / "icons" / FILES[0]
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    assert said in sentence(data)


@pytest.mark.parametrize(
    "text, said",
    [
        (b"", "is not readable JSON"),
        (b"[" * 10**5, "is nested too deep"),
        (b'{"size": 32, "styles": [{"na', "is not readable JSON"),
        (b"\xff\xfe\x00", "is not readable JSON"),
        (b"[]", "holds list, expected names and values"),
        (b" " * (2**26 + 1), "cannot be read (longer than 65536 KiB)"),
    ],
)
def test_names_that_are_none(data, text, said):
    (data / "icons" / FILES[0]).write_bytes(text)
    assert said in sentence(data)


def test_pixels_that_do_not_fit(data):
    path, found = data / "icons" / FILES[1], []
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:40], b"", b"PK\x03\x04" + whole, whole.replace(b"(130,", b"(10**9,")):
        path.write_bytes(damaged)
        found.append(sentence(data))
    np.save(path, np.zeros((130, SIDE, SIDE, 3), np.float32))
    found.append(sentence(data))
    np.save(path, np.array([{}]))
    found.append(sentence(data))
    assert sum("icons.npy is not a readable array (" in text for text in found) == 6
    assert "icons.npy holds float32 [130, 32, 32, 3], expected uint8 [130, 32, 32, 3]" in found[5]
    random = np.random.default_rng(0)
    for _ in range(100):
        header = bytearray(whole[:128])
        for place in random.integers(0, 128, 2):
            header[place] = random.integers(256)
        path.write_bytes(bytes(header) + whole[128:])
        try:
            Icons(data / "icons")
        except ValueError as error:
            assert "build it again" in str(error)
