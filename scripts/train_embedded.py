"""One step of building the embedded model; scripts/train_embedded.sh runs them in order.

    python scripts/train_embedded.py tokenizer|encode|stage1|stage2|entangled|export [--steps N] [--device cpu|cuda] ...

Every step resumes where it was stopped and does nothing when it is complete.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.emoji import Emoji  # noqa: E402
from drc.data.pictures import Picture, Pictures, emoji_part, restyled_part, training_pictures  # noqa: E402
from drc.data.splits import Splits  # noqa: E402
from drc.data.styles import STYLES  # noqa: E402
from drc.lmm.mini.text import encode_text, train_text_tokenizer  # noqa: E402
from drc.lmm.mini.tokenizer import VisualTokenizer  # noqa: E402
from drc.model import ARCHITECTURE, DRC, DRCConfig, file_hash, metadata_of  # noqa: E402
from drc.train import entangled, objectives  # noqa: E402
from drc.train.batches import Batches, Index  # noqa: E402
from drc.train.entangled import EntangledDRC, EntangledObjective  # noqa: E402
from drc.train.loop import Schedule, Trainer, part, write_safetensors  # noqa: E402
from drc.train.objectives import Conditioning, Stage1, Stage2, gaps, language_share, token_losses  # noqa: E402
from drc.train.tokenizer import TokenizerObjective, as_images  # noqa: E402

VENDOR_SHARE = 0.2  # of real emoji among the pictures; the rest are procedural styles
WORDINGS = 8  # texts of one meaning: its label, then draws of its keywords
VALIDATION_CASES = 40
LICENCE = "CC-BY-4.0"
CONFIG = DRCConfig()

log = logging.getLogger("drc")


def train_tokenizer(options: argparse.Namespace) -> None:
    """From nothing, or with --shipped-tokenizer out of the weights that ship, so that pictures keep their codes."""
    state = options.out / "tokenizer" / "state.safetensors"
    if options.shipped_tokenizer:
        if state.exists():
            return
        shipped = {f"average.tokenizer.{n}": t for n, t in part(load_file(options.weights), "lmm.vision.").items()}
        write_safetensors(shipped, state, {"step": "0", "seconds": "0", "from": file_hash(options.weights)})
        return
    torch.manual_seed(options.seed)
    pictures = training_pictures(options.data)
    vendor_rows = pictures.starts[1]
    tokenizer = VisualTokenizer(CONFIG.lmm.vision).to(options.device, memory_format=torch.channels_last)
    objective = TokenizerObjective(tokenizer, options.steps).to(options.device)
    schedule = Schedule(steps=options.steps, rate=1e-3, weight_decay=0.0, seed=options.seed)
    trainer = Trainer(objective, schedule, options.out / "tokenizer")

    def batch_loss(model, step):
        random = np.random.default_rng((options.seed, step))
        vendor = random.random(options.batch) < VENDOR_SHARE
        rows = np.where(
            vendor,
            random.integers(0, vendor_rows, options.batch),
            random.integers(vendor_rows, len(pictures), options.batch),
        )
        images = as_images(pictures.read(rows), options.device)
        mirrored = torch.from_numpy(random.random(options.batch) < 0.5).to(images.device)
        return model(torch.where(mirrored[:, None, None, None], images.flip(3), images), step)

    trainer.run(batch_loss)


def validation_pictures(data: Path) -> dict[str, Pictures]:
    """Two sets that training never sees: held-out programs, and real emoji sets drawing unseen meanings."""
    emoji, splits = Emoji(data), Splits.load()
    rows = [
        row
        for (style, code), row in emoji.rows.items()
        if STYLES[style].seen and splits.meaning_split.get(code) == "val"
    ]
    folder = data / "restyled"
    procedural = Pictures([restyled_part(folder / "val"), restyled_part(folder / "val_history")])
    return {"procedural": procedural, "vendor": Pictures([emoji_part(emoji, rows)])}


@torch.no_grad()
def encode(options: argparse.Namespace) -> None:
    """Codes of every picture and of its mirror image, once: build/train/codes.safetensors."""
    path = options.out / "codes.safetensors"
    if path.exists():
        return
    tokenizer = VisualTokenizer(CONFIG.lmm.vision)
    take_tokenizer(options, tokenizer)
    tokenizer = tokenizer.to(options.device, memory_format=torch.channels_last)
    tables = {}
    for name, pictures in {"train": training_pictures(options.data), **validation_pictures(options.data)}.items():
        codes = np.empty((len(pictures), 2, CONFIG.lmm.vision.grid**2), np.int16)
        for first in tqdm(range(0, len(pictures), 64), desc=f"encode {name}"):
            rows = np.arange(first, min(first + 64, len(pictures)))
            images = as_images(pictures.read(rows), options.device).contiguous(memory_format=torch.channels_last)
            with torch.autocast(images.device.type, torch.bfloat16):
                codes[rows, 0] = tokenizer.encode(images).cpu().numpy()
                codes[rows, 1] = tokenizer.encode(images.flip(3)).cpu().numpy()
        tables[name] = torch.from_numpy(codes)
    write_safetensors(tables, path, {"tokenizer": file_hash(options.out / "tokenizer" / "state.safetensors")})


class Words:
    """The text tokeniser and the wordings of every meaning: ids [meanings, WORDINGS, T]."""

    def __init__(self, data: Path, seed: int):
        meanings = Emoji(data).meanings
        texts = {code: [meaning.label, *meaning.tags] for code, meaning in sorted(meanings.items())}
        self.tokenizer: Tokenizer = train_text_tokenizer((t for row in texts.values() for t in row), CONFIG.lmm.words)
        self.row = {code: index for index, code in enumerate(texts)}
        random, ids = np.random.default_rng(seed), []
        for label, *tags in texts.values():
            draws = [
                random.permutation(tags)[: random.integers(1, 4)] if tags else [label] for _ in range(WORDINGS - 1)
            ]
            ids.append(torch.stack([self.ids(text) for text in (label, *(", ".join(draw) for draw in draws))]))
        self.ids_by_meaning = torch.stack(ids)

    def ids(self, text: str) -> torch.Tensor:
        slots = CONFIG.lmm.text_slots
        while len(self.tokenizer.encode(text).ids) > slots:
            text = text.rsplit(" ", 1)[0]
        return encode_text(self.tokenizer, text, slots)


def make_batches(options: argparse.Namespace, words: Words) -> dict[str, Batches]:
    """Batches of "train" and of the two validation sets."""
    tables = load_file(options.out / "codes.safetensors")
    pictures = {"train": training_pictures(options.data), **validation_pictures(options.data)}
    cluster = Splits.load().cluster
    family = {name: style.family for name, style in STYLES.items()}
    result = {}
    for name, its_pictures in pictures.items():
        records: list[Picture] = its_pictures.records
        index = Index(records, cluster, family)
        text_row = torch.tensor([words.row[record.meaning] for record in records])
        share = {"train": VENDOR_SHARE, "procedural": 0.0, "vendor": 1.0}[name]
        count = options.batch if name == "train" else VALIDATION_CASES
        result[name] = Batches(
            tables[name], index, words.ids_by_meaning, text_row, count, share, options.seed, options.device
        )
    return result


def take_tokenizer(options: argparse.Namespace, vision: VisualTokenizer) -> None:
    """The trained tokeniser, frozen from here on; the language model's table of codes starts from its codebook."""
    vision.load_state_dict(part(load_file(options.out / "tokenizer" / "state.safetensors"), "average.tokenizer."))
    for parameter in vision.parameters():
        parameter.requires_grad = False


def quicken(options: argparse.Namespace) -> None:
    """On a CPU plain matrix products beat the fused attention; `--compile` fuses the long losses."""
    if options.device == "cpu":
        torch.backends.cuda.enable_flash_sdp(False)  # the switch of every device, whatever its name
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    if options.compile:
        objectives.token_losses = entangled.token_losses = torch.compile(token_losses, dynamic=False)


def train_drc(options: argparse.Namespace, stage: int) -> None:
    quicken(options)
    torch.manual_seed(options.seed)
    words = Words(options.data, options.seed)
    batches = make_batches(options, words)
    drc = DRC(CONFIG, words.tokenizer)
    take_tokenizer(options, drc.lmm.vision)
    drc.lmm.initialise()
    drc.disentangler.initialise()
    if stage == 1:  # the instruction must be worth reading before neighbours are
        model, rate = Stage1(drc, Conditioning(all_blank=0.5, some_blank=0.3), options.steps), 1e-3
    else:
        model, rate = Stage2(drc, Conditioning(), options.steps), 8e-4
        first = part(load_file(options.out / "stage1" / "state.safetensors"), "average.")
        model.load_state_dict(first, strict=False)  # all but the sampler of stage 1
    model.to(options.device)
    drc.lmm.tie()
    schedule = Schedule(steps=options.steps, rate=rate, seed=options.seed, save_every=100)
    trainer = Trainer(model, schedule, options.out / f"stage{stage}")

    draw = batches["train"].triplets if stage == 1 else batches["train"].personal

    def lesson(module: torch.nn.Module, step: int) -> tuple[torch.Tensor, dict]:
        return module(draw(step, times=1 if language_share(step, options.steps) == 1 else 2), step)

    trainer.run(lesson, {400: lambda trainer: validate(trainer, drc, batches)})


def validate(trainer: Trainer, drc: DRC, batches: dict[str, Batches]) -> None:
    """Logs the gaps of the weights as they are, on fixed validation cases."""
    for name in ("procedural", "vendor"):
        numbers = gaps(drc, batches[name].personal(0, history=6))
        trainer.write_log({f"{name}_{key}": value for key, value in numbers.items()})


def train_entangled(options: argparse.Namespace) -> None:
    quicken(options)
    torch.manual_seed(options.seed)
    words = Words(options.data, options.seed)
    batches = make_batches(options, words)["train"]
    model = EntangledDRC(CONFIG)
    take_tokenizer(options, model.lmm.vision)
    model.initialise()
    model.to(options.device)
    model.lmm.tie()
    schedule = Schedule(steps=options.steps, rate=8e-4, seed=options.seed, save_every=50)
    objective = EntangledObjective(model, Conditioning())
    Trainer(objective, schedule, options.out / "entangled").run(
        lambda module, step: module(batches.personal(step), step)
    )


def export(options: argparse.Namespace) -> None:
    """drc/weights/drc-embedded.safetensors: averaged weights of stage 2 and the tokeniser in half precision."""
    words = Words(options.data, options.seed)
    tensors = {}
    for folder, prefix, keep in (
        ("tokenizer", "average.tokenizer.", "lmm.vision."),
        (options.stage, "average.drc.", ""),
    ):
        state = load_file(options.out / folder / "state.safetensors")
        tensors |= {
            keep + name: tensor for name, tensor in part(state, prefix).items() if keep or "lmm.vision." not in name
        }
    with safe_open(options.out / options.stage / "state.safetensors", "pt") as file:
        step = file.metadata()["step"]
    header = {
        "architecture": ARCHITECTURE,
        "config": CONFIG.to_json(),
        "words": json.dumps(json.loads(words.tokenizer.to_str())),
        "stage": options.stage[len("stage")],
        "step": step,
        "licence": LICENCE,
    }
    tensors = {name: tensor.half() for name, tensor in tensors.items()}
    write_safetensors(tensors, options.weights, metadata_of(header))
    log.info("%s: %d tensors, sha256 %s", options.weights, len(tensors), file_hash(options.weights))


PARTS = {
    "tokenizer": train_tokenizer,
    "encode": encode,
    "stage1": lambda options: train_drc(options, 1),
    "stage2": lambda options: train_drc(options, 2),
    "entangled": train_entangled,
    "export": export,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "train")
    parser.add_argument("--weights", type=Path, default=ROOT / "drc" / "weights" / "drc-embedded.safetensors")
    parser.add_argument("--stage", default="stage2", help="export only: which stage's weights")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="fuse the losses; needs a C++ compiler")
    parser.add_argument("--shipped-tokenizer", action="store_true", help="tokenizer only: take it from the weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    PARTS[options.part](options)


if __name__ == "__main__":
    main()
