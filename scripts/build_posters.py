"""Fetch the pinned packages and draw the posters into build/data/posters; check them against the manifest.

    python scripts/build_posters.py [--packages build/packages] [--out build/data/posters] [--parts NAME ...]
        [--processes 2] [--manifest]

What is there already is left alone, so an interrupted build goes on where it was. With --manifest the splits are
written to drc/data/poster_splits.json and the digests to scripts/datasets/posters/manifest.json: only needed when a
package, the rasteriser, or what a poster is made of changes.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.posters import FILE, PARTS, PosterSplits  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from scripts.datasets.posters.build import MANIFEST, build, built, verify  # noqa: E402
from scripts.datasets.posters.plan import plan  # noqa: E402
from scripts.datasets.posters.splits import LEVELS, NEAR_DUPLICATE, likeness, share_out  # noqa: E402
from scripts.datasets.raster import DIGEST_DIGITS, SIZE  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.fetched import fetch  # noqa: E402

PACKAGES = ("emojibase-data", "fluent-emoji-flat", "fonts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "data" / "posters")
    parser.add_argument("--parts", nargs="+", metavar="NAME", choices=PARTS, default=PARTS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--manifest", action="store_true")
    options = parser.parse_args()
    fetch(options.packages, *PACKAGES)
    table = json.loads(FILE.read_text())["levels"]
    if options.manifest:
        table = {factor: share_out(factor, likeness(factor, options.packages)) for factor in LEVELS}
    whole = plan(PosterSplits.of(table))
    for part in options.parts:
        draw(part, whole[part], options)
    if options.manifest:
        write_splits(table)
        write_manifest({part: digests(options.out, part) for part in PARTS})
    wrong = [poster for part in options.parts for poster in verify(options.out, part)]
    print(f"{len(wrong)} posters differ from the manifest" + (f", first {wrong[0]}" if wrong else ""))


def draw(part: str, posters: list, options: argparse.Namespace) -> None:
    if built(options.out, part, posters):
        return
    with bar("chunk", part) as progress:
        build(options.packages, options.out, part, posters, processes=options.processes, progress=progress)


def digests(out: Path, part: str) -> list[str]:
    record = json.loads((out / f"{part}.json").read_text())
    return [digest[:DIGEST_DIGITS] for digest in record["sha256"]]


def write_splits(table: dict) -> None:
    """One line for each factor."""
    lines = [f'  "{factor}": {json.dumps(rows)}' for factor, rows in table.items()]
    head = json.dumps({"near_duplicate": NEAR_DUPLICATE})
    write_bytes((head[:-1] + ', "levels": {\n' + ",\n".join(lines) + "}}\n").encode(), FILE)


def write_manifest(rasters: dict[str, list[str]]) -> None:
    """One line for every six posters of a part in the order of the plan."""
    parts = []
    for part, found in rasters.items():
        rows = (json.dumps(found[first : first + 6])[1:-1] for first in range(0, len(found), 6))
        parts.append(f'  "{part}": [\n' + ",\n".join(rows) + "]")
    head = json.dumps({"size": SIZE, "resvg_py": importlib.metadata.version("resvg_py")})
    write_bytes((head[:-1] + ', "rasters": {\n' + ",\n".join(parts) + "}}\n").encode(), MANIFEST)


if __name__ == "__main__":
    main()
