"""What every part of the method is worth: trainings that differ in one thing each, and a table for the model card.

    python scripts/compare_ablations.py [--steps 1000] [--batch 16] [--seeds 1] [--only "as shipped,K = 8"]
        [--compile] [--card drc/weights/README.md]

Trains the embedded architecture, made narrower (`SMALL`), from nothing on the emoji benchmark (build/data,
build/train/base.safetensors; see scripts/train_embedded.sh) once for every variant and seed: stage 1 for a quarter of
the steps, stage 2 for the rest. The entangled model, which has no towers to prepare, learns stage 2 all the time. All
variants of DRC see the same batches: in the first 40 % of each stage they are twice as large, and the language model
reads a quarter of them. The entangled model reads every sample, of batches that are never doubled. All are validated on
the same cases. Every run resumes where it was stopped, and a finished one only gives its numbers. At last it prints the
command that judges what the models draw.
"""

import argparse
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.checkpoint import load, save  # noqa: E402
from drc.fusion import FusionConfig  # noqa: E402
from drc.lmm.mini.model import MiniConfig  # noqa: E402
from drc.model import DRC, About, DRCConfig  # noqa: E402
from drc.towers import TowerConfig  # noqa: E402
from drc.train.checkpoints import WEIGHTS, RunFolder  # noqa: E402
from drc.train.config import PRECISIONS, Schedule  # noqa: E402
from drc.train.data.training_data import TrainingData  # noqa: E402
from drc.train.machine.processes import OneProcess  # noqa: E402
from drc.train.objectives.entangled import EntangledDRC  # noqa: E402
from drc.train.objectives.stages import Objective  # noqa: E402
from drc.train.run import Hooks, to_device, train  # noqa: E402
from scripts.lib.card import replace_block, table  # noqa: E402
from scripts.lib.entangled import emoji_data, entangled, is_complete, learn_entangled  # noqa: E402
from scripts.lib.recipes import recipe, settings_of  # noqa: E402

SMALL = DRCConfig(
    MiniConfig(width=96, feed_forward=256, layers=2),
    TowerConfig(width=96, feed_forward=192),
    FusionConfig(width=96, heads=4, feed_forward=384, layers=2),
)
COLUMNS = {
    f"{cases}_blind_{what}": f"{cases}, {head}"
    for cases in ("procedural", "vendor")
    for what, head in (("right", "loss"), ("wrong_reference", "meaning counts"), ("wrong_history", "style counts"))
} | {"minutes": "minutes"}


def one_tower(module: nn.Module, device: torch.device, memory: int) -> None:
    """On the way to the device the towers of a model that is to learn become one; its files hold that twice."""
    if isinstance(module, Objective):
        disentangler = module.drc.disentangler
        for name, layer in disentangler.style_tower.named_children():
            setattr(disentangler.semantic_tower, name, layer)
    to_device(module, device, memory)


@dataclass(frozen=True)
class Variant:
    """What is not as shipped: sizes, settings of both stages, and how the model comes to its device."""

    config: DRCConfig = SMALL
    training: dict = field(default_factory=dict)
    place: Callable[[nn.Module, torch.device, int], None] = to_device


ENTANGLED = "entangled"
VARIANTS = {
    "as shipped": Variant(),
    "uniform sampling": Variant(training={"sampling": "uniform"}),
    "static sampling": Variant(training={"sampling": "static"}),
    "no augmentations": Variant(training={"second_view": 0.0, "mirrored": False}),
    "no semantic mask": Variant(training={"mask": 0.0}),
    "query residual": Variant(replace(SMALL, tower=replace(SMALL.tower, query_residual=True))),
    "one tower": Variant(place=one_tower),
    **{
        f"K = {count}": Variant(replace(SMALL, fusion=replace(SMALL.fusion, instructions=count)))
        for count in (1, 8, 16, 32)
    },
    ENTANGLED: Variant(),
}


def slug(name: str) -> str:
    return name.replace(" = ", "-").replace(" ", "-")


def run_of(options: argparse.Namespace, name: str, seed: int, stage: int = 2) -> RunFolder:
    return RunFolder(options.out / slug(name) / f"seed-{seed}" / f"stage{stage}")


def warm_up(steps: int) -> int:
    return max(1, min(100, steps // 10))


def base_of(options: argparse.Namespace, name: str) -> Path:
    """A narrow model, not trained, with tokeniser and words of the embedded one."""
    path = options.out / slug(name) / "base.safetensors"
    if not path.exists():
        base, config = load(options.train / "base.safetensors"), VARIANTS[name].config
        sizes = replace(config, lmm=replace(config.lmm, vision=base.config.lmm.vision))
        small = DRC(sizes, base.words, about=About(stage=0, licence=base.about.licence))
        small.lmm.vision = base.lmm.vision
        path.parent.mkdir(parents=True, exist_ok=True)
        save(small, path)
    return path


def train_variant(options: argparse.Namespace, name: str, seed: int) -> None:
    steps = options.steps // 4
    train_stage(options, name, seed, 1, steps, base_of(options, name))
    train_stage(options, name, seed, 2, options.steps - steps, run_of(options, name, seed, stage=1).last(WEIGHTS))


def train_stage(options: argparse.Namespace, name: str, seed: int, stage: int, steps: int, start: Path) -> None:
    run, variant = run_of(options, name, seed, stage), VARIANTS[name]
    if is_complete(run, steps):
        return
    settings = {
        "steps": steps,
        "batch": options.batch,
        "seed": seed,
        "warm_up": warm_up(steps),
        "save_every": 100,
        "validate_every": steps,
        "precision": options.precision,
        "compile": options.compile,
    }
    data = {"folder": str(options.data), "pair_seed": seed}
    config = settings_of(f"stage{stage}", data, {"file": str(start)}, settings | variant.training)
    train(config, run.folder, options.train / "cache", hooks=Hooks(place=variant.place))


def train_entangled(options: argparse.Namespace, seed: int) -> None:
    steps, run, of = options.steps, run_of(options, ENTANGLED, seed), recipe("stage2")
    rate, own_share = of["training"]["rate"], of["data"]["own_share"]
    schedule = Schedule(steps, rate, warm_up(steps), seed=seed, save_every=100, validate_every=steps)

    def begin() -> tuple[EntangledDRC, TrainingData]:
        base = load(base_of(options, ENTANGLED))
        return entangled(base, seed=seed), emoji_data(options.data, base, own_share, seed)

    learn_entangled(options, begin, run, options.train / "cache", schedule, OneProcess())


def numbers_of(options: argparse.Namespace, name: str, seed: int) -> dict[str, float]:
    """The last validation of a variant's stage 2, and the minutes of all its training."""
    logs = [run_of(options, name, seed, stage).read_log() for stage in ((2,) if name == ENTANGLED else (1, 2))]
    validation = next(row for row in reversed(logs[-1]) if "validation_loss" in row)
    return validation | {"minutes": sum(max(row["seconds"] for row in log) for log in logs) / 60}


def ablations(options: argparse.Namespace) -> str:
    """Trains what is not trained; the table, in nats per code, as mean (standard deviation) over several seeds."""
    lines = table([f"{options.steps} steps of {options.batch}", *COLUMNS.values()])
    for name in options.only:
        for seed in range(options.seeds):
            if name == ENTANGLED:
                train_entangled(options, seed)
            else:
                train_variant(options, name, seed)
        runs = [numbers_of(options, name, seed) for seed in range(options.seeds)]
        cells = [cell([run[column] for run in runs], 1 if column == "minutes" else 3) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: list[float], digits: int) -> str:
    spread = f" ({np.std(values, ddof=1):.{digits}f})" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def bench_command(options: argparse.Namespace) -> str:
    """Judges what the models of the first seed draw."""
    models = " ".join(f"--model {slug(name)}={run_of(options, name, 0).folder}" for name in options.only)
    settings = f"--domain emoji --tests P3,T1 --histories 8 --judges evaluator --out {options.out / 'bench'}"
    return f"python -m drc.bench run {models} {settings}"


def variants(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is no variant; choose out of {', '.join(VARIANTS)}")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--train", type=Path, default=ROOT / "build" / "train", help="base.safetensors and the cache")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "ablations")
    parser.add_argument("--steps", type=int, default=1000, help="of both stages together")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", type=variants, default=list(VARIANTS), metavar="VARIANT,...", help="all if left out")
    parser.add_argument("--compile", action="store_true", help="fuse the losses; needs a C++ compiler")
    parser.add_argument("--precision", choices=PRECISIONS, default="automatic")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--card", type=Path, help="model card whose table is replaced")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    found = ablations(options)
    sys.stdout.write(f"{found}\n\n{bench_command(options)}\n")
    if options.card:
        replace_block(options.card, "ablations", found)


if __name__ == "__main__":
    main()
