"""What locking colours and tracing do to drawn icons: the benchmark's verdicts on PNG as drawn, locked, and as SVG.

    python scripts/bench_svg.py [--limit 32] [--tests I3,I4] [--model embedded] [--out build/bench/svg]

The same drawings, of hands that no training saw, go three ways: as they were decoded; made sharp and locked to the
colours of their history; and traced from those, drawn again by resvg. All are judged at 128 pixels. The folder --out
gets the report of `python -m drc.bench` and the SVG files; what these are like is printed below the numbers. A run that
was stopped goes on, so after a change of the code give another folder. It needs what the benchmark needs, and vtracer.
"""

import argparse
import contextlib
import io
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import resvg_py
import torch
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bar import Bar  # noqa: E402
from drc.bench.config import BenchConfig  # noqa: E402
from drc.bench.models import LMMModel, open_models  # noqa: E402
from drc.bench.report.summary import in_words  # noqa: E402
from drc.bench.run import run  # noqa: E402
from drc.complete import svg  # noqa: E402
from drc.complete.palette import lock, palette_of  # noqa: E402
from drc.complete.settings import FULL  # noqa: E402
from drc.complete.sizes import full_size, on_ground  # noqa: E402
from drc.data.palette import pixels_of_oklab  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from drc.pixels import from_pixels, resized, to_image, to_pixels  # noqa: E402
from drc.sharpener import load_sharpener  # noqa: E402

MOST_BYTES, MOST_SHAPES = 8192, 40  # of a typical icon in two colours


class Drawings:
    """What a model draws, each case once, however many ways it goes."""

    def __init__(self, model: LMMModel):
        self.model, self.pictures, self.sharpen = model, {}, load_sharpener()

    def drawn(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        key = tuple(seeds)
        if key not in self.pictures:
            self.pictures[key] = self.model.draw(history, reference, words, seeds)
        return self.pictures[key]

    def locked(self, image: Tensor, history: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """A picture [3, S, S] -> uint8 [FULL, FULL, 4], and the ground uint8 [3]."""
        palette = palette_of(to_pixels(history))
        whole = full_size(to_image(image[None])[0], self.sharpen, "a drawing")
        return lock(whole[None], palette)[0], pixels_of_oklab(palette.colours[0])


class Way:
    """One way, for the benchmark a model."""

    def __init__(self, name: str, drawings: Drawings):
        self.drawings, self.lmm, self.digest = drawings, drawings.model.lmm, drawings.model.digest
        self.key = f"{drawings.model.key}, {name}" if name else drawings.model.key

    @torch.inference_mode()
    def draw(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        drawn = self.drawings.drawn(history, reference, words, seeds)
        ended = [self.end(*one) for one in zip(drawn, history, seeds, strict=True)]
        return torch.stack(ended)

    def end(self, drawn: Tensor, history: Tensor, seed: int) -> Tensor:
        """A picture [3, S, S] and its history [n, 3, S, S] -> [3, S, S]."""
        return drawn


class Locked(Way):
    def end(self, drawn: Tensor, history: Tensor, seed: int) -> Tensor:
        return self.small(on_ground(*self.drawings.locked(drawn, history)), drawn)

    def small(self, picture: np.ndarray, drawn: Tensor) -> Tensor:
        return resized(from_pixels(picture[None]), drawn.shape[-1])[0]


class Traced(Locked):
    """Keeps the files in a folder, and why a drawing has none; such are judged as they were locked."""

    def __init__(self, name: str, drawings: Drawings, folder: Path):
        super().__init__(name, drawings)
        self.folder = folder

    def end(self, drawn: Tensor, history: Tensor, seed: int) -> Tensor:
        locked, ground = self.drawings.locked(drawn, history)
        try:
            text = svg.trace(locked, ground=ground)
        except ValueError as error:
            write_bytes(str(error).encode(), self.folder / f"{seed}.txt")
            return self.small(on_ground(locked, ground), drawn)
        write_bytes(text.encode(), self.folder / f"{seed}.svg")
        png = resvg_py.svg_to_bytes(svg_string=text, width=FULL, height=FULL)
        return self.small(np.array(Image.open(io.BytesIO(bytes(png))).convert("RGB")), drawn)


def of_files(folder: Path) -> str:
    """A line for the icons of each number of colours, the ground among them, which lies in each file."""
    heads = "Colours", "Icons", "kB, median", "kB, most", "Shapes, median", "Shapes, most", "Within the aim"
    lines, by_colours = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"], defaultdict(list)
    for text in (path.read_text() for path in sorted(folder.glob("*.svg"))):
        by_colours[text.count("<path")].append((len(text), text.count("M")))
    for colours, found in sorted(by_colours.items()):
        sizes, shapes = np.array(found).T
        within = np.mean((sizes < MOST_BYTES) & (shapes < MOST_SHAPES))
        numbers = np.median(sizes) / 1024, sizes.max() / 1024, np.median(shapes), shapes.max()
        row = " | ".join(f"{number:.3g}" for number in numbers)
        lines.append(f"| {colours} | {len(found)} | {row} | {100 * within:.0f} % |")
    return "\n".join([*lines, f"\n{len(list(folder.glob('*.txt')))} drawings had too many shapes for a file"])


def main() -> None:
    defaults = BenchConfig()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--tests", default="I3,I4", help="of the domain of icons: those of unseen hands")
    parser.add_argument("--limit", type=int, default=32, help="cases of a test")
    for name in ("data", "packages", "evaluator", "cache"):
        parser.add_argument(f"--{name}", type=Path, default=getattr(defaults, name))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "svg")
    options = parser.parse_args()
    paths = {name: getattr(options, name) for name in ("data", "packages", "evaluator", "cache", "out")}
    config = BenchConfig(
        models={"as drawn": options.model},
        domain="icons",
        tests=tuple(options.tests.split(",")),
        histories=("8",),
        limit=options.limit,
        **paths,
    )
    drawings = Drawings(open_models(config.models, config.dials.strengths, config.sampling)["as drawn"])
    traced = Traced("locked, traced and drawn again", drawings, options.out / "svg")
    ways = {"as drawn": Way("", drawings), "locked": Locked("locked", drawings), "SVG": traced}
    with contextlib.closing(Bar()) as bar:
        report = run(config, bar, models=ways)
    print(in_words(report.results, report.numbers), "", of_files(traced.folder), sep="\n")


if __name__ == "__main__":
    main()
