"""A ComfyUI server with this pack, on a free loopback port, that writes nothing outside its own folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from scripts.lib.environment import ROOT, Host, SetupError

PACK = "drc-personalize"


class Server:
    """Runs while the `with` block runs.

    `address` is its URL, `log` the file with all that it says, `pack` the name of the pack among its custom nodes.
    `beside` are folders of other packs that it loads, too.
    """

    pack = PACK

    def __init__(self, host: Host, folder: Path, *flags: str, beside: Sequence[Path] = ()):
        self.host = host
        self.folder = folder
        self.flags = flags
        self.beside = beside
        self.log = folder / "server.log"
        self.pack_folder = folder / "custom_nodes" / self.pack
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        with self.log_file() as log:
            self.process = subprocess.Popen(self.command(), cwd=self.host.folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log_file(self):
        """Makes the folders that the host is sent to, empty, and opens its log."""
        self.remove()
        for name in ("input", "output", "temp", "user", "custom_nodes"):
            (self.folder / name).mkdir(parents=True)
        self.install()
        for path in self.beside:
            (self.folder / "custom_nodes" / path.name).symlink_to(path, target_is_directory=True)
        return self.log.open("wb")

    def install(self) -> None:
        self.pack_folder.symlink_to(ROOT, target_is_directory=True)

    def remove(self) -> None:
        """Takes away what an earlier run left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> list[str]:
        folder = self.folder
        return [
            *(str(self.host.python), str(self.host.folder / "main.py")),
            *("--listen", "127.0.0.1", "--port", str(self.port)),
            *("--base-directory", str(folder), "--user-directory", str(folder / "user")),
            *("--database-url", f"sqlite:///{folder / 'user' / 'comfyui.db'}"),
            *(
                "--disable-all-custom-nodes",
                "--whitelist-custom-nodes",
                self.pack,
                *(path.name for path in self.beside),
            ),
            *("--disable-api-nodes", "--disable-auto-launch"),
            *self.flags,
        ]

    def _wait_until_ready(self, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/system_stats", timeout=5).close()
                return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        last_lines = self.log.read_text(errors="replace").strip().splitlines()[-15:]
        raise SetupError("ComfyUI did not start; the end of its log:\n" + "\n".join(last_lines))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
