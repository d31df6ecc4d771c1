"""Draws the pictures of Example Pictures: nodes/examples/example-*/history-*.png and reference.png.

A history is one procedural style that no model was trained on, over drawings of one vendor; the reference is another
drawing, which no model was trained on either, in its vendor's own style.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.datasets.emoji.sources import drawings  # noqa: E402
from scripts.datasets.raster import rasterise  # noqa: E402
from scripts.datasets.restyled.program import held_out_programs  # noqa: E402
from scripts.datasets.restyled.restyle import restyle  # noqa: E402

SIZE = 256


@dataclass(frozen=True)
class Example:
    program: int  # number among the held-out programs
    history: tuple[str, ...]  # code points of training drawings of Twemoji
    reference: str  # code point of a test drawing of Noto Emoji


EXAMPLES = (
    Example(12, ("1F420", "1F514", "1F34B", "1F382", "1F33B", "1F433"), "1F98B"),
    Example(7, ("1F98A", "1F333", "1F388", "1F353", "1F6B2", "1F381"), "1F335"),
    Example(11, ("1F697", "1F352", "1F680", "26F5", "1F41E", "1F332"), "1F344"),
)


def main() -> None:
    packages = ROOT / "build" / "packages"
    twemoji, noto = drawings(packages, "twemoji"), drawings(packages, "noto")
    programs = held_out_programs(1 + max(example.program for example in EXAMPLES))
    for number, example in enumerate(EXAMPLES, 1):
        folder = ROOT / "nodes" / "examples" / f"example-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        for place, code in enumerate(example.history, 1):
            picture = restyle(twemoji[code], programs[example.program], SIZE)
            Image.fromarray(picture).save(folder / f"history-{place}.png", optimize=True)
        Image.fromarray(rasterise(noto[example.reference], SIZE)).save(folder / "reference.png", optimize=True)


if __name__ == "__main__":
    main()
