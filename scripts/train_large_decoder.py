"""A decoder that draws 256 pixels from the codes of the model that ships, learned from the icon matrix.

    python scripts/train_large_decoder.py [--steps 1200] [--out build/train]

Encoder and codebook stay as they are. Every picture is drawn anew from its vectors at twice the size; the codes are
those of the picture at its own size. Writes large-decoder.safetensors, which scripts/bench_sharpness.py --large
measures and which does not ship. Goes on where it was stopped.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.icons import IconCell, Icons  # noqa: E402
from drc.pixels import from_pixels  # noqa: E402
from drc.tensor_file import write_safetensors  # noqa: E402
from drc.train.checkpoints import RunFolder  # noqa: E402
from drc.train.config import Schedule  # noqa: E402
from drc.train.data.codes import CodeCache  # noqa: E402
from drc.train.data.icons import IconPictures, icon_parts  # noqa: E402
from drc.train.loop import Trainer, plainly  # noqa: E402
from scripts.datasets.icons.matrix import drawings, read_manifest  # noqa: E402
from scripts.datasets.icons.package import Package  # noqa: E402
from scripts.datasets.raster import rasterise  # noqa: E402
from scripts.lib.decoder import DecoderObjective  # noqa: E402
from scripts.lib.large_decoder import LargeDecoder  # noqa: E402
from scripts.lib.perceptual import PerceptualDistance  # noqa: E402

NAME = "large-decoder"


class LargePictures:
    """The pictures of a training on icons at twice their size, drawn when they are read."""

    def __init__(self, pictures: IconPictures, texts: dict[IconCell, str]):
        self.pictures, self.texts = pictures, texts

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [len(rows), 2 size, 2 size, 3]."""
        icons, found = self.pictures.icons, []
        for row in rows:
            picture = rasterise(self.texts[icons.cells[self.pictures.cell[row]]], 2 * icons.size)
            colouring = self.pictures.users[self.pictures.user[row]].colouring
            found.append(picture if colouring is None else colouring.paint(picture))
        return np.stack(found)


def train(options: argparse.Namespace) -> None:
    """Leaves the averaged weights in the folder `out`."""
    icons, vision = Icons(options.data / "icons"), load(options.weights).lmm.vision
    pictures, index, _ = icon_parts(icons, aligned=0.5, seed=options.seed)
    codes = CodeCache(options.out / "cache", vision).codes(pictures, torch.device("cpu"))
    plan = drawings(Package(options.packages / "iconify-json"), read_manifest())
    large = LargePictures(pictures, {cell: text for _, cells in plan for cell, text in cells.items()})
    look = PerceptualDistance(options.packages).to(memory_format=torch.channels_last)
    decoder = LargeDecoder(vision.decoder).to(memory_format=torch.channels_last)
    objective = DecoderObjective(vision, look, decoder)
    schedule = Schedule(options.steps, 3e-4, weight_decay=0.0, seed=options.seed, save_every=options.save_every)
    trainer = Trainer(objective, schedule, RunFolder(options.out / NAME))

    def batch_loss(model, step):
        rows = index.targets(np.random.default_rng((options.seed, step)), options.batch, 1.0)
        images = from_pixels(large.read(rows)).contiguous(memory_format=torch.channels_last)
        return model(codes[torch.from_numpy(rows), 0].long(), images)

    if not trainer.finished():
        trainer.run(plainly(objective, options.seed, batch_loss))
    with trainer.averaged():
        write_safetensors(decoder.state_dict(), options.out / f"{NAME}.safetensors", {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "train")
    parser.add_argument("--weights", type=Path, default=EMBEDDED)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=100, help="steps between two checkpoints")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(options)


if __name__ == "__main__":
    main()
