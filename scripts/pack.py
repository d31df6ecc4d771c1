"""The archive that users get: python -m scripts.pack [--out build/drc-personalize.zip]

It holds what git tracks less what .comfyignore names, by git's own rules, with the files as they are now. A new file is
in it once it was added to git.
"""

from __future__ import annotations

import argparse
import subprocess
import zipfile
from pathlib import Path

from drc.files import replacing
from scripts.lib.environment import BUILD, ROOT

EPOCH = (1980, 1, 1, 0, 0, 0)  # one date for all, so that the same files give the same archive


def published() -> list[str]:
    """Paths in the repository, sorted."""
    ignored = set(_tracked("--cached", "--ignored", "--exclude-from=.comfyignore"))
    return sorted(name for name in _tracked() if name not in ignored and (ROOT / name).is_file())


def _tracked(*options: str) -> list[str]:
    command = ["git", "ls-files", "-z", *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout.split("\0")[:-1]


def pack(archive: Path) -> Path:
    """Writes the archive; the files lie at its top. Returns its path."""
    with replacing(archive) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as file:
        for name in published():
            file.writestr(zipfile.ZipInfo(name, EPOCH), (ROOT / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return archive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=BUILD / "drc-personalize.zip")
    archive = pack(parser.parse_args().out)
    print(f"{archive}: {len(published())} files, {archive.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
