"""One step of building the embedded model; scripts/train_embedded.sh runs them in order.

    python scripts/train_embedded.py tokenizer|stage1|stage2|further|icons|decoder|export [--steps N] ...
    python scripts/train_embedded.py entangled|entangled-icons [--steps N] ...      what it is compared with

Every step resumes where it was stopped and does nothing when it is complete. The settings of stages are those of
scripts/recipes, but for what is given here.
"""

import argparse
import dataclasses
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.checkpoint import load, save  # noqa: E402
from drc.data.built import EmojiBenchmark, IconMatrix  # noqa: E402
from drc.data.emoji import Emoji  # noqa: E402
from drc.data.pictures import training_pictures  # noqa: E402
from drc.data.wordings import meaning_texts, words_read  # noqa: E402
from drc.files import file_chunks, file_hash, write_chunks  # noqa: E402
from drc.lmm.mini.text import train_words  # noqa: E402
from drc.lmm.mini.tokenizer import VisualTokenizer  # noqa: E402
from drc.model import DRC, About, DRCConfig  # noqa: E402
from drc.pixels import from_pixels  # noqa: E402
from drc.train.checkpoints import WEIGHTS, RunFolder, part  # noqa: E402
from drc.train.config import PRECISIONS, Schedule  # noqa: E402
from drc.train.data.codes import CodeCache  # noqa: E402
from drc.train.data.training_data import TrainingData  # noqa: E402
from drc.train.loop import Trainer, plainly  # noqa: E402
from drc.train.machine.prefetch import prefetch  # noqa: E402
from drc.train.machine.processes import OneProcess  # noqa: E402
from drc.train.objectives.entangled import EntangledDRC  # noqa: E402
from drc.train.objectives.tokenizer import TokenizerObjective  # noqa: E402
from drc.train.run import train  # noqa: E402
from scripts.lib.bounds import at_least, fraction  # noqa: E402
from scripts.lib.decoder import DecoderObjective  # noqa: E402
from scripts.lib.deeper import deeper  # noqa: E402
from scripts.lib.entangled import emoji_data, entangled, is_complete, learn_entangled  # noqa: E402
from scripts.lib.icon_mixture import mixture  # noqa: E402
from scripts.lib.perceptual import PerceptualDistance  # noqa: E402
from scripts.lib.recipes import recipe, settings_of  # noqa: E402

VENDOR_SHARE = recipe("stage2")["data"]["own_share"]  # real emoji among the pictures; the rest are procedural styles
LICENCE = "CC-BY-4.0"
CONFIG = DRCConfig()

log = logging.getLogger("drc")


def train_tokenizer(options: argparse.Namespace) -> None:
    """base.safetensors: a model whose towers were never trained; with --shipped-tokenizer its tokeniser is that of the
    weights that ship, so that pictures keep their codes, else it is trained from nothing."""
    words = train_words(
        (text for texts in meaning_texts(Emoji(options.data).meanings).values() for text in texts), CONFIG.lmm.words
    )
    torch.manual_seed(options.seed)
    drc = DRC(CONFIG, words, about=About(stage=0, licence=LICENCE))
    if options.shipped_tokenizer:
        drc.lmm.vision = load(options.weights).lmm.vision
    else:
        drc.lmm.vision.load_state_dict(train_vision(options))
    save(drc, options.out / "base.safetensors")


def train_vision(options: argparse.Namespace) -> dict[str, torch.Tensor]:
    """The averaged weights of the visual tokeniser."""
    torch.manual_seed(options.seed)
    pictures = training_pictures(options.data)
    vendor_rows = pictures.starts[1]
    tokenizer = VisualTokenizer(CONFIG.lmm.vision).to(options.device, memory_format=torch.channels_last)
    look = PerceptualDistance(options.packages).to(memory_format=torch.channels_last)
    objective = TokenizerObjective(tokenizer, options.steps, look).to(options.device)
    schedule = Schedule(
        steps=options.steps, rate=1e-3, weight_decay=0.0, seed=options.seed, save_every=options.save_every
    )
    trainer = Trainer(objective, schedule, RunFolder(options.out / "tokenizer"))

    def draw(step):
        random = np.random.default_rng((options.seed, step))
        vendor = random.random(options.batch) < VENDOR_SHARE
        rows = np.where(
            vendor,
            random.integers(0, vendor_rows, options.batch),
            random.integers(vendor_rows, len(pictures), options.batch),
        )
        return pictures.read(rows), torch.from_numpy(random.random(options.batch) < 0.5)

    drawn = prefetch(draw, options.device)

    def batch_loss(model, step):
        pixels, mirrored = drawn(step)
        images = from_pixels(pixels, options.device)
        mirrored = mirrored.to(images.device)[:, None, None, None]
        return model(torch.where(mirrored, images.flip(3), images), step)

    if not trainer.finished():
        trainer.run(plainly(objective, options.seed, batch_loss))
    return {name: tensor.cpu() for name, tensor in part(trainer.average, "tokenizer.").items()}


def train_stage1(options: argparse.Namespace) -> None:
    train_stage(options, "stage1", "stage1", options.out / "base.safetensors")


def train_stage2(options: argparse.Namespace) -> None:
    train_stage(options, "stage2", "stage2", RunFolder(options.out / "stage1").last(WEIGHTS))


def train_further(options: argparse.Namespace) -> None:
    """Stage 2 on from the weights that ship; the auxiliary head, which does not ship, begins anew.

    A copy of them is kept in --out, as `export` writes over them and the run could not go on afterwards.
    """
    start = options.out / "further-start.safetensors"
    if not is_complete(RunFolder(options.out / "further"), options.steps) and not start.exists():
        write_chunks(file_chunks(options.weights), start)
    train_stage(options, "further", "further", start)


def train_icons(options: argparse.Namespace) -> None:
    """Stage 2 on the icon matrix and the emoji benchmark, on from the weights that ship, made deeper with --layers and
    --fusion-layers; what is new adds nothing at first. With --anew towers and fusion begin as untrained ones do; with
    --stage1-steps they learn stage 1 on the same first."""
    start = options.out / "icons-start.safetensors"
    if start.exists():
        require_layers(start, options)
    elif not is_complete(RunFolder(options.out / "icons"), options.steps):
        base = deeper(load(options.weights), options.layers, options.fusion_layers)
        if options.anew:
            torch.manual_seed(options.seed)
            base.disentangler.initialise(base.lmm.embedding_scale())
        save(base, start)
    dataset = mixture(options.data, options.icon_share, VENDOR_SHARE, options.aligned, options.seed)
    if options.stage1_steps:
        train_stage(options, "icons-stage1", "stage1-further", start, dataset, steps=options.stage1_steps)
        start = RunFolder(options.out / "icons-stage1").last(WEIGHTS)
    train_stage(options, "icons", "further", start, dataset)


def require_layers(start: Path, options: argparse.Namespace) -> None:
    """ValueError where a run was begun with others than the options say."""
    config = load(start).config
    if (config.lmm.layers, config.fusion.layers) != (options.layers, options.fusion_layers):
        raise ValueError(
            f"{start} has {config.lmm.layers} and {config.fusion.layers} layers, but --layers is {options.layers} and "
            f"--fusion-layers {options.fusion_layers}; say the same as when it began, or give another --out"
        )


def train_decoder(options: argparse.Namespace) -> None:
    """The decoder of the tokeniser on from the weights that ship, over the pictures and codes that `icons` learns from.

    All else in them, and every code, stays as it was."""
    drc, run = load(options.weights), RunFolder(options.out / "decoder")
    data = mixture(options.data, options.icon_share, VENDOR_SHARE, options.aligned, options.seed)(drc)
    codes = CodeCache(options.out / "cache", drc.lmm.vision).codes(data.pictures, options.device)
    look = PerceptualDistance(options.packages).to(memory_format=torch.channels_last)
    tokenizer = drc.lmm.vision.to(memory_format=torch.channels_last)
    objective = DecoderObjective(tokenizer, look).to(options.device)
    schedule = Schedule(options.steps, 2e-4, weight_decay=0.0, seed=options.seed, save_every=options.save_every)
    trainer = Trainer(objective, schedule, run)
    share = data.train

    def batch_loss(model, step):
        random = np.random.default_rng((options.seed, step))
        rows = share.rows[share.index.targets(random, options.batch, share.own_share)]
        mirrored = torch.from_numpy(random.random(options.batch) < 0.5).to(options.device)
        images = from_pixels(data.pictures.read(rows), options.device)
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        return model(codes[rows].to(options.device)[torch.arange(options.batch), mirrored.long()].long(), images)

    if not trainer.finished():
        trainer.run(plainly(objective, options.seed, batch_loss))
    with trainer.averaged():
        save(drc, run.last(WEIGHTS))


def train_stage(options: argparse.Namespace, name: str, by: str, start: Path, dataset=None, steps: int = 0) -> None:
    """Trains what lies in `start` by a recipe, `steps` where they are not those of the options; `name` is that of the
    run."""
    run, steps = RunFolder(options.out / name), steps or options.steps
    if is_complete(run, steps):
        return
    given = ("batch", "seed", "save_every", "precision", "compile", "micro_batch")
    data, model = {"folder": str(options.data), "pair_seed": options.seed}, {"file": str(start)}
    config = settings_of(by, data, model, {"steps": steps} | {setting: getattr(options, setting) for setting in given})
    cache, processes = options.out / "cache", OneProcess(options.device)
    train(config, run.folder, cache, processes, dataset=dataset)


def train_entangled(options: argparse.Namespace) -> None:
    """The entangled model from nothing on the emoji benchmark."""

    def begin() -> tuple[EntangledDRC, TrainingData]:
        base = load(options.out / "base.safetensors")
        data = emoji_data(options.data, base, VENDOR_SHARE, options.seed)
        return entangled(base, seed=options.seed), data

    train_comparison(options, "entangled", begin, recipe("stage2")["training"]["rate"])


def train_entangled_icons(options: argparse.Namespace) -> None:
    """The entangled model on what `icons` learns from, its language model on from that of the weights that ship: what
    `icons --anew` is to be compared with."""

    def begin() -> tuple[EntangledDRC, TrainingData]:
        base = deeper(load(options.weights), options.layers, options.fusion_layers)
        data = mixture(options.data, options.icon_share, VENDOR_SHARE, options.aligned, options.seed)(base)
        return entangled(base, trained=True, seed=options.seed), data

    train_comparison(options, "entangled-icons", begin, recipe("further")["training"]["rate"])


def train_comparison(
    options: argparse.Namespace, name: str, begin: Callable[[], tuple[EntangledDRC, TrainingData]], rate: float
) -> None:
    schedule = Schedule(options.steps, rate, seed=options.seed, save_every=options.save_every)
    run, cache, processes = RunFolder(options.out / name), options.out / "cache", OneProcess(options.device)
    learn_entangled(options, begin, run, cache, schedule, processes, options.micro_batch)


def export(options: argparse.Namespace) -> None:
    """drc/weights/drc-embedded.safetensors: averaged weights of the last stage in half precision."""
    drc = load(RunFolder(options.out / options.stage).last(WEIGHTS))
    if drc.about.learned is None:  # so it is of what went on from weights that list no words
        learned = words_read(drc.words, training_texts(options), drc.lmm.text_slots)
        drc.about = dataclasses.replace(drc.about, learned=learned)
    save(drc, options.weights, half=True)
    log.info("%s: stage %d, step %d, sha256 %s", options.weights, drc.stage, drc.about.step, file_hash(options.weights))


def training_texts(options: argparse.Namespace) -> set[str]:
    """What the trainings of the embedded model up to this stage showed; all of them showed the emoji."""
    texts = EmojiBenchmark.open(options.data).training_texts()
    return texts | IconMatrix.open(options.data).training_texts() if options.stage == "icons" else texts


PARTS = {
    "tokenizer": train_tokenizer,
    "stage1": train_stage1,
    "stage2": train_stage2,
    "further": train_further,
    "icons": train_icons,
    "decoder": train_decoder,
    "entangled": train_entangled,
    "entangled-icons": train_entangled_icons,
    "export": export,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages", help="tokenizer only")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "train")
    parser.add_argument("--weights", type=Path, default=EMBEDDED)
    parser.add_argument("--stage", default="stage2", help="export only: which stage's weights")
    parser.add_argument("--steps", type=at_least(1), default=1000)
    parser.add_argument("--batch", type=at_least(1), default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=8, help="icons only: of the language model")
    parser.add_argument("--fusion-layers", type=int, default=5, help="icons only: of the fusion network")
    parser.add_argument("--icon-share", type=fraction, default=0.6, help="icons only: of the targets; 1: no emoji")
    parser.add_argument(
        "--aligned", type=fraction, default=0.5, help="icons only: references of the target's own family"
    )
    parser.add_argument("--anew", action="store_true", help="icons only: towers and fusion begin untrained")
    parser.add_argument("--stage1-steps", type=at_least(0), default=0, help="icons only: of stage 1, before")
    parser.add_argument("--save-every", type=at_least(1), default=100, help="steps between two checkpoints")
    parser.add_argument("--compile", action="store_true", help="fuse the losses; needs a C++ compiler")
    parser.add_argument("--precision", choices=PRECISIONS, default="automatic")
    parser.add_argument("--micro-batch", type=at_least(0), default=0, help="samples in one pass; 0: what is quickest")
    parser.add_argument("--threads", type=int, help="of the CPU; all when left out")
    parser.add_argument("--shipped-tokenizer", action="store_true", help="tokenizer only: take it from the weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        PARTS[options.part](options)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
