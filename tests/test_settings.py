"""Settings hold each other, and yet have the names, the order and the defaults that they have in commands and files."""

import json
from pathlib import Path

import pytest

from drc import EMBEDDED
from drc.bench.__main__ import parser as bench
from drc.bench.config import BenchConfig
from drc.complete.__main__ import parser as complete
from drc.complete.settings import Settings
from drc.instruction import Dials

DIALS = {"style_strength": 2.0, "semantic_strength": 4.0, "temperature": -1.0}
OF_A_SET = {"seed": 0, "best_of": 1, "drawings": 3} | DIALS
OF_A_REPORT = {
    "domain": "emoji", "tests": [], "histories": [], "limit": 64, "sweep": 16, **DIALS, "top_k": 0, "top_p": 1.0,
    "candidates": 1, "seed": 0, "controls": False, "by_word": False, "by_drawing": False, "gaps": False,
    "judges": ["evaluator", "efficientnet-lite0"],
}  # fmt: skip


def test_files_name_every_value_as_they_did():
    """Of set.json, report.json and results.json, as they are compared and read again."""
    assert json.dumps(Settings().values()) == json.dumps(OF_A_SET)
    assert json.dumps(BenchConfig().settings()) == json.dumps(OF_A_REPORT)


def test_options_stand_untouched_where_they_did():
    drawing = vars(complete().parse_args(["--history", "h", "--out", "o"]))
    files = {"history": Path("h"), "negative": None, "words": None, "references": None, "out": Path("o")}
    rest = {"model": EMBEDDED, "size": 512, "svg": False, "colours": None}
    assert (OF_A_SET | files | rest).items() <= drawing.items()
    asking = vars(bench().parse_args(["run", "--model", "m"]))
    untouched = OF_A_REPORT | {"tests": (), "histories": (), "judges": None}
    assert untouched.items() <= asking.items()


@pytest.mark.parametrize("name", DIALS)
def test_an_option_turns_its_dial(name):
    options = complete().parse_args(["--history", "h", "--out", "o", f"--{name.replace('_', '-')}", "1.5"])
    assert vars(Dials.among(options)) == DIALS | {name: 1.5}
