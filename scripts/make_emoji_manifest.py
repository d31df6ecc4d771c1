"""Write drc/data/emoji_splits.json and the digest of every raster of a complete build, datasets/emoji/manifest.json.

    python scripts/build_emoji.py && python scripts/convert_efficientnet.py
    python scripts/emoji_features.py && python scripts/make_emoji_manifest.py

Only needed when a package, the rasteriser or the rules of the splits change.
"""

import argparse
import importlib.metadata
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.emoji import Emoji  # noqa: E402
from drc.data.splits import FILE, TESTS  # noqa: E402
from drc.data.styles import STYLES  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from scripts.datasets.emoji.build import MANIFEST  # noqa: E402
from scripts.datasets.emoji.splits import NEAR_DUPLICATE, compute  # noqa: E402
from scripts.datasets.raster import DIGEST_DIGITS  # noqa: E402


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    data = ROOT / "build" / "data"
    emoji = Emoji(data)
    splits = compute(emoji, np.load(data / "features.npy"))
    shares, pictures = {}, {}
    for code in sorted(splits.meaning_split):
        shares[code] = {
            "group": emoji.meanings[code].group,
            "split": splits.meaning_split[code],
            "cluster": splits.cluster[code],
            "shared": code in splits.shared,
            "held_out": splits.held_out_family.get(code, ""),
        }
        cells = [emoji.rows.get((style, code)) for style in STYLES]
        rasters = ("-" if row is None else emoji.cells[row].sha256[:DIGEST_DIGITS] for row in cells)
        pictures[code] = {"label": emoji.meanings[code].label, "rasters": " ".join(rasters)}
    write(FILE, {"near_duplicate": NEAR_DUPLICATE}, shares)
    resvg = importlib.metadata.version("resvg_py")
    write(MANIFEST, {"size": emoji.size, "resvg_py": resvg, "styles": list(STYLES)}, pictures)
    print(Counter((splits.meaning_split[code], code in splits.shared) for code in splits.meaning_split))
    print("training", len(splits.training_rows(emoji)), {test: len(splits.test_rows(emoji, test)) for test in TESTS})


def write(path: Path, head: dict, meanings: dict[str, dict]) -> None:
    """One line for each meaning."""
    rows = (f"{json.dumps(code)}: {json.dumps(row)}" for code, row in meanings.items())
    write_bytes((json.dumps(head)[:-1] + ', "meanings": {\n' + ",\n".join(rows) + "\n}}\n").encode(), path)


if __name__ == "__main__":
    main()
