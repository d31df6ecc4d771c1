"""What Janus-Pro takes in memory, computed without weights and without a graphics card; nothing here is measured.

    build/venv/bin/python -m scripts.janus_memory [--size 1B] [--history 6]

As `scripts.lavit_memory`, whose counting this is: the classes that run, at the published sizes, on tensors that have
shapes and types but no memory. `--history` is how many pictures a history has.

Drawing: weights of each part, in the 16 bits of the published files, and what it takes beside them: keys and values of
a whole drawing from words with guidance, and pictures on their way through the tokeniser.
"""

import argparse

import torch

from drc.instruction import InContext
from drc.lmm.janus.config import Sizes
from drc.lmm.janus.model import JanusConfig
from drc.lmm.llama import LlamaConfig
from drc.lmm.pictures import PICTURES
from drc.model import DRCConfig
from drc.pretrained import config_of_sizes
from scripts.lavit_memory import STORED, amount, bytes_of, head_of_training, table, training, without_memory

SIZES = {
    "1B": LlamaConfig(102400, 2048, 5632, 24, 16, 16, rms_norm_eps=1e-6, max_position_embeddings=16384),
    "7B": LlamaConfig(102400, 4096, 11008, 30, 32, 32, rms_norm_eps=1e-6, max_position_embeddings=16384),
}  # as published
PROMPT = 32  # ids of a prompt of words; of the true vocabulary fewer than of the instruction vectors


def config_of(size: str) -> DRCConfig:
    """Of a DRC over a Janus of that size; the words around a text are as many as published."""
    return config_of_sizes(JanusConfig(Sizes(SIZES[size]), before=(0,) * 3, after=(0,) * 5))


def drawing(config: DRCConfig) -> list[tuple[str, ...]]:
    """Rows of name, weights and what is needed beside them."""
    drc = without_memory(config).to(torch.bfloat16)
    drc.lmm.compute_in(torch.bfloat16)
    words = InContext(torch.zeros(PROMPT, dtype=torch.long), 5.0, "")
    rows = []
    for name, part in drc.parts().items():
        beside = {"vision": drc.lmm.vision.memory(PICTURES), "understanding": drc.lmm.vision.memory(1)}.get(name)
        if name != "language":
            rows.append((name, amount(bytes_of(part.parameters())), amount(beside) if beside else ""))
            continue
        for storage, dtype in STORED.items():
            drc.lmm.store_in(dtype)
            weights = amount(bytes_of(part.parameters()))
            rows.append((f"language, {storage}", weights, amount(drc.lmm.drawing_bytes(words, 1))))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="1B")
    parser.add_argument("--history", type=int, default=6)
    options = parser.parse_args()
    config = config_of(options.size)
    print(table(("part", "weights", "beside them"), drawing(config)), end="\n\n")
    print(
        table(head_of_training(), training(config, config.lmm.grid**2, options.history, (torch.bfloat16,), ("LoRA",)))
    )


if __name__ == "__main__":
    main()
