"""Ctrl-C is heard while a command imports what it needs, which takes seconds."""

import subprocess
import sys

import pytest

from scripts.lib.environment import ROOT

PRESSED = """
import runpy, sys

class Pressed:
    def find_spec(self, name, *_):
        if name == "torch":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Pressed())
sys.argv.pop(0)
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
COMMANDS = {
    "drc.bench": ["run", "--model", "embedded"],
    "drc.complete": ["--history", "mine", "--out", "drawn"],
    "drc.train": ["config.toml"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_in_the_first_second_is_no_traceback(command):
    called = [sys.executable, "-c", PRESSED, command, *COMMANDS[command]]
    ended = subprocess.run(called, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "Stopped; start it again and it goes on where it was.\n"
