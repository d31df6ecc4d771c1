"""Makes what the registry shows of the pack, from thumbnails of workflows:  python scripts/make_registry_pictures.py

The registry takes a square icon of at most 400 x 400 and a banner of 21 to 9, by addresses that `pyproject.toml` gives.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.files import replacing  # noqa: E402
from scripts.make_thumbnail import GROUND, LARGE  # noqa: E402

FOLDER = ROOT / "scripts" / "registry"
ICON, BANNER = (400, 400), (1260, 540)
DRAWN = (512, 184)  # where in its thumbnail *personalise* has what it drew


def icon() -> Image.Image:
    with Image.open(ROOT / "workflows" / "personalise.jpg") as thumbnail:
        drawn = thumbnail.crop((*DRAWN, DRAWN[0] + LARGE, DRAWN[1] + LARGE))
    return drawn.resize(ICON, Image.LANCZOS)


def banner() -> Image.Image:
    """What *complete_my_set* was given and drew, in the middle."""
    picture = Image.new("RGB", BANNER, GROUND)
    with Image.open(ROOT / "workflows" / "complete_my_set.jpg") as thumbnail:
        width = round(thumbnail.width * BANNER[1] / thumbnail.height)
        picture.paste(thumbnail.resize((width, BANNER[1]), Image.LANCZOS), ((BANNER[0] - width) // 2, 0))
    return picture


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, picture in {"icon": icon(), "banner": banner()}.items():
        with replacing(FOLDER / f"{name}.png") as path:
            picture.quantize(128).save(path, "PNG", optimize=True)


if __name__ == "__main__":
    main()
