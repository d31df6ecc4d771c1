"""scripts/test.sh on a checkout of three tests: it fails where any part of it does, and tells what each half found."""

import shutil
import subprocess

import pytest

from scripts.lib.environment import BUILD

PARTS = {"lint": "one.py", "served": "tests/server/test_served.py", "rest": "tests/test_rest.py"}
FAILS = "def test():\n    assert not 1\n"
WRONG = {"lint": "import os\n", "served": FAILS, "rest": FAILS}


@pytest.fixture
def checkout(root, tmp_path):
    for folder in ("scripts/lib", "tests/server", "tests/browser", "build"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("scripts/test.sh", "scripts/lib/python.sh", "tests/pytest.ini"):
        shutil.copy(root / name, tmp_path / name)
    (tmp_path / "scripts" / "lib" / "environment.py").write_text(f'print("{BUILD / "tools"}")\n')
    for part in ("served", "rest"):
        (tmp_path / PARTS[part]).write_text(f"def test_{part}():\n    assert 1\n")
    return tmp_path


def run(checkout, *arguments):
    command = ["bash", str(checkout / "scripts" / "test.sh"), *arguments]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


def test_both_halves_run(checkout):
    code, said = run(checkout)
    assert code == 0 and said.count("1 passed") == 2


@pytest.mark.parametrize("part", PARTS)
def test_what_fails_in_any_part_fails_all(checkout, part):
    (checkout / PARTS[part]).write_text(WRONG[part])
    code, said = run(checkout)
    assert code == 1 and said.count("1 passed") == {"lint": 2}.get(part, 1)


def test_arguments_choose_tests(checkout):
    code, said = run(checkout, "-k", "served")
    assert code == 0 and "1 passed, 1 deselected" in said
