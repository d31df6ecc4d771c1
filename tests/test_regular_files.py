"""A pipe in the place of a file is a sentence, and nobody opens a file in a way of its own."""

import ast
import os
import signal

import pytest

from drc.bench.cases.importers.collection import read_cases
from drc.bench.cases.importers.movies import rows_of
from drc.bench.generated import picture_of
from drc.bench.report.report import read_results
from drc.card_file import load
from drc.checkpoint import read_header
from drc.complete.output import mark_in
from drc.files import file_chunks, file_hash, read_bounded
from drc.lmm.janus.config import settings_in
from drc.lmm.janus.text import load_words
from drc.lmm.lavit.archive import read_archive
from drc.lmm.lavit.converted import read_description
from drc.lmm.lavit.text import load_text_tokenizer
from drc.lmm.lavit.weights import read_json
from drc.tensor_file import look, read_plain, read_tensors
from drc.train.checkpoints import RunFolder
from drc.train.config_file import read_toml
from drc.train.errors import TrainingError
from drc.train.validation import read_samples

READERS = {
    "a.json": [settings_in, read_json, read_description, read_cases, read_bounded, file_hash],
    "tokenizer.json": [lambda path: load_words(path.parent, 10, "again")],
    "tokenizer.model": [lambda path: load_text_tokenizer(path.parent)],
    "results.json": [lambda path: read_results(path.parent)],
    "a.toml": [read_toml],
    "a.bin": [read_archive, lambda path: list(file_chunks(path))],
    "a.csv": [lambda path: list(rows_of(path, ("a",)))],
    "a.png": [picture_of],
    "a.safetensors": [look, read_plain, read_tensors, read_header, load],
    "log.jsonl": [lambda path: RunFolder(path.parent).append_log({}), lambda path: RunFolder(path.parent).read_log()],
}
PASSED_OVER = {
    "samples/step-000001.png": lambda path: read_samples(RunFolder(path.parents[1])),
    "a.png": mark_in,
}
BY_HAND = {"open", "read_text", "read_bytes", "safe_open", "load_file", "memmap", "fromfile"}
LIBRARIES = {"np", "torch", "Image"}  # whose `load` and `open` take a path
IN_ONE_PLACE = {
    "drc/files.py": {"open"},
    "drc/tensor_file.py": {"safe_open"},
    "drc/lmm/lavit/archive.py": {"torch.load"},  # behind a look at its directory
    "drc/data/emoji.py": {"np.load"},  # builds, which are looked for before
    "drc/data/pictures.py": {"np.load"},
    "drc/data/posters.py": {"np.load"},
    "nodes/examples.py": {"Image.open"},  # in this pack
}


class WaitedError(BaseException):
    """For a pipe; nobody catches it."""


@pytest.fixture
def hurry():
    def late(*_):
        raise WaitedError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("name", "read"), [(name, read) for name, some in READERS.items() for read in some])
def test_a_pipe_is_refused(tmp_path, hurry, name, read):
    os.mkfifo(tmp_path / name)
    with pytest.raises((ValueError, OSError, TrainingError)):
        read(tmp_path / name)


@pytest.mark.parametrize("name", PASSED_OVER)
def test_a_pipe_is_passed_over(tmp_path, hurry, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    assert not PASSED_OVER[name](tmp_path / name)


def calls(text: str) -> set[str]:
    """Names of functions in a file that open one by its path."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name, of = node.func, ""
        if isinstance(name, ast.Attribute):
            of = name.value.id if isinstance(name.value, ast.Name) else ""
        called = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        if of in LIBRARIES and called in ("load", "open"):
            given = node.args[0] if node.args else None
            found |= set() if isinstance(given, ast.Name) and given.id == "file" else {f"{of}.{called}"}
        elif called in BY_HAND and not (called == "open" and isinstance(name, ast.Attribute) and not of.islower()):
            found.add(called)
    return found


def test_files_are_opened_in_one_place(root):
    files = [path for folder in ("drc", "nodes") for path in (root / folder).rglob("*.py")]
    found = {str(path.relative_to(root)): calls(path.read_text("utf-8")) for path in files}
    found["nodes/load.py"] -= {"load_file"}  # ours
    found["nodes/train.py"] -= {"load_file"}
    assert {name: some for name, some in found.items() if some} == IN_ONE_PLACE
