"""Parity with the class of transformers 4, too: the tests of test_parity.py, in a process that finds it first."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.lib.environment import EARLIER, EARLIER_REQUIREMENTS

PARITY = """import sys, pytest, transformers
assert f"transformers=={transformers.__version__}" in sys.argv.pop(1).split(), transformers.__version__
sys.exit(pytest.main(sys.argv[1:]))"""


def test_parity_with_version_4(root):
    assert (EARLIER / "transformers").is_dir(), f"{EARLIER} is not there; scripts/test.sh makes it"
    options = ["--rootdir=tests", "--confcutdir=tests", "-c=tests/pytest.ini", "-q"]
    tests = Path(__file__).with_name("test_parity.py").relative_to(root)
    command = [sys.executable, "-c", PARITY, EARLIER_REQUIREMENTS.read_text("utf-8"), *options, str(tests)]
    environment = os.environ | {"PYTHONPATH": str(EARLIER)}

    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=240)

    assert run.returncode == 0 and "passed" in run.stdout and "skipped" not in run.stdout, run.stdout + run.stderr
