"""Fetch the pinned packages and build the emoji benchmark into build/data; check it against the manifest.

python scripts/build_emoji.py [--packages build/packages] [--out build/data] [--size 128] [--styles NAME ...]
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.datasets.emoji.build import MANIFEST, build, verify  # noqa: E402
from scripts.datasets.raster import SIZE  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.fetched import fetch  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--styles", nargs="+", metavar="NAME")
    options = parser.parse_args()
    fetch(options.packages)
    with bar("picture") as progress:
        emoji = build(options.packages, options.out, options.size, options.styles, progress)
    print(f"{len(emoji.cells)} pictures of {len(emoji.meanings)} meanings in {options.out}")
    if options.size == SIZE and MANIFEST.exists():
        wrong = verify(options.out)
        print(f"{len(wrong)} pictures differ from the manifest" + (f", first {wrong[0]}" if wrong else ""))


if __name__ == "__main__":
    main()
