"""How often a drawing is taken for a photograph, and a photograph for one:

    python scripts/measure_flatness.py FOLDER_OF_PHOTOGRAPHS [--build build] [--drawings 3000]

Drawings are taken by lot from the emoji and the icons that scripts/build_emoji.py and scripts/build_icons.py made, and
are the example pictures of this pack.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import drc  # noqa: E402
from drc.familiar import LEAST_FLAT, flat_share  # noqa: E402
from drc.pixels import from_pixels  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--drawings", type=int, default=3000)
    options = parser.parse_args()
    files = sorted(path for path in options.photographs.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png"))
    tell("photographs", shares_of_files(files))
    tell("examples", shares_of_files(sorted((ROOT / "nodes" / "examples").rglob("*.png"))))
    for name in ("emoji.npy", "icons/icons.npy"):
        pictures = np.load(options.build / name, mmap_mode="r")
        rows = np.sort(np.random.default_rng(0).choice(len(pictures), options.drawings, replace=False))
        tell(name, [flat_share(from_pixels([pictures[row]])[0]) for row in rows])


def shares_of_files(files: list[Path]) -> list[float]:
    lmm = drc.load().lmm
    return [flat_share(lmm.prepare(*drc.read(file), file.name)) for file in files]


def tell(name: str, shares: list[float]) -> None:
    below = np.mean(np.array(shares) < LEAST_FLAT)
    print(f"{name}: {below:.1%} of {len(shares)} are less flat than {LEAST_FLAT}; median {np.median(shares):.2f}")


if __name__ == "__main__":
    main()
