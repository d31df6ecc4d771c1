"""Stage 1 under each way to draw the four combinations, at equal steps: a table for the model card.

    python scripts/compare_sampling.py [--steps 150] [--batch 8] [--seeds 3] [--card drc/weights/README.md]

Trains the embedded architecture, made narrower (`SMALL`) so that nine trainings take half an hour of a CPU, from
nothing on the emoji benchmark (build/data, build/train/base.safetensors; see scripts/train_embedded.sh) once for every
way and seed, and compares losses and scores on the validation cells, which are the same for all. Every run resumes
where it was stopped.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.checkpoint import load, save  # noqa: E402
from drc.fusion import FusionConfig  # noqa: E402
from drc.lmm.mini.model import MiniConfig  # noqa: E402
from drc.model import DRC, DRCConfig  # noqa: E402
from drc.towers import TowerConfig  # noqa: E402
from drc.train.checkpoints import RunFolder  # noqa: E402
from drc.train.config import Config, DataConfig, ModelConfig, TrainingConfig  # noqa: E402
from drc.train.importance import SAMPLINGS  # noqa: E402
from drc.train.run import train  # noqa: E402
from scripts.lib.card import replace_block  # noqa: E402

COLUMNS = {
    "validation_loss": "loss",
    "procedural_loss": "procedural",
    "vendor_loss": "vendor",
    "style_score": "style counts",
    "semantic_score": "meaning counts",
}


SMALL = DRCConfig(
    MiniConfig(width=96, feed_forward=256, layers=2),
    TowerConfig(width=96, feed_forward=192),
    FusionConfig(width=96, heads=4, feed_forward=384, layers=2),
)


def small_base(options: argparse.Namespace) -> Path:
    """A narrow model, not trained, with tokeniser and words of the embedded one."""
    path = options.out / "base.safetensors"
    if not path.exists():
        base = load(options.train / "base.safetensors")
        small = DRC(SMALL, base.words)
        small.lmm.vision = base.lmm.vision
        small.stage, small.licence = 0, base.licence
        save(small, path)
    return path


def final_numbers(options: argparse.Namespace, sampling: str, seed: int) -> dict[str, float]:
    """The last validation of a run, which is trained first as far as it is not."""
    folder = options.out / f"{sampling}-{seed}"
    if max(RunFolder(folder).steps(), default=0) < options.steps:
        training = TrainingConfig(
            stage=1,
            steps=options.steps,
            batch=options.batch,
            warm_up=options.steps // 10,
            sampling=sampling,
            sampling_warm_up=options.steps // 10,
            all_blank=0.5,
            some_blank=0.3,
            seed=seed,
            save_every=50,
            validate_every=options.steps,
            samples=0,
        )
        data = DataConfig(source="emoji benchmark", folder=str(options.data), own_share=0.2)
        config = Config(data, ModelConfig(file=str(small_base(options)), start="from nothing"), training)
        train(config, folder, options.train / "cache")
    return next(row for row in reversed(RunFolder(folder).read_log()) if "validation_loss" in row)


def table(options: argparse.Namespace) -> str:
    lines = [f"| sampling | {' | '.join(COLUMNS.values())} |", f"|---|{'---|' * len(COLUMNS)}"]
    for sampling in SAMPLINGS:
        runs = [final_numbers(options, sampling, seed) for seed in range(options.seeds)]
        cells = [[run[name] for run in runs] for name in COLUMNS]
        lines.append(
            f"| {sampling} | {' | '.join(f'{np.mean(cell):.3f} ({np.std(cell, ddof=1):.3f})' for cell in cells)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--train", type=Path, default=ROOT / "build" / "train", help="base.safetensors and the cache")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sampling")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--card", type=Path, help="model card whose table is replaced")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    found = table(options)
    sys.stdout.write(f"{found}\n")
    if options.card:
        replace_block(options.card, "sampling", found)


if __name__ == "__main__":
    main()
