"""What *DRC Decode*'s sharp pictures are worth: 128 pixels made 512 in several ways, held against the drawing at 512.

    python scripts/bench_sharpness.py [--icons 5] [--emoji 3] [--meanings 4] [--sheet build/sharpness.png]
        [--large build/train/large-decoder.safetensors]     and a decoder of ours that draws 256 pixels from the codes

Icons and emoji of hands that no training saw, vectors all (build/packages, by scripts/fetch_packages.py and
scripts/convert_efficientnet.py). Each is enlarged as it is at 128 pixels, and as the tokeniser gives it back.

PSNR         in dB, the mean over pictures
edges        how far steepness is off within two pixels of true edges, as a share of what it is there: 0 is right
style        share of pictures whose own truth is nearest in style, among those of the same meaning
meaning      the same in meaning, among those of the same hand
             both by EfficientNet-Lite0, which looks at 512 pixels and at the same picture shrunk to 128
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.bench.judges.efficientnet import EfficientNetJudge, load_efficientnet  # noqa: E402
from drc.bench.judges.judge import Features  # noqa: E402
from drc.bench.report.html import encoded  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.splits import order  # noqa: E402
from drc.files import write_bytes  # noqa: E402
from drc.pixels import from_pixels, resized, to_pixels  # noqa: E402
from drc.plots.sheet import contact_sheet  # noqa: E402
from drc.sharpener import SCALE, load_sharpener  # noqa: E402
from scripts.bench_embedded import take_turns  # noqa: E402
from scripts.datasets.emoji.sources import drawings  # noqa: E402
from scripts.datasets.icons.matrix import read_manifest  # noqa: E402
from scripts.datasets.icons.package import Package  # noqa: E402
from scripts.datasets.raster import SIZE, rasterise  # noqa: E402
from scripts.lib.large_decoder import decode_large, load_large_decoder  # noqa: E402

UNSEEN_EMOJI = ("fxemoji", "symbola", "openmoji", "openmoji-black")
EDGE = 0.1  # least difference of grey between neighbours that is an edge
NEAR = 2  # pixels
ROUNDS = 5  # of timing

Way = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Drawing:
    hand: str
    meaning: str
    svg: str


def shared(hands: dict[str, dict[str, object]], count: int) -> list[str]:
    """Meanings that most of the hands draw, by hash where as many do."""
    names = {meaning for drawn in hands.values() for meaning in drawn}
    by_hands = {name: sum(name in drawn for drawn in hands.values()) for name in names}
    return sorted(names, key=lambda name: (-by_hands[name], order(name)))[:count]


def icons(package: Package, hands: int, meanings: int) -> list[Drawing]:
    """Of one style of each family, in the order of hashes."""
    styles = read_manifest()["styles"]
    unseen = sorted((name for name, row in styles.items() if row["unseen"]), key=order)
    families = {styles[name]["family"]: name for name in reversed(unseen)}
    chosen = {name: styles[name]["icons"] for name in sorted(families.values(), key=order)[:hands]}
    names = shared(chosen, meanings)
    return [
        Drawing(hand, name, package.svg(styles[hand]["set"], drawn[name]))
        for hand, drawn in chosen.items()
        for name in names
        if name in drawn
    ]


def emoji(packages: Path, hands: int, meanings: int) -> list[Drawing]:
    chosen = {hand: drawings(packages, hand) for hand in UNSEEN_EMOJI[:hands]}
    names = shared(chosen, meanings) if chosen else []
    return [Drawing(hand, name, drawn[name]) for hand, drawn in chosen.items() for name in names if name in drawn]


def enlarged(images: Tensor, method: Image.Resampling) -> Tensor:
    """By Pillow, as painting programs do it."""
    side = SCALE * SIZE
    return from_pixels([np.asarray(Image.fromarray(one).resize((side, side), method)) for one in to_pixels(images)])


def steepness(images: Tensor) -> Tensor:
    """[n, 3, H, W] -> [n, H, W]: how much grey changes from a pixel to the next."""
    grey = F.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")[:, 0]
    across, down = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2], grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    return torch.hypot(across, down) / 2


def psnr(images: Tensor, truth: Tensor) -> float:
    errors = (images - truth).square().mean(dim=(1, 2, 3)).clamp(min=1e-10)
    return (-10 * errors.log10()).mean().item()


def edge_error(images: Tensor, truth: Tensor) -> float:
    true = steepness(truth)
    near = F.max_pool2d((true > EDGE).float()[:, None], 2 * NEAR + 1, 1, NEAR)[:, 0]
    off = ((steepness(images) - true).abs() * near).sum(dim=(1, 2)) / (true * near).sum(dim=(1, 2)).clamp(min=1e-6)
    return off.mean().item()


def nearest(found: Tensor, truth: Tensor, rivals: Tensor) -> float:
    """Share of the pictures to which no rival [n, n] is as near as their own truth."""
    likeness = found @ truth.T
    return (likeness.masked_fill(~rivals, -2).amax(dim=1) < likeness.diagonal()).float().mean().item()


class Retrieval:
    """The judge at one size, and what it saw of the true pictures."""

    def __init__(self, packages: Path, pictures: list[Drawing], truth: Tensor):
        self.size, self.judge = truth.shape[-1], EfficientNetJudge(load_efficientnet(packages), truth)
        self.truth = self.see(truth)
        hands, meanings = (np.array([getattr(one, name) for one in pictures]) for name in ("hand", "meaning"))
        same_hand, same_meaning = (torch.from_numpy(names == names[:, None]) for names in (hands, meanings))
        self.rivals = {"style": same_meaning & ~same_hand, "meaning": same_hand & ~same_meaning}

    def see(self, images: Tensor) -> Features:
        seen = [self.judge(some) for some in images.split(16)]
        return Features(*(torch.cat([getattr(some, kind) for some in seen]) for kind in ("style", "meaning")))

    def __call__(self, images: Tensor) -> list[float]:
        """Style right, meaning right."""
        found = self.see(resized(images, self.size))
        return [nearest(getattr(found, kind), getattr(self.truth, kind), of) for kind, of in self.rivals.items()]


def table(
    given: dict[str, tuple[Tensor, dict[str, Way]]], truth: Tensor, judges: list[Retrieval], shown: list[int]
) -> dict[tuple[str, str], Tensor]:
    """Prints a row for each way to enlarge what is given; returns the pictures to be shown by both names."""
    heads = ["PSNR", "edges", *(f"{kind} at {judge.size}" for judge in judges for kind in judge.rivals)]
    print("| pixels | made 512 by |", " | ".join(heads), "|\n", "|---" * (2 + len(heads)), "|", sep="")
    made = {}
    for source, (images, ways) in given.items():
        for way, enlarge in ways.items():
            pictures = enlarge(images)
            made[source, way] = pictures[shown].clone()
            shares = [f"{100 * share:.0f} %" for judge in judges for share in judge(pictures)]
            numbers = f"{psnr(pictures, truth):.1f} | {edge_error(pictures, truth):.2f}"
            print(f"| {source} | {way} | {numbers} | {' | '.join(shares)} |", flush=True)
    return made


def sheet(truth: Tensor, made: dict[tuple[str, str], Tensor]) -> np.ndarray:
    """Pictures at their full size, the truth last."""
    columns = {f"{given}, {way}": pictures for (given, way), pictures in made.items()} | {"truth": truth}
    pictures = [[to_pixels(of[row]) for of in columns.values()] for row in range(len(truth))]
    return contact_sheet(pictures, list(columns), cell=truth.shape[-1])


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED, help="whose tokeniser")
    parser.add_argument("--large", type=Path, help="what scripts/train_large_decoder.py wrote")
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--icons", type=int, default=5, help="hands; one style of a family")
    parser.add_argument("--emoji", type=int, default=3, help=f"hands; the first of {', '.join(UNSEEN_EMOJI)}")
    parser.add_argument("--meanings", type=int, default=4)
    parser.add_argument("--sheet", type=Path, help="where to put a picture of some of them")
    options = parser.parse_args()
    pictures = icons(Package(options.packages / "iconify-json"), options.icons, options.meanings)
    pictures += emoji(options.packages, options.emoji, options.meanings)
    small, truth = (from_pixels([rasterise(one.svg, size) for one in pictures]) for size in (SIZE, SCALE * SIZE))
    lmm, sharpen = load(options.model).lmm, load_sharpener()
    codes = torch.cat([lmm.tokenize(some) for some in small.split(16)])
    decoded = torch.cat([lmm.detokenize(some) for some in codes.split(16)])
    judges = [Retrieval(options.packages, pictures, images) for images in (truth, small)]
    by_pixels = {
        "bicubic": lambda images: enlarged(images, Image.Resampling.BICUBIC),
        "Lanczos": lambda images: enlarged(images, Image.Resampling.LANCZOS),
    }
    ways = by_pixels | {"sharp": lambda images: torch.cat([sharpen(some) for some in images.split(4)])}
    given = {"128, as drawn": (small, ways), "128, through the tokeniser": (decoded, ways)}
    if options.large:
        decoder = load_large_decoder(options.large, lmm.vision)
        large = torch.cat([decode_large(decoder, lmm.vision, some) for some in codes.split(16)])
        given["256, through the tokeniser"] = large, by_pixels
    print(f"{len(pictures)} pictures of {len({one.hand for one in pictures})} hands\n")
    shown = list(range(0, len(pictures), max(1, len(pictures) // 10)))
    made = table(given, truth, judges, shown)
    some = codes[:4]
    times = take_turns({"decode": lambda: lmm.detokenize(some), "sharpen": lambda: sharpen(decoded[:4])}, ROUNDS)
    print(f"\nsharpening takes {times['sharpen'] / times['decode']:.1f} times what decoding takes")
    if options.sheet:
        coded = {way: pictures for way, pictures in made.items() if way[0] != "128, as drawn"}
        write_bytes(encoded(sheet(truth[shown], coded), "PNG"), options.sheet)


if __name__ == "__main__":
    main()
