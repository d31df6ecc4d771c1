"""EfficientNet-Lite0 features of every picture of a build, for telling near-duplicate meanings.

    python scripts/emoji_features.py [--packages build/packages] [--data build/data]

Writes `features.npy`, float16 [cells, 1280], beside `emoji.npy`. The ImageNet weights, never trained on these pictures,
are those of scripts/convert_efficientnet.py. About 60 pictures a second on a core.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.judges.efficientnet import load_efficientnet  # noqa: E402
from drc.data.emoji import Emoji  # noqa: E402
from drc.perceptual import DEVIATION, MEAN  # noqa: E402
from drc.pixels import from_image, from_pixels, to_image  # noqa: E402
from scripts.lib.bar import along  # noqa: E402


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    options = parser.parse_args()
    model, emoji = load_efficientnet(options.packages), Emoji(options.data)
    features = np.zeros((len(emoji.cells), 1280), np.float16)
    for start in along(range(0, len(features), 64), "batch"):
        batch = to_image(from_pixels(np.array(emoji.images[start : start + 64])))
        maps = model(from_image((batch - torch.tensor(MEAN)) / torch.tensor(DEVIATION)))[-1]
        features[start : start + 64] = maps.mean((2, 3)).numpy()
    np.save(options.data / "features.npy", features)


if __name__ == "__main__":
    main()
