"""Commands of the documents, made so small that tests can wait for them: the module, and options beside those given."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import drc
from drc.complete.marks import SIDE
from drc.data.icons import IconCell, Icons
from drc.lmm.janus.model import JanusConfig
from drc.pretrained import config_of_sizes
from scripts import (
    bench_embedded,
    bench_lmm,
    bench_train,
    janus_memory,
    lavit_memory,
    make_drawings,
    measure_list_memory,
    measure_set_report,
    measure_style_cards,
)
from scripts.lib import hand_sets, tiny_janus, tiny_lavit
from scripts.lib.tiny import write_tiny
from scripts.lib.tiny_benchmark import write_tiny_icons
from scripts.lib.tiny_drawings import manifest_of

TINY = {"layers": 1, "hidden": 32, "feed_forward": 48, "heads": 2}


def small_lmm(monkeypatch, folder):
    monkeypatch.setattr(bench_lmm, "SIZES", dict.fromkeys(bench_lmm.SIZES, TINY))
    monkeypatch.setattr(bench_lmm, "COPIED", 2**20)
    few = ["--codes", "16", "--prompt", "8", "--rounds", "1", "--threads", "1"]
    return bench_lmm, ["--size", "small", "--device", "cpu", "--dtype", "float32", *few]


def passed(objective, batch) -> int:
    """In place of a pass without memory, which takes seconds; test_lavit_memory.py holds it against a real one."""
    assert len(batch.target) > 0 and objective.drc.lmm.vision is None
    return 2**30


def small_lavit(monkeypatch, folder):
    config = lavit_memory.config_of(tiny_lavit.SIZES)
    monkeypatch.setattr(lavit_memory, "config_of", lambda: config)
    monkeypatch.setattr(lavit_memory, "pass_peak", passed)
    return lavit_memory, ["--codes", "25", "--history", "2"]


def small_janus(monkeypatch, folder):
    monkeypatch.setattr(lavit_memory, "pass_peak", passed)
    config = config_of_sizes(JanusConfig(tiny_janus.SIZES))
    monkeypatch.setattr(janus_memory, "config_of", lambda size: config)
    return janus_memory, ["--history", "2"]


def few_cards(monkeypatch, folder):
    model = drc.load(write_tiny(folder / "tiny.safetensors"))
    monkeypatch.setattr(drc, "load", lambda: model)
    for name, value in {"SIDE": 64, "FEW": 2, "MANY": 16}.items():
        monkeypatch.setattr(measure_style_cards, name, value)
    return measure_style_cards, []


def small_drawing(monkeypatch, folder):
    path = write_tiny(folder / "tiny.safetensors")
    monkeypatch.setattr(bench_embedded, "checkpoint", lambda: path)
    return bench_embedded, ["drawing", "best", "--rounds", "1"]  # start and nodes load a host


def few_lines(monkeypatch, folder):
    return measure_list_memory, ["--lines", "1,2"]


def few_drawings(monkeypatch, folder):
    model = write_tiny(folder / "tiny.safetensors")
    write_tiny_icons(folder)
    monkeypatch.setattr(make_drawings, "read_manifest", lambda: manifest_of(Icons(folder / "icons")))
    return make_drawings, named({"data": folder, "model": model, "cache": folder / "codes", "out": folder / "drawings"})


def few_sets(monkeypatch, folder):
    """With `--fit`, which runs all of it, and writes elsewhere than where nodes read."""
    model = write_tiny(folder / "tiny.safetensors")
    write_tiny_icons(folder, boxes, {name: name for name in ("one", "two", "three", "four", "new", "newer")})
    for name, value in {"FEWEST": 24, "PICTURES": 24}.items():
        monkeypatch.setattr(hand_sets, name, dict.fromkeys(hand_sets.FEWEST, value))
    for name, value in {"HISTORIES": (8, 12), "TRIES": 1, "FOLDS": 2, "WEIGHTS": folder / "hands.safetensors"}.items():
        monkeypatch.setattr(measure_set_report, name, value)
    monkeypatch.setattr(hand_sets, "through_codes", lambda _, images: images[:, :, ::-1])  # this model's are noise
    return measure_set_report, [*named({"data": folder, "model": model}), "--fit"]


def boxes(cells: list[IconCell]) -> np.ndarray:
    """Something drawn in each, by a style and a meaning: uint8 [n, 128, 128, 3]."""
    styles, meanings = (sorted({getattr(cell, part) for cell in cells}) for part in ("style", "meaning"))
    pictures = []
    for cell in cells:
        picture = Image.new("RGB", (SIDE, SIDE), "white")
        corner = 20 + 2 * meanings.index(cell.meaning)
        box = (corner, 24, 104, 108 - corner // 2)
        ImageDraw.Draw(picture).rectangle(box, outline="black", width=3 + 3 * styles.index(cell.style))
        pictures.append(np.array(picture))
    return np.stack(pictures)


def short_training(monkeypatch, folder):
    """Both loops in this process, which says nothing of memory."""
    model = write_tiny(folder / "tiny.safetensors")

    def measured(options, loop, folder):
        options = argparse.Namespace(**vars(options) | {"loop": loop, "folder": Path(folder)})
        return bench_train.measured(options) | {"memory": 1}

    for name, value in {"EMBEDDED": model, "ENCODED": 2, "ROUNDS": 1, "in_a_process": measured}.items():
        monkeypatch.setattr(bench_train, name, value)
    return bench_train, named({"steps": 4, "batch": 2})


def named(options: dict) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


HERE = {
    "scripts/bench_lmm.py": small_lmm,
    "scripts/lavit_memory.py": small_lavit,
    "scripts/janus_memory.py": small_janus,
    "scripts/measure_style_cards.py": few_cards,
    "scripts/bench_embedded.py": small_drawing,
    "scripts/measure_list_memory.py": few_lines,
    "scripts/make_drawings.py": few_drawings,
    "scripts/measure_set_report.py": few_sets,
    "scripts/bench_train.py": short_training,
}
