"""Train the network that scores drawn pictures: build/evaluator/evaluator.safetensors.

    python scripts/train_evaluator.py [--steps 1700] [--tokenizer build/train/base.safetensors]

It learns every picture there is, unseen styles and test pictures too, those of the icon matrix where it is built, and
where a model with a trained tokeniser exists also what the tokeniser makes of them. Resumes where it was stopped. Needs
about ten minutes of one core, and twice as many steps and minutes with icons.
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.optim.swa_utils import update_bn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.cases.icons import IconDomain  # noqa: E402
from drc.bench.judges.evaluator import Evaluator, EvaluatorConfig, disturbed, shrink  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.emoji import Emoji  # noqa: E402
from drc.data.icons import FILES  # noqa: E402
from drc.data.pictures import Pictures, emoji_part, restyled_part  # noqa: E402
from drc.data.splits import Splits, order  # noqa: E402
from drc.files import file_hash  # noqa: E402
from drc.pixels import from_pixels, to_pixels  # noqa: E402
from drc.tensor_file import write_safetensors  # noqa: E402
from drc.train.checkpoints import RunFolder  # noqa: E402
from drc.train.config import Schedule  # noqa: E402
from drc.train.loop import Trainer, plainly  # noqa: E402
from scripts.lib.bar import along  # noqa: E402

RESTYLED = ("test", "seen", "history", "known", "val", "val_history", "train")
TESTED = 4  # of these, what tests are made of
EVALUATED = 0.6  # share of a batch from what tests are made of: the emoji, the first four restyled sets, and icons
REBUILT = 0.5  # share of a batch's pictures, of those that have been through the tokeniser, that are shown so
BATCH = 64
SETTLING = 100  # batches that the statistics of the averaged weights are taken from

log = logging.getLogger("drc")


def all_pictures(data: Path) -> tuple[Pictures, int]:
    """Every picture, those that tests are made of first, and the number of these."""
    emoji, splits = Emoji(data), Splits.load()
    rows = [row for (_, code), row in emoji.rows.items() if code in splits.meaning_split]
    restyled = [restyled_part(data / "restyled" / name) for name in RESTYLED]
    icons = IconDomain.open(data).pictures.parts() if (data / "icons" / FILES[0]).is_file() else []
    parts = [emoji_part(emoji, rows), *restyled[:TESTED], *icons]
    return Pictures([*parts, *restyled[TESTED:]]), sum(len(records) for *_, records in parts)


def small(pictures: Pictures, size: int) -> np.ndarray:
    """All pictures in memory at the size that the evaluator reads: uint8 [pictures, size, size, 3]."""
    images = np.empty((len(pictures), size, size, 3), np.uint8)
    for rows in along(np.array_split(np.arange(len(pictures)), len(pictures) // 128), "batch", "shrink"):
        images[rows] = to_pixels(shrink(from_pixels(pictures.read(rows)), size))
    return images


@torch.no_grad()
def rebuild(
    pictures: Pictures, evaluated: int, count: int, size: int, model: Path, out: Path
) -> tuple[np.ndarray, np.ndarray]:
    """`count` of the first `evaluated` pictures, chosen by hash, after a model's tokeniser: rows, and small images."""
    path = out / f"rebuilt-{file_hash(model)[:16]}-{count}.npz"
    if not path.exists():
        names = [f"{record.style} {record.drawing}" for record in pictures.records[:evaluated]]
        rows = np.array(sorted(range(evaluated), key=lambda row: order(names[row]))[:count])
        tokenizer = load(model).lmm.vision.to(memory_format=torch.channels_last)
        images = np.empty((len(rows), size, size, 3), np.uint8)
        for chosen in along(np.array_split(np.arange(len(rows)), max(1, len(rows) // 32)), "batch", "rebuild"):
            batch = from_pixels(pictures.read(rows[chosen])).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                images[chosen] = to_pixels(shrink(tokenizer.decode(tokenizer.encode(batch)), size).float())
        np.savez(path, rows=rows, images=images)
    found = np.load(path)
    return found["rows"], found["images"]


def settled(trainer: Trainer, batches: Iterator[torch.Tensor]) -> dict[str, torch.Tensor]:
    """The averaged weights with the statistics of their own layers; those of the training are of other weights."""
    with trainer.averaged():
        update_bn(batches, trainer.inner)
        return {name: tensor.clone().contiguous() for name, tensor in trainer.inner.state_dict().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "evaluator")
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "build" / "train" / "base.safetensors")
    parser.add_argument("--rebuilt", type=int, default=9000, help="pictures to send through the tokeniser")
    parser.add_argument("--steps", type=int, default=1700)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    pictures, evaluated = all_pictures(options.data)
    styles = {name: index for index, name in enumerate(sorted({record.style for record in pictures.records}))}
    meanings = {name: index for index, name in enumerate(sorted({record.meaning for record in pictures.records}))}
    style = torch.tensor([styles[record.style] for record in pictures.records])
    meaning = torch.tensor([meanings[record.meaning] for record in pictures.records])
    evaluator = Evaluator(EvaluatorConfig(len(styles), len(meanings))).to(memory_format=torch.channels_last)
    schedule = Schedule(steps=options.steps, rate=2e-3, weight_decay=0.05, seed=options.seed)
    trainer = Trainer(evaluator, schedule, RunFolder(options.out))

    images = small(pictures, evaluator.config.size)
    rebuilt, position = images[:0], np.full(len(pictures), -1)
    if options.tokenizer.exists():
        size = evaluator.config.size
        rows, rebuilt = rebuild(pictures, evaluated, options.rebuilt, size, options.tokenizer, options.out)
        position[rows] = np.arange(len(rows))

    def batch(step):
        random = np.random.default_rng((options.seed, step))
        first = random.random(BATCH) < EVALUATED
        rows = np.where(first, random.integers(0, evaluated, BATCH), random.integers(evaluated, len(pictures), BATCH))
        chosen = images[rows]
        instead = (position[rows] >= 0) & (random.random(BATCH) < REBUILT)
        chosen[instead] = rebuilt[position[rows[instead]]]
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        return disturbed(from_pixels(chosen), generator), style[rows], meaning[rows]

    if not trainer.finished():
        trainer.run(plainly(evaluator, options.seed, lambda model, step: model.loss(*batch(step))))
    path = options.out / "evaluator.safetensors"
    tensors = settled(trainer, (batch(step)[0] for step in range(SETTLING)))
    write_safetensors(tensors, path, evaluator.metadata())
    log.info("%s: sha256 %s", path, file_hash(path))


if __name__ == "__main__":
    main()
