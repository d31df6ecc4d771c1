"""Packages for the scripts that build of them."""

import subprocess
import sys
from pathlib import Path

from .environment import ROOT


def fetch(packages: Path, *names: str) -> None:
    """Those of these names, or those of the emoji, into the folder `packages`. What scripts/fetch_packages.py says of a
    failure is the last word."""
    only = ["--only", *names] if names else []
    command = [sys.executable, ROOT / "scripts" / "fetch_packages.py", "--out", packages, *only]
    if subprocess.run(command).returncode:
        sys.exit(1)
