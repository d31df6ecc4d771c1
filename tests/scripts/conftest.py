import json

import numpy as np
import pytest

from drc.data.splits import Splits
from scripts import train_embedded
from scripts.lib.tiny_benchmark import SETS, noise, write_restyled, write_tiny_benchmark


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """What training and validation of the emoji benchmark and the icon matrix need, as noise."""
    folder = tmp_path_factory.mktemp("data")
    write_tiny_benchmark(folder)
    record, splits = json.loads((folder / "emoji.json").read_text()), Splits.load()
    train = [row["code"] for row in record["meanings"] if splits.meaning_split[row["code"]] == "train"]
    val = [code for code in sorted(splits.shared) if splits.meaning_split[code] == "val"][:8]
    example = record["cells"][0]
    record["cells"] += [example | {"style": style, "code": code, "label": code} for style in SETS for code in val]
    record["meanings"] += [record["meanings"][0] | {"code": code, "label": code} for code in val]
    (folder / "emoji.json").write_text(json.dumps(record))
    np.save(folder / "emoji.npy", noise(len(record["cells"])))
    for part, codes in {"train": train, "val": val, "val_history": train}.items():
        write_restyled(folder / "restyled" / part, [f"twemoji/{code}" for code in codes])
    return folder


@pytest.fixture
def train(data, tmp_path, in_this_process):
    """Runs scripts/train_embedded.py as it is typed: a part of it, with options in place of the small ones here. What
    is true is given without a value."""

    def train(part: str, **options) -> None:
        small = {"data": data, "out": tmp_path, "weights": tmp_path / "start.safetensors", "device": "cpu"}
        small |= {"steps": 2, "batch": 4, "precision": "float32"} | options
        named = {f"--{name.replace('_', '-')}": value for name, value in small.items()}
        given = [word for name, value in named.items() for word in ([name] if value is True else [name, value])]
        assert in_this_process(train_embedded, part, *given)[0] is None

    return train
