"""Makes the pictures of the help pages:  python scripts/make_help_pictures.py

Most are parts of the thumbnails of the workflows; what a node shows without drawing is made of the example icons, and
what is done to a drawing of one.

The page's panel for help is 265 pixels wide; twice as many are enough for a sharp screen.
"""

import argparse
import io
import sys
from functools import cache
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import drc  # noqa: E402
from drc.complete.palette import lock, palette_of  # noqa: E402
from drc.complete.report import measure, report  # noqa: E402
from drc.complete.report_sheet import report_sheet  # noqa: E402
from drc.complete.settings import FULL  # noqa: E402
from drc.complete.sizes import full_size, on_ground  # noqa: E402
from drc.complete.svg import trace  # noqa: E402
from drc.data.palette import pixels_of_oklab  # noqa: E402
from drc.files import replacing  # noqa: E402
from drc.pixels import from_image, to_pixels  # noqa: E402
from drc.plots.sheet import contact_sheet, numbered_sheet  # noqa: E402
from drc.sharpener import load_sharpener  # noqa: E402

WIDTH = 530
NEAR = slice(FULL // 4, FULL // 2)  # of a picture's rows and columns, shown twice as large
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


def icons(name: str) -> list[np.ndarray]:
    """The history of a set of example icons."""
    files = sorted((ROOT / "nodes" / "examples" / name).glob("icon-*.png"))
    return [np.array(Image.open(file).convert("RGB").resize((128, 128), Image.LANCZOS)) for file in files]


def my_pictures() -> Image.Image:
    """What *My Pictures* shows of a set."""
    pictures = icons("icons-1")
    return Image.fromarray(numbered_sheet(pictures, [f"{number} icon-{number}.png" for number in range(1, 9)]))


def set_report() -> Image.Image:
    """Against six icons of a set, the other two and one of each other set: verdicts, and the first traits."""
    first, second, third = map(icons, ("icons-1", "icons-2", "icons-3"))
    new, names = [*first[6:], second[0], third[0]], ["of the set", "of it, too", "another hand", "a third hand"]
    found = report([measure(one) for one in new], [measure(one) for one in first[:6]], names)
    return Image.fromarray(report_sheet(found, new, first[:6])).crop((0, 60, 500, 410))


@cache
def locked() -> tuple[np.ndarray, np.ndarray, str]:
    """A drawing in the style of a set of example icons: as drawn, in the colours of the set, and as SVG."""
    folder = ROOT / "nodes" / "examples" / "icons-1"
    history = drc.read(*sorted(folder.glob("icon-*.png")))
    drawn = drc.load().draw(history, drc.read(folder / "reference.png"))
    sharp = full_size(drawn[0], load_sharpener(), "a drawing")
    palette = palette_of(to_pixels(from_image(one[None]))[0] for one in history)
    flat = lock(sharp[None], palette)[0]
    ground = pixels_of_oklab(palette.colours[0])
    as_drawn = to_pixels(from_image(drawn))[0].repeat(FULL // drawn.shape[1], 0).repeat(FULL // drawn.shape[2], 1)
    return as_drawn, on_ground(flat, ground), trace(flat, ground=ground)


def beside(drawn: np.ndarray, made: np.ndarray, what: str) -> Image.Image:
    """Both whole, and a part of each below."""
    pictures = drawn, made
    return Image.fromarray(
        contact_sheet([list(pictures), [one[NEAR, NEAR] for one in pictures]], ["drawn", what], cell=256)
    )


def lock_palette() -> Image.Image:
    drawn, flat, _ = locked()
    return beside(drawn, flat, "its colours locked")


def pictures_to_svg() -> Image.Image:
    drawn, _, text = locked()
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, width=FULL, height=FULL))))
    return beside(drawn, np.array(picture.convert("RGB")), "as SVG")


def save(picture: Image.Image, name: str) -> None:
    picture.thumbnail((WIDTH, 2 * WIDTH), Image.LANCZOS)
    file = ROOT / "web" / "docs" / f"{name}.jpg"
    with replacing(file) as path:
        picture.save(path, "JPEG", quality=75, optimize=True)
    print(f"{file}: {picture.width} x {picture.height}, {file.stat().st_size} bytes")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for make in (my_pictures, set_report, lock_palette, pictures_to_svg):
        save(make(), make.__name__)
    for name, (workflow, left, right) in PICTURES.items():
        with Image.open(ROOT / "workflows" / f"{workflow}.jpg") as thumbnail:
            part = thumbnail.crop((round(left * thumbnail.width), 0, round(right * thumbnail.width), thumbnail.height))
        save(part, name)


if __name__ == "__main__":
    main()
