"""The emoji benchmark as a user trains on it: a built one is read, and one that is not says how it is built."""

import json

import numpy as np
import pytest

from drc.data.built import RESTYLED, EmojiBenchmark
from drc.data.splits import Splits
from drc.data.styles import STYLES
from scripts.lib.sentence import sentence


@pytest.fixture
def built(tmp_path):
    """Two emoji sets drawing three training meanings, and two programs, as the scripts would write them."""
    split = Splits.load()
    styles = [style.name for style in STYLES.values() if style.seen][:2]
    codes = [
        code
        for code, part in sorted(split.meaning_split.items())
        if part == "train" and not any(split.is_held_out(style, code) for style in styles)
    ][:3]
    cells = [{"style": s, "code": c, "label": c, "group": "g", "sha256": ""} for s in styles for c in codes]
    (tmp_path / "emoji.json").write_text(json.dumps({"size": 8, "cells": cells, "meanings": []}))
    np.save(tmp_path / "emoji.npy", np.zeros((len(cells), 8, 8, 3), np.uint8))
    rows = [[program, drawing] for program in range(2) for drawing in range(2)]
    plan = {
        "programs": [{"seed": seed, "family": "flat"} for seed in range(2)],
        "drawings": [f"{styles[0]}/{code}" for code in codes[:2]],
        "rows": rows,
    }
    for name in RESTYLED:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_text(json.dumps(plan))
        else:
            np.save(path, np.zeros((len(rows), 8, 8, 3), np.uint8))
    return tmp_path


def test_benchmark(built):
    benchmark = EmojiBenchmark.open(built)
    assert benchmark.report_text().splitlines() == [
        "Emoji benchmark: 10 pictures of 3 meanings to train on.",
        "",
        "- 6 in 2 styles of real emoji sets",
        "- 4 in 2 styles made by programs",
        "",
        "Other styles and meanings are kept apart for validation and tests.",
    ]
    before = benchmark.fingerprint
    assert EmojiBenchmark.open(built).fingerprint == before
    path = built / "restyled/val/restyled.json"
    path.write_text(path.read_text().replace("flat", "line"))
    assert EmojiBenchmark.open(built).fingerprint != before


def test_a_benchmark_that_is_not_built(built, tmp_path):
    (built / "restyled/val/restyled.npy").unlink()
    assert "restyled/val/restyled.npy is missing" in sentence(EmojiBenchmark.open, built)
    assert "run 'python scripts/build_restyled.py'" in sentence(EmojiBenchmark.open, built)
    assert "run 'python scripts/build_emoji.py'" in sentence(EmojiBenchmark.open, tmp_path / "nowhere")
