"""Draws the pictures of Example Pictures, nodes/examples/icons-* and example-*: a history and a reference.

Of icons the history is a hand that no model was trained on, as it is or in colours, and the reference another hand's
drawing of a meaning that is not in it. Of emoji it is one procedural style over drawings of one vendor; the reference
is another drawing, which no model was trained on either, in its vendor's own style.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.colouring import Colouring  # noqa: E402
from scripts.datasets.emoji.sources import drawings  # noqa: E402
from scripts.datasets.icons.matrix import read_manifest  # noqa: E402
from scripts.datasets.icons.package import Package  # noqa: E402
from scripts.datasets.raster import rasterise  # noqa: E402
from scripts.datasets.restyled.program import held_out_programs  # noqa: E402
from scripts.datasets.restyled.restyle import restyle  # noqa: E402

SIZE = 256
EXAMPLES_FOLDER = ROOT / "nodes" / "examples"


@dataclass(frozen=True)
class IconExample:
    """Names of the icon matrix: a style and its meanings, and the style and meaning of the reference."""

    style: str
    history: tuple[str, ...]
    reference: tuple[str, str]
    colours: Colouring | None = None


@dataclass(frozen=True)
class EmojiExample:
    program: int  # number among the held-out programs
    history: tuple[str, ...]  # code points of training drawings of Twemoji
    reference: str  # code point of a test drawing of Noto Emoji


USUAL = ("home", "bell", "bicycle", "gift", "lock", "eye", "moon", "cart")
ICONS = (
    IconExample("glyphs/duo", USUAL, ("ph/fill", "umbrella"), Colouring("#1f2a5a", "#ffffff", "#8fb8ff")),
    IconExample("lucide", USUAL, ("ph/fill", "tree")),
    IconExample("tabler/filled", USUAL, ("mdi", "fish"), Colouring("#f2f0e6", "#c8452f")),
)
EMOJI = (
    EmojiExample(12, ("1F420", "1F514", "1F34B", "1F382", "1F33B", "1F433"), "1F98B"),
    EmojiExample(7, ("1F98A", "1F333", "1F388", "1F353", "1F6B2", "1F381"), "1F335"),
    EmojiExample(11, ("1F697", "1F352", "1F680", "26F5", "1F41E", "1F332"), "1F344"),
)


def write(name: str, history: list[np.ndarray], reference: np.ndarray) -> None:
    folder = EXAMPLES_FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for place, picture in enumerate(history, 1):
        # Icons are called otherwise, so that the examples to train on stay as they are.
        kind = "icon" if name.startswith("icons") else "history"
        Image.fromarray(picture).save(folder / f"{kind}-{place}.png", optimize=True)
    Image.fromarray(reference).save(folder / "reference.png", optimize=True)


def icon(package: Package, styles: dict, style: str, meaning: str) -> np.ndarray:
    return rasterise(package.svg(styles[style]["set"], styles[style]["icons"][meaning]), SIZE)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    packages = ROOT / "build" / "packages"
    package, styles = Package(packages / "iconify-json"), read_manifest()["styles"]
    for number, example in enumerate(ICONS, 1):
        history = [icon(package, styles, example.style, meaning) for meaning in example.history]
        if example.colours is not None:
            history = [example.colours.paint(picture) for picture in history]
        write(f"icons-{number}", history, icon(package, styles, *example.reference))
    twemoji, noto = drawings(packages, "twemoji"), drawings(packages, "noto")
    programs = held_out_programs(1 + max(example.program for example in EMOJI))
    for number, example in enumerate(EMOJI, 1):
        history = [restyle(twemoji[code], programs[example.program], SIZE) for code in example.history]
        write(f"example-{number}", history, rasterise(noto[example.reference], SIZE))


if __name__ == "__main__":
    main()
