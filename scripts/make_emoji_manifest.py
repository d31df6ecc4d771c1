"""Write drc/data/emoji_manifest.json: the splits and the digest of every raster of a complete build.

    python scripts/build_emoji.py && python scripts/convert_efficientnet.py
    python scripts/emoji_features.py && python scripts/make_emoji_manifest.py

Only needed when a package, the rasteriser or the rules of the splits change.
"""

import importlib.metadata
import json
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.emoji import DIGEST_DIGITS, MANIFEST, Emoji  # noqa: E402
from drc.data.splits import NEAR_DUPLICATE, TESTS, compute  # noqa: E402
from drc.data.styles import STYLES  # noqa: E402


def main() -> None:
    data = ROOT / "build" / "data"
    emoji = Emoji(data)
    splits = compute(emoji, np.load(data / "features.npy"))
    rows = []
    for code in sorted(splits.meaning_split):
        cells = [emoji.rows.get((style, code)) for style in STYLES]
        rows.append(
            json.dumps(code)
            + ": "
            + json.dumps(
                {
                    "label": emoji.meanings[code].label,
                    "group": emoji.meanings[code].group,
                    "split": splits.meaning_split[code],
                    "cluster": splits.cluster[code],
                    "shared": code in splits.shared,
                    "held_out": splits.held_out_family.get(code, ""),
                    "rasters": " ".join(
                        "-" if row is None else emoji.cells[row].sha256[:DIGEST_DIGITS] for row in cells
                    ),
                }
            )
        )
    head = json.dumps(
        {
            "size": emoji.size,
            "resvg_py": importlib.metadata.version("resvg_py"),
            "near_duplicate": NEAR_DUPLICATE,
            "styles": list(STYLES),
        }
    )
    unfinished = MANIFEST.with_suffix(".part")
    unfinished.write_text(head[:-1] + ', "meanings": {\n' + ",\n".join(rows) + "\n}}\n")
    os.replace(unfinished, MANIFEST)
    print(Counter((splits.meaning_split[code], code in splits.shared) for code in splits.meaning_split))
    print("training", len(splits.training_rows(emoji)), {test: len(splits.test_rows(emoji, test)) for test in TESTS})


if __name__ == "__main__":
    main()
