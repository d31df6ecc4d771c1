"""What the server of these tests is: the packed archive in a folder where nobody may write."""

import subprocess
import zipfile

from scripts.lib.packed import BOUND_BY_PERMISSIONS


def test_nobody_writes_into_the_pack(host, server):
    code = "import pathlib, sys; (pathlib.Path(sys.argv[1]) / 'new').touch()"
    for folder in (server.pack_folder, server.pack_folder / "drc" / "weights"):
        command = [*BOUND_BY_PERMISSIONS, host.python, "-c", code, folder]
        assert "PermissionError" in subprocess.run(command, capture_output=True, text=True).stderr


def test_the_pack_holds_what_was_packed(server):
    with zipfile.ZipFile(server.folder / "pack.zip") as archive:
        packed = set(archive.namelist())
    found = (path.relative_to(server.pack_folder) for path in server.pack_folder.rglob("*") if path.is_file())
    assert {path.as_posix() for path in found} == packed
