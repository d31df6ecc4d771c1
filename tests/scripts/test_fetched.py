"""What builds of packages fetches them first, and says no more than what fetches them where that fails."""

import subprocess
import sys

import pytest

from scripts.lib.fetched import fetch


def test_a_failure_has_one_sentence_and_no_traceback(monkeypatch, tmp_path, capfd):
    """What fetches them is a stand-in that fails."""
    real, said = subprocess.run, "import sys; sys.exit('iconify-json could not be fetched from npm: no network')"
    monkeypatch.setattr(subprocess, "run", lambda command: real([sys.executable, "-c", said]))
    with pytest.raises(SystemExit) as stopped:
        fetch(tmp_path, "iconify-json")
    assert stopped.value.code == 1
    assert capfd.readouterr().err == "iconify-json could not be fetched from npm: no network\n"
