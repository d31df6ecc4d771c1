"""The command, as a user types it, on a small build with judges that were never trained."""

import csv
import json
import subprocess
import sys
from functools import partial

import pytest

from drc.bench import __main__ as command
from scripts.lib.environment import ROOT

LAUNCH = "-m accelerate.commands.launch --multi_gpu --num_machines 1 --mixed_precision no --dynamo_backend no"
QUICK = ["--device", "cpu", "--tests", "P3,T4", "--histories", "4,1", "--limit", "2", "--sweep", "1"]
LONGEST = 240  # seconds; whatever takes longer, on a machine however busy, hangs


@pytest.fixture
def bench(in_this_process):
    return partial(in_this_process, command)


def test_run_and_compare(bench, build, tiny, tmp_path):
    places = [*build.options(), "--cache", tmp_path / "cache"]
    for name, strength in (("weak", 1), ("strong", 4)):
        options = ["--style-strength", strength, "--out", tmp_path / name]
        assert bench("run", "--model", f"{name}={tiny}", *options, *places, *QUICK)[:2] == (
            0,
            f"{tmp_path / name / 'index.html'}\n",
        )
    with open(tmp_path / "weak" / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["judge"] for row in rows} == {"evaluator", "efficientnet-lite0"}
    assert {row["history"] for row in rows if row["answer"] == "weak"} == {"4", "1"}
    code, said, _ = bench("compare", tmp_path / "weak", tmp_path / "strong", "--out", tmp_path / "both")
    assert code == 0
    assert "| evaluator | weak | strong | difference | cases |" in said and "| T4, history 1: style |" in said
    assert "strong against weak" in (tmp_path / "both" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tests", "T9"], "test T9 was asked for, expected out of P1"),
        (["--tests", "P1"], "needs restyled drawings that are not built ('restyled/seen')"),
        (["--model", "other=none.safetensors"], "there is no model at 'none.safetensors'"),
        (["--evaluator", "none"], "the judge evaluator is missing, there is no file 'none'"),
        (["--packages", "none"], "the judge EfficientNet-Lite0 is missing"),
        (["--data", "none"], "the emoji benchmark is not built, emoji.json is missing in 'none'"),
        (["--domain", "sounds"], "domain sounds was asked for, expected out of emoji"),
        (["--judges", "nobody"], "judge nobody was asked for"),
        (["--model", "m=embedded"], "two models have the same name"),
    ],
)
def test_what_does_not_serve_is_one_sentence(bench, build, tiny, tmp_path, arguments, words):
    places = ["--cache", tmp_path / "cache", "--out", tmp_path / "out"]
    code, said, complaint = bench("run", "--model", f"m={tiny}", *build.options(), *places, *QUICK, *arguments)
    assert (code, said) == (2, "") and words in complaint
    assert complaint.endswith(".\n") and complaint.count("\n") == 1
    assert not (tmp_path / "out" / "results.json").exists()


def test_compare_names_what_is_missing(bench, tmp_path):
    code, _, complaint = bench("compare", tmp_path, tmp_path)
    assert code == 2 and "results.json holds no results" in complaint


def test_names_in_a_strangers_results_move_nothing_on_the_screen(bench, tmp_path):
    """Letters that clear a terminal, turn the reading direction or cannot be written at all."""
    test = {"what": "", "meanings": ["a"], "judges": {"eye\u202e": {"8": {"our\x1b[2J\ud800s": {"joint_top1": [1]}}}}}
    results = {"domain": "d", "pictures": "p", "settings": {}, "artists": {"our\x1b[2J\ud800s": ""}, "files": {}}
    results |= {"judges": {"eye\u202e": "1"}, "tests": {"T": test}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    code, said, _ = bench("compare", tmp_path, tmp_path)
    assert code == 0 and r"| eye\u202e | our\u001b[2J\ud800s, " in said and not {"\x1b", "\u202e", "\ud800"} & set(said)
    code, _, complaint = bench("compare", tmp_path, tmp_path, "--models", "nobody,nobody")
    assert code == 2 and r"expected out of our\u001b[2J\ud800s; choose with --models" in complaint
    assert bench("compare", tmp_path, tmp_path, "--artists", "nobody,nobody")[0] == 2  # as it was called before


def test_two_processes_find_what_one_finds(bench, build, tiny, tmp_path):
    def arguments(name: str) -> list[str]:
        places = ["--cache", tmp_path / name / "cache", "--out", tmp_path / name]
        return list(map(str, ["run", "--model", tiny, *build.options(), *places, *QUICK]))

    assert bench(*arguments("one"))[0] == 0
    launch = [sys.executable, *LAUNCH.split(), "--num_processes", "2", "--main_process_port", "0", "-m", "drc.bench"]
    ended = subprocess.run([*launch, *arguments("two")], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{tmp_path / 'two' / 'index.html'}\n"
    tables = [(tmp_path / name / "results.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1]
