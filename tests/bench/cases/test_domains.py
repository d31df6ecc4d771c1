"""Domains are opened where they are asked for, and cost nothing before."""

import subprocess
import sys

import pytest

from drc.bench.cases import DOMAINS, open_domain
from scripts.lib.environment import ROOT

LAZY = ("emoji", "posters", "folder", "imported")


def test_a_run_imports_no_domain_before_one_is_asked_for():
    asked = "import sys, drc.bench.run; from drc.bench.__main__ import parser; parser(); print(*sorted(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ended.stdout.split())
    assert "drc.bench.cases.domain" in loaded
    assert not loaded & {f"drc.bench.cases.{name}" for name in LAZY} and "transformers" not in loaded


def test_a_package_that_is_missing_is_named(monkeypatch, tmp_path):
    def opened(folder):
        raise ModuleNotFoundError("No module named 'resvg_py'", name="resvg_py")

    monkeypatch.setitem(DOMAINS, "drawn", opened)
    with pytest.raises(ValueError, match="domain drawn needs the package resvg_py, which is not installed; install it"):
        open_domain("drawn", tmp_path)
    with pytest.raises(ValueError, match="domain paintings was asked for, expected out of emoji, posters"):
        open_domain("paintings", tmp_path)
