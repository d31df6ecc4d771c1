"""Every command of the documents runs in a test: here with the options that stand there, on a small model and with few
rounds, or what it does in the test that is named; or it takes hours, and is named, too."""

import re

import pytest

import drc
from drc.lmm.janus.model import JanusConfig
from drc.pretrained import config_of_sizes
from scripts import bench_embedded, bench_lmm, janus_memory, lavit_memory, measure_style_cards
from scripts.lib import tiny_janus, tiny_lavit
from scripts.lib.documents import DOCUMENTS, called, commands
from scripts.lib.environment import ROOT
from scripts.lib.tiny import write_tiny

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
"""
"""Tests, and the commands whose work runs in them."""
NOT_RUN = """
it is what runs this
    scripts/test.sh
a server that draws what that of tests/server/test_run.py draws
    scripts/demo.sh
a day; its steps are those of train_embedded.py
    scripts/train_embedded.sh
it needs the icon matrix
    scripts/make_drawings.py, scripts/measure_set_report.py
minutes of processes
    scripts/measure_memory.py, scripts/measure_list_memory.py, scripts/bench_train.py
"""
"""Reasons, and the commands of which no more than their options is looked at."""
TINY = {"layers": 1, "hidden": 32, "feed_forward": 48, "heads": 2}


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


def small_lmm(monkeypatch, folder):
    monkeypatch.setattr(bench_lmm, "SIZES", dict.fromkeys(bench_lmm.SIZES, TINY))
    monkeypatch.setattr(bench_lmm, "COPIED", 2**20)
    few = ["--codes", "16", "--prompt", "8", "--rounds", "1", "--threads", "1"]
    return bench_lmm, ["--size", "small", "--device", "cpu", "--dtype", "float32", *few]


def passed(objective, batch) -> int:
    """In place of a pass without memory, which takes seconds; test_lavit_memory.py holds it against a real one."""
    assert len(batch.target) > 0 and objective.drc.lmm.vision is None
    return 2**30


def small_lavit(monkeypatch, folder):
    config = lavit_memory.config_of(tiny_lavit.SIZES)
    monkeypatch.setattr(lavit_memory, "config_of", lambda: config)
    monkeypatch.setattr(lavit_memory, "pass_peak", passed)
    return lavit_memory, ["--codes", "25", "--history", "2"]


def small_janus(monkeypatch, folder):
    monkeypatch.setattr(lavit_memory, "pass_peak", passed)
    config = config_of_sizes(JanusConfig(tiny_janus.SIZES))
    monkeypatch.setattr(janus_memory, "config_of", lambda size: config)
    return janus_memory, ["--history", "2"]


def few_cards(monkeypatch, folder):
    model = drc.load(write_tiny(folder / "tiny.safetensors"))
    monkeypatch.setattr(drc, "load", lambda: model)
    for name, value in {"SIDE": 64, "FEW": 2, "MANY": 16}.items():
        monkeypatch.setattr(measure_style_cards, name, value)
    return measure_style_cards, []


def small_drawing(monkeypatch, folder):
    path = write_tiny(folder / "tiny.safetensors")
    monkeypatch.setattr(bench_embedded, "checkpoint", lambda: path)
    return bench_embedded, ["drawing", "--rounds", "1"]  # start and nodes load a host


HERE = {
    "scripts/bench_lmm.py": small_lmm,
    "scripts/lavit_memory.py": small_lavit,
    "scripts/janus_memory.py": small_janus,
    "scripts/measure_style_cards.py": few_cards,
    "scripts/bench_embedded.py": small_drawing,
}
OF_A_CARD = {"--graph"}
COMMANDS = {" ".join(words): words for document in DOCUMENTS for words in commands(document)}
RUN = [command for command, words in COMMANDS.items() if name_of(words) in HERE]


def test_every_command_has_its_test():
    elsewhere, not_run = commands_under(ELSEWHERE), commands_under(NOT_RUN)
    assert set(map(name_of, COMMANDS.values())) == elsewhere.keys() | not_run.keys() | HERE.keys()
    for file, test in (heading.split("::") for heading in elsewhere.values()):
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text("utf-8"), test


@pytest.mark.parametrize("command", RUN)
def test_it_runs_as_it_stands_there(in_this_process, monkeypatch, tmp_path, command):
    words = COMMANDS[command]
    module, small = HERE[name_of(words)](monkeypatch, tmp_path)
    given = [word for word in called(words)[1] if word not in OF_A_CARD]
    code, said, _ = in_this_process(module, *given, *small)
    assert code is None and len(said.splitlines()) > 2
