"""Every command of the documents runs in a test: here with the options that stand there, on a small model and with few
rounds, or what it does in the test that is named."""

import re

import pytest

from scripts.lib.documents import DOCUMENTS, called, commands
from scripts.lib.environment import ROOT
from scripts.lib.tiny_commands import HERE

ELSEWHERE = """
headless/test_complete.py::test_from_words_to_files_and_on
    drc/complete/__main__.py
lavit/test_convert.py::test_the_command_ends_with_a_table
    drc/lmm/lavit/convert.py
headless/test_command.py::test_from_the_folder_of_an_installed_pack
    drc/train/__main__.py
headless/test_processes.py::test_accelerate_launch
    accelerate drc/train/__main__.py
bench/test_command.py::test_run_and_compare
    drc/bench/__main__.py run, drc/bench/__main__.py compare
bench/test_command.py::test_two_processes_find_what_one_finds
    accelerate drc/bench/__main__.py run
bench/cases/test_imported.py::test_cases_are_those_of_the_file
    drc/bench/__main__.py import
bench/judges/test_judges.py::test_published_weights_are_converted_by_their_order
    scripts/convert_efficientnet.py
bench/judges/test_judges.py::test_evaluator_learns_and_survives_saving
    scripts/train_evaluator.py
scripts/test_icon_data.py::test_a_build_is_what_the_matrix_names
    scripts/build_icons.py
scripts/test_train_embedded.py::test_further_goes_on_from_what_it_began_with
    scripts/train_embedded.py further
scripts/test_icon_mixture.py::test_a_training_on_both_runs_validates_and_resumes
    scripts/train_embedded.py icons
scripts/test_decoder.py::test_only_the_decoder_changes_and_the_script_goes_on_where_it_was
    scripts/train_embedded.py decoder
scripts/test_icon_mixture.py::test_what_is_exported_lists_what_was_learned
    scripts/train_embedded.py export
scripts/test_train_embedded.py::test_script_and_toml_train_the_same_weights
    scripts/train_embedded.sh
scripts/test_both_halves.py::test_both_halves_run
    scripts/test.sh
server/test_demo.py::test_it_draws_what_it_was_given
    scripts/demo.sh
server/test_memory.py::test_ten_rounds_end_with_the_memory_of_the_start
    scripts/measure_memory.py
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


OF_A_CARD = {"--graph"}
COMMANDS = {" ".join(words): words for document in DOCUMENTS for words in commands(document)}
RUN = [command for command, words in COMMANDS.items() if name_of(words) in HERE]


def test_every_command_has_its_test():
    elsewhere = commands_under(ELSEWHERE)
    assert set(map(name_of, COMMANDS.values())) == elsewhere.keys() | HERE.keys()
    for file, test in (heading.split("::") for heading in elsewhere.values()):
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text("utf-8"), test


@pytest.mark.parametrize("command", RUN)
def test_it_runs_as_it_stands_there(in_this_process, monkeypatch, tmp_path, command):
    words = COMMANDS[command]
    module, small = HERE[name_of(words)](monkeypatch, tmp_path)
    given = [word for word in called(words)[1] if word not in OF_A_CARD]
    code, said, _ = in_this_process(module, *given, *small)
    assert code is None and said
