"""A server whose pack is the published archive, as the registry puts it at users': unpacked, renamed and read-only."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from scripts.lib.server import Server
from scripts.pack import pack

# Permissions do not bind root, but for a process that gave this power away.
BOUND_BY_PERMISSIONS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


class PackedServer(Server):
    pack = "renamed_drc"  # of plain letters: aiohttp, so the host, finds no help pages below a name that URLs quote

    def install(self) -> None:
        archive = pack(self.folder / "pack.zip")
        with zipfile.ZipFile(archive) as file:
            file.extractall(self.pack_folder)
        for path in (self.pack_folder, *self.pack_folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

    def remove(self) -> None:
        for path in folders_in(self.pack_folder):
            path.chmod(0o755)
        super().remove()

    def command(self) -> list[str]:
        return [*BOUND_BY_PERMISSIONS, *super().command()]


def folders_in(folder: Path) -> list[Path]:
    """The folder and all below it, from the top."""
    return [Path(top) for top, _, _ in os.walk(folder)]
