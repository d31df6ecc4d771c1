"""This project as it was at another commit, to be measured beside what it is."""

import importlib.util
import io
import subprocess
import sys
import tarfile
from pathlib import Path

from .environment import BUILD, ROOT

NAME = "before"


def unpacked(commit: str) -> Path:
    """A folder with `drc` as it was."""
    folder = BUILD / "bench" / commit
    code = subprocess.run(["git", "archive", commit, "drc"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(code)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def import_from(commit: str) -> str:
    """Imports `drc` of a commit under the name that it returns; its parts are imported as those of any package."""
    package = unpacked(commit) / "drc"
    spec = importlib.util.spec_from_file_location(
        NAME, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    return NAME
