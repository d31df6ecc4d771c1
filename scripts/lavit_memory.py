"""What LaVIT-7B-v2 takes in memory, computed without weights and without a graphics card; nothing here is measured.

    build/venv/bin/python -m scripts.lavit_memory [--codes 256] [--history 6]

The sizes are those of the published weights, the classes those that run. Their tensors have shapes and types but no
memory, so the passes of a training go through the whole language model and only bytes are counted. `--codes` is how
many codes every picture has, 256 being the most, `--history` how many pictures a history has.

Drawing: weights of each part, and what a drawing with guidance takes beside them.

Training, stage 2: weights = what is frozen; trained = 20 bytes a trained number (itself, gradient, two moments of
AdamW, running average); a pass = the most bytes that one forward and backward pass makes, gradients of the trained ones
once more among them. Together, without what PyTorch and the driver keep.
"""

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode  # torch has no public name for it

from drc.instruction import InContext
from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig, VisionConfig
from drc.lmm.lavit.converted import Sizes
from drc.lmm.lavit.reading import LavitSet
from drc.lmm.llama import LlamaConfig
from drc.model import DRC, DRCConfig
from drc.pretrained import config_over
from drc.train.config import ModelConfig
from drc.train.data.batches import BatchCodes
from drc.train.data.conditioning import TrainingBatch, plain_batch
from drc.train.machine.memory import pass_peak, recompute
from drc.train.objectives.stages import STAGES, Objective
from scripts.lib.tiny_lavit import words

SIZES = Sizes(
    LlamaConfig(48386, 4096, 11008, 32, 32, 32), VisionConfig(), TokenizerConfig(), DecoderConfig()
)  # as published
TRAINED_BYTES = 20
AT_ONCE = (1, 4, 16)  # pictures in memory at once
STORED = {"bfloat16": torch.bfloat16, "int8": torch.int8, "float8": torch.float8_e4m3fn}


def config_of(sizes: Sizes = SIZES) -> DRCConfig:
    """Of a DRC over a LaVIT of those sizes. The true vocabulary is not at hand; a small one cuts the few fixed words of
    the prompt into more pieces."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizer.model").write_bytes(words())
        return config_over(LavitSet(Path(folder), sizes, {}, [], ""))


def bytes_of(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def without_memory(config: DRCConfig) -> DRC:
    with torch.device("meta"):
        return DRC(config)


def drawing(config: DRCConfig, codes: int, history: int) -> list[tuple[str, ...]]:
    """Rows of name, weights and what is needed beside them."""
    drc = without_memory(config).to(torch.bfloat16)
    drc.lmm.compute_in(torch.bfloat16)
    prompt = torch.zeros((history + 1) * codes, dtype=torch.long)
    rows = []
    for name, part in drc.parts().items():
        if name != "language":
            rows.append((name, amount(bytes_of(part.parameters())), ""))
            continue
        for storage, dtype in STORED.items():
            drc.lmm.store_in(dtype)
            beside = amount(drc.lmm.drawing_bytes(InContext(prompt, 5.0, ""), 1))
            rows.append((f"language, {storage}", amount(bytes_of(part.parameters())), beside))
    return rows


def objective_of(config: DRCConfig, way: str, precision: torch.dtype, again: bool) -> Objective:
    """Stage 2 as a training begins it, with tensors that only have shapes."""
    settings = ModelConfig(file="")
    drc = without_memory(config)
    drc.lmm.drop_vision()
    drc.requires_grad_(True)
    with torch.device("meta"):
        drc.lmm.learn(way, settings.lora_rank, settings.lora_alpha, precision)
        objective = STAGES[2](drc, precision)
    with FakeTensorMode(allow_non_fake_inputs=True):  # unlike those of the meta device they know autocast
        objective.to_empty(device="cpu")
    if again:
        recompute(drc.lmm.layers())
    return objective


def batch_of(config: DRCConfig, samples: int, codes: int, history: int) -> TrainingBatch:
    picture, text = torch.zeros(samples, codes, dtype=torch.long), torch.zeros(samples, config.lmm.text_slots).long()
    given = BatchCodes(picture, picture[:, None].expand(-1, history, -1), picture, picture, text)
    return plain_batch(given, codes)


def training(
    config: DRCConfig,
    codes: int,
    history: int,
    precisions: Iterable[torch.dtype] = (torch.bfloat16, torch.float32),
    ways: Iterable[str] = ("LoRA", "frozen"),
) -> list[tuple[str, ...]]:
    """Rows of settings, frozen weights, trained, and the whole for every number of pictures at once."""
    rows = []
    for precision in precisions:
        for way in ways:
            for again in (False, True):
                objective = objective_of(config, way, precision, again)
                one, two = (pass_peak(objective, batch_of(config, count, codes, history)) for count in (1, 2))
                frozen = bytes_of(p for p in objective.parameters() if not p.requires_grad)
                trained = TRAINED_BYTES * trained_numbers(objective)
                whole = [frozen + trained + one + (two - one) * (count - 1) for count in AT_ONCE]
                settings = str(precision).removeprefix("torch."), way, "on" if again else "off"
                rows.append((*settings, *map(amount, (frozen, trained, *whole))))
    return rows


def trained_numbers(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def amount(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def table(head: Iterable[str], rows: list[tuple[str, ...]]) -> str:
    lines = [tuple(head), ("---",) * len(rows[0]), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def head_of_training() -> tuple[str, ...]:
    return "precision", "train_language", "recompute", "weights", "trained", *(f"{count} at once" for count in AT_ONCE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=256)
    parser.add_argument("--history", type=int, default=6)
    options = parser.parse_args()
    config, sizes = config_of(), (options.codes, options.history)
    print(table(("part", "weights", "keys and values"), drawing(config, *sizes)), end="\n\n")
    print(table(head_of_training(), training(config, *sizes)))


if __name__ == "__main__":
    main()
