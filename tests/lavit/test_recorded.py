"""The recorded tensors themselves: none is altered, and each file is held by a test."""

import hashlib
import re
from pathlib import Path

import pytest

from .recorded import FOLDER, MANIFEST

SUMS = {name: entry["sha256"] for name, entry in (MANIFEST["files"] | MANIFEST["weights"]).items()}


@pytest.mark.parametrize("name", SUMS)
def test_a_file_is_as_it_was_recorded(name):
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == SUMS[name]


def test_every_file_of_tensors_is_held():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    held = set(re.findall(r'^\w*FILE = "(.+)"$', tests, flags=re.MULTILINE))
    recorded = {name for name, entry in MANIFEST["files"].items() if "tensors" in entry}
    assert held == recorded
