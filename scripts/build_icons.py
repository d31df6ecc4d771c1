"""Fetch the pinned package and build the icon matrix into build/data/icons; check it against the manifest.

    python scripts/build_icons.py [--packages build/packages] [--out build/data/icons] [--size 128] [--processes 2]

--pin writes the digests of this build into the manifest instead: for whoever changes the matrix.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.datasets.icons.build import build, digests, verify  # noqa: E402
from scripts.datasets.icons.matrix import read_manifest, write_manifest  # noqa: E402
from scripts.datasets.raster import SIZE  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.bounds import at_least  # noqa: E402
from scripts.lib.fetched import fetch  # noqa: E402

PACKAGE = "iconify-json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "data" / "icons")
    parser.add_argument("--size", type=at_least(1), default=SIZE)
    parser.add_argument("--processes", type=at_least(1), default=2)
    parser.add_argument("--pin", action="store_true")
    options = parser.parse_args()
    fetch(options.packages, PACKAGE)
    with bar("picture") as progress:
        try:
            folder = options.packages / PACKAGE
            icons = build(folder, options.out, options.size, processes=options.processes, progress=progress)
        except ValueError as error:
            sys.exit(str(error))
    print(f"{len(icons.cells)} pictures of {len(icons.meaning_split)} meanings in {options.out}")
    if options.pin:
        manifest, found = read_manifest(), digests(icons)
        for style, row in manifest["styles"].items():
            row["rasters"] = found[style]
        write_manifest(manifest)
    elif options.size == SIZE:
        wrong = verify(icons)
        print(f"{len(wrong)} pictures differ from the manifest" + (f", first {wrong[0]}" if wrong else ""))


if __name__ == "__main__":
    main()
