"""Makes the pictures of the help pages from the thumbnails of the workflows:  python scripts/make_help_pictures.py

The page's panel for help is 265 pixels wide; twice as many are enough for a sharp screen.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.files import replacing  # noqa: E402

WIDTH = 530
PICTURES = {
    "personalise": ("personalise", 0, 1),
    "complete_my_set": ("complete_my_set", 0, 1),
    "from_words": ("from_words", 0, 1),
    "style_card": ("style_card", 0, 1),
    "grid": ("look_closer", 0, 0.495),
    "meter": ("look_closer", 0.495, 1),
    "evaluate": ("evaluate", 0, 1),
    "pairs": ("train_personalisation", 0, 0.137),
    "samples": ("train_personalisation", 0.575, 1),
}
"""Name -> workflow, and the part of its thumbnail: from where to where across, as shares of the width."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for name, (workflow, left, right) in PICTURES.items():
        with Image.open(ROOT / "workflows" / f"{workflow}.jpg") as thumbnail:
            part = thumbnail.crop((round(left * thumbnail.width), 0, round(right * thumbnail.width), thumbnail.height))
        part.thumbnail((WIDTH, 2 * WIDTH), Image.LANCZOS)
        file = ROOT / "web" / "docs" / f"{name}.jpg"
        with replacing(file) as path:
            part.save(path, "JPEG", quality=75, optimize=True)
        print(f"{file}: {part.width} x {part.height}, {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
