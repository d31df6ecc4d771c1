"""Builds of the emoji benchmark and the icon matrix so small that tests can wait for them: real code points, pictures
of noise, and judges that were never trained."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from drc.bench.judges.efficientnet import FILE as EFFICIENTNET
from drc.bench.judges.efficientnet import EfficientNetLite0
from drc.bench.judges.evaluator import Evaluator, EvaluatorConfig
from drc.data.emoji import Cell, Meaning
from drc.data.icons import FILES, IconCell
from drc.data.splits import Splits
from drc.tensor_file import write_safetensors

SIDE = 32
SETS = ("twemoji", "noto", "noto-mono", "fluent-flat", "symbola", "openmoji")
PROGRAMS = (1, 2, 3)
MEANINGS = {"train": 24, "test": 4}
HANDS = {"plain": "able", "bold": "able", "round": "baker", "chosen": "jam", "new": "charlie"}
"""Styles of icons to their families."""
ICONS = {f"thing {number}": "train" for number in range(24)} | {"dog": "val", "bell": "test"}
"""Meanings of icons to their splits."""


@dataclasses.dataclass(frozen=True)
class Build:
    """Where things lie, as options of `python -m drc.bench run`."""

    data: Path
    packages: Path
    evaluator: Path

    def options(self) -> list[str]:
        return [f"--{name}={path}" for name, path in vars(self).items()]


def write_tiny_benchmark(folder: Path) -> Build:
    splits = Splits.load()
    shared = sorted(splits.shared)
    train, test = (
        [code for code in shared if splits.meaning_split[code] == split][:count] for split, count in MEANINGS.items()
    )
    cells = [Cell(style, code, code, "objects", "") for style in SETS for code in train + test]
    meanings = [Meaning(code, code, (), "objects", "tool") for code in train + test]
    records = {"cells": cells, "meanings": meanings}
    emoji = {"size": SIDE} | {name: [dataclasses.asdict(one) for one in some] for name, some in records.items()}
    (folder / "emoji.json").write_text(json.dumps(emoji))
    np.save(folder / "emoji.npy", noise(len(cells)))
    for name, codes in {"test": test, "history": train}.items():
        write_restyled(folder / "restyled" / name, [f"twemoji/{code}" for code in codes])
    write_tiny_icons(folder)
    torch.manual_seed(0)
    evaluator = Evaluator(EvaluatorConfig(styles=3, meanings=3, size=16, width=8, features=8))
    write_safetensors(evaluator.state_dict(), folder / "evaluator.safetensors", evaluator.metadata())
    write_safetensors(EfficientNetLite0().state_dict(), folder / EFFICIENTNET, {})
    return Build(folder, folder, folder / "evaluator.safetensors")


def write_tiny_icons(
    folder: Path,
    images: Callable[[list[IconCell]], np.ndarray] = lambda cells: noise(len(cells)),
    hands: dict[str, str] = HANDS,
) -> None:
    """The icon matrix: every hand draws every meaning, as `images` gives them, uint8 [cells, size, size, 3]."""
    facts = {"licence": "MIT", "author": "A", "url": "", "colour": False, "strokes": False, "tones": False}
    styles = [{"name": n, "set": n, "family": f, "unseen": n.startswith("new"), **facts} for n, f in hands.items()]
    cells = [IconCell(style, meaning, 1.0) for style in hands for meaning in ICONS]
    drawn = images(cells)
    names, pixels = (folder / "icons" / name for name in FILES)
    names.parent.mkdir()
    rows = [list(vars(cell).values()) for cell in cells]
    names.write_text(json.dumps({"size": drawn.shape[1], "styles": styles, "meanings": ICONS, "cells": rows}))
    np.save(pixels, drawn)


def write_restyled(folder: Path, drawings: list[str]) -> None:
    rows = [(program, drawing) for program in range(len(PROGRAMS)) for drawing in range(len(drawings))]
    programs = [{"seed": seed, "family": "flat"} for seed in PROGRAMS]
    folder.mkdir(parents=True)
    (folder / "restyled.json").write_text(json.dumps({"programs": programs, "drawings": drawings, "rows": rows}))
    np.save(folder / "restyled.npy", noise(len(rows)))


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
