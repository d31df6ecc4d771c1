"""Every command of the documents is read as it stands there by the command itself, and runs in a test: here with the
options that stand there, on a small model and with few rounds, or what it does in the test that is named."""

import argparse
import importlib
import re
import sys

import pytest

from scripts.lib import demo
from scripts.lib.documents import CARD, DOCUMENTS, HELP, called, commands, mentioned
from scripts.lib.environment import ROOT
from scripts.lib.tiny_commands import HERE

ELSEWHERE = """
lavit/test_convert.py::test_the_command_ends_with_a_table
    drc/lmm/lavit/convert.py
headless/test_command.py::test_from_the_folder_of_an_installed_pack
    drc/train/__main__.py
headless/test_processes.py::test_accelerate_launch
    accelerate drc/train/__main__.py
bench/test_command.py::test_run_and_compare
    drc/bench/__main__.py compare
bench/test_command.py::test_two_processes_find_what_one_finds
    accelerate drc/bench/__main__.py run
bench/cases/test_imported.py::test_cases_are_those_of_the_file
    drc/bench/__main__.py import
scripts/test_train_embedded.py::test_further_goes_on_from_what_it_began_with
    scripts/train_embedded.py further
scripts/test_icon_mixture.py::test_a_training_on_both_runs_validates_and_resumes
    scripts/train_embedded.py icons
scripts/test_decoder.py::test_only_the_decoder_changes_and_the_script_goes_on_where_it_was
    scripts/train_embedded.py decoder, scripts/train_embedded.py export
scripts/test_train_embedded.py::test_script_and_toml_train_the_same_weights
    scripts/train_embedded.sh
scripts/test_both_halves.py::test_both_halves_run
    scripts/test.sh
server/test_demo.py::test_it_draws_what_it_was_given
    scripts/demo.sh
server/test_memory.py::test_ten_rounds_end_with_the_memory_of_the_start
    scripts/measure_memory.py
server/test_cancel.py::test_every_press_is_heard
    scripts/measure_cancel.py
"""
"""Tests, and the commands whose work runs in them."""


def commands_under(headings: str) -> dict[str, str]:
    """Each command of such a text -> the line above it."""
    lines = headings.strip().split("\n")
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {command: heading for heading, line in pairs for command in line.strip().split(", ")}


def name_of(words: list[str]) -> str:
    """What a command runs: how, which file, and its first word where that is a part of it."""
    path, arguments = called(words)
    part = next((word for word in arguments[:1] if re.fullmatch("[a-z]+", word)), "")
    how = "accelerate " if words[0] == "accelerate" else ""
    return f"{how}{path.relative_to(ROOT).as_posix()} {'' if path.suffix == '.sh' else part}".strip()


NOT_HERE = {"--graph", "--compile"}  # they need a card, and a compiler
COMMANDS = {" ".join(words): words for document in DOCUMENTS for words in commands(document)}
RUN = [command for command, words in COMMANDS.items() if name_of(words) in HERE]


class ReadError(BaseException):
    """A command has read its options: in a test it ends there."""


@pytest.fixture
def read(monkeypatch, pytestconfig):
    """Has a command read its words by its own parser, which ends the test where it does not know one."""
    read_all = argparse.ArgumentParser.parse_args

    def and_end(parser, *given):
        read_all(parser, *given)
        raise ReadError

    def read(words):
        path, given = called(words)
        if path.suffix == ".sh":
            return read_by_shell(path, words, given, pytestconfig)
        if words[0] == "accelerate":
            from accelerate.commands.launch import launch_command_parser

            read_all(launch_command_parser(), words[words.index("launch") + 1 :])
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        assert ".parse_args()" in path.read_text("utf-8"), "it reads nothing, and would do its work here"
        monkeypatch.setattr(sys, "argv", [path.name, *given])
        with pytest.raises(ReadError):
            module.main()

    monkeypatch.setattr(sys, "path", [*sys.path])  # scripts put the repository before all
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", and_end)
    return read


def read_by_shell(path, words, given, pytestconfig):
    """What hands its words on to a command, or reads variables alone."""
    script = path.read_text("utf-8")
    assert all(f"${{{word.split('=')[0]}:-" in script for word in words[: words.index("bash")])
    if path.name == "demo.sh":
        with pytest.raises(ReadError):
            demo.main(given)
    elif path.name == "test.sh":
        pytestconfig._parser.parse(given)
    else:
        assert not given


@pytest.mark.parametrize("document", [*DOCUMENTS, CARD, *HELP])
def test_a_command_reads_the_options_that_are_told(read, document):
    for words in (*commands(document), *mentioned(document)):
        read(words)


def test_every_command_has_its_test():
    elsewhere = commands_under(ELSEWHERE)
    assert set(map(name_of, COMMANDS.values())) == elsewhere.keys() | HERE.keys()
    for words in COMMANDS.values():
        if heading := elsewhere.get(name_of(words)):
            file, test = heading.split("::")
            text = (ROOT / "tests" / file).read_text("utf-8")
            assert f"\ndef {test}(" in text, test


@pytest.mark.parametrize("command", RUN)
def test_it_runs_as_it_stands_there(in_this_process, monkeypatch, tmp_path, command):
    words = COMMANDS[command]
    module, small = HERE[name_of(words)](monkeypatch, tmp_path)
    given = [word for word in called(words)[1] if word not in NOT_HERE]
    code, said, complaint = in_this_process(module, *given, *small)
    assert not code and said + complaint
