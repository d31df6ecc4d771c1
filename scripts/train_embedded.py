"""One step of building the embedded model; scripts/train_embedded.sh runs them in order.

    python scripts/train_embedded.py tokenizer|encode|stage1|stage2|export [--steps N] [--device cpu|cuda] ...

Every step resumes where it was stopped and does nothing when it is complete.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.pictures import training_pictures  # noqa: E402
from drc.lmm.mini.tokenizer import TokenizerConfig, VisualTokenizer  # noqa: E402
from drc.train.loop import Schedule, Trainer, part  # noqa: E402
from drc.train.tokenizer import TokenizerObjective, as_images  # noqa: E402

VENDOR_SHARE = 0.25  # of real emoji among the tokeniser's pictures


def train_tokenizer(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    pictures = training_pictures(options.data)
    vendor_rows = pictures.starts[1]
    tokenizer = VisualTokenizer(TokenizerConfig()).to(options.device, memory_format=torch.channels_last)
    objective = TokenizerObjective(tokenizer, options.steps).to(options.device)
    schedule = Schedule(steps=options.steps, rate=1e-3, weight_decay=0.0, seed=options.seed)
    trainer = Trainer(objective, schedule, options.out / "tokenizer")

    def batch_loss(model, step):
        random = np.random.default_rng((options.seed, step))
        vendor = random.random(options.batch) < VENDOR_SHARE
        rows = np.where(
            vendor, random.integers(0, vendor_rows, options.batch), random.integers(vendor_rows, len(pictures), options.batch)
        )
        images = as_images(pictures.read(rows), options.device)
        mirrored = torch.from_numpy(random.random(options.batch) < 0.5).to(images.device)
        return model(torch.where(mirrored[:, None, None, None], images.flip(3), images), step)

    trainer.run(batch_loss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("tokenizer",))
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "train")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    {"tokenizer": train_tokenizer}[options.part](options)


if __name__ == "__main__":
    main()
