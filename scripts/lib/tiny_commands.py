"""Commands of the documents, made so small that tests can wait for them: the module, and options beside those given."""

import argparse
import json
import shutil
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

import drc
from drc.bench import __main__ as bench
from drc.bench import models
from drc.bench.cases.importers.collection import make_cases
from drc.bench.cases.importers.stickers import read_stickers
from drc.bench.judges.efficientnet import FILE as EFFICIENTNET
from drc.bench.judges.efficientnet import EfficientNetLite0
from drc.bench.judges.evaluator import EvaluatorConfig
from drc.bench.scores import pigeon
from drc.complete import __main__ as complete
from drc.complete.marks import SIDE
from drc.data.icons import IconCell, Icons
from drc.drawings import Drawings
from drc.lmm.janus.model import JanusConfig
from drc.pretrained import config_of_sizes
from scripts import (
    bench_embedded,
    bench_lmm,
    bench_train,
    build_icons,
    convert_efficientnet,
    janus_memory,
    lavit_memory,
    make_drawings,
    measure_list_memory,
    measure_set_report,
    measure_style_cards,
    train_evaluator,
    write_memory,
)
from scripts.datasets.icons import build
from scripts.lib import fetched, hand_sets, tiny_janus, tiny_lavit
from scripts.lib.tiny import write_tiny
from scripts.lib.tiny_benchmark import write_restyled, write_tiny_benchmark, write_tiny_icons
from scripts.lib.tiny_drawings import manifest_of

TINY = {"layers": 1, "hidden": 32, "feed_forward": 48, "heads": 2}


def small_lmm(monkeypatch, folder):
    monkeypatch.setattr(bench_lmm, "SIZES", dict.fromkeys(bench_lmm.SIZES, TINY))
    monkeypatch.setattr(bench_lmm, "COPIED", 2**20)
    few = ["--codes", "16", "--prompt", "8", "--rounds", "1", "--threads", "1"]
    return bench_lmm, ["--size", "small", "--device", "cpu", "--dtype", "float32", *few]


def passed(objective, batch) -> int:
    """In place of a pass without memory, which takes seconds; test_lavit_memory.py holds it against a real one."""
    assert objective.drc.lmm.vision is None
    return 2**30 * len(batch.target)


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


def documents_elsewhere(monkeypatch, folder):
    """Copies, and memory of small models."""
    small_lavit(monkeypatch, folder), small_janus(monkeypatch, folder)
    copies = [Path(shutil.copy(path, folder)) for path in (write_memory.LAVIT, write_memory.JANUS, *write_memory.HELP)]
    for name, value in {"LAVIT": copies[0], "JANUS": copies[1], "HELP": copies[2:], "CODES": 25, "HISTORY": 2}.items():
        monkeypatch.setattr(write_memory, name, value)
    return write_memory, []


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


def few_icons(monkeypatch, folder):
    """A set that lacks two, in the folder that the command is typed in."""
    monkeypatch.chdir(folder)
    history = write_pictures(Path("my-icons"), 3)
    Path("missing.txt").write_text("sun\ncar\n")
    model = write_tiny(folder / "tiny.safetensors")
    return complete, named({"model": model, "history": history, "drawings": 0, "size": 48, "device": "cpu"})


def few_cases(monkeypatch, folder):
    """Of emoji, of icons, and imported ones, in the folder that the command is typed in."""
    monkeypatch.chdir(folder)
    model, built = write_tiny(folder / "tiny.safetensors"), write_tiny_benchmark(folder)
    icons, index = Icons(folder / "icons"), folder / "drawings.safetensors"
    make_drawings.make(icons, manifest_of(icons), drc.load(model), index, folder / "codes")
    for name, value in {"EMBEDDED": model, "Drawings": lambda: Drawings(index)}.items():
        monkeypatch.setattr(models, name, value)
    for theme, blue in {"bear": 0, "cat": 255}.items():
        write_pictures(Path("stickers", theme), 8, blue)
    make_cases(read_stickers(Path("stickers")), "pigeon").write(Path("cases.json"))
    monkeypatch.setattr(pigeon, "SIZE", 176)
    return bench, [*built.options(), *named({"limit": 1, "sweep": 1, "histories": 4, "device": "cpu"})]


def write_pictures(folder: Path, count: int, blue: int = 0) -> Path:
    """Ellipses, each of another size."""
    folder.mkdir(parents=True)
    for number in range(count):
        picture = Image.new("RGB", (32, 32), "white")
        ImageDraw.Draw(picture).ellipse((4, 6, 16 + number, 28 - number), (32, 80, blue))
        picture.save(folder / f"{number}.png")
    return folder


def few_weights(monkeypatch, folder):
    """A pickle of random ones in place of the package that is fetched."""
    theirs = {f"_blocks.{place}": tensor for place, tensor in enumerate(EfficientNetLite0().state_dict().values())}
    pickled = (folder / EFFICIENTNET).parent / "models" / "lite0.pth"
    pickled.parent.mkdir(parents=True)
    torch.save(theirs | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}, pickled)
    monkeypatch.setattr(fetched.subprocess, "run", nothing_to_fetch)
    return convert_efficientnet, named({"packages": folder})


def nothing_to_fetch(command) -> subprocess.CompletedProcess:
    """In place of what fetches packages."""
    assert Path(command[1]).is_file()
    return subprocess.CompletedProcess(command, 0)


def few_meanings(monkeypatch, folder):
    """An evaluator of a few pictures, and none that a tokeniser rebuilt."""
    write_tiny_benchmark(folder)
    for name in train_evaluator.RESTYLED:
        if not (folder / "restyled" / name).exists():
            write_restyled(folder / "restyled" / name, ["twemoji/1f431"])
    small = partial(EvaluatorConfig, size=16, width=8)
    for name, value in {"BATCH": 4, "SETTLING": 2, "EvaluatorConfig": small}.items():
        monkeypatch.setattr(train_evaluator, name, value)
    return train_evaluator, named({"data": folder, "out": folder, "tokenizer": folder / "none", "steps": 2})


def few_hands(monkeypatch, folder):
    """A package of one icon in place of the one that is fetched."""
    package, size = folder / build_icons.PACKAGE, {"width": 12, "height": 12}
    (package / "json").mkdir(parents=True)
    lines = size | {"icons": {"bar": {"body": '<path stroke="currentColor" d="M2 6h8"/>'}}}
    (package / "json" / "lines.json").write_text(json.dumps(lines))
    (package / "package.json").write_text(json.dumps({"name": "@iconify/json", "version": "1.2.3"}))
    facts = {"set": "lines", "family": "lines", "licence": "MIT", "author": "A", "url": "", "colour": False}
    styles = {"lines": {"unseen": True, "icons": {"minus": "bar"}, "rasters": 8 * "0"} | facts}
    meanings = {"minus": {"split": "train", "families": 1}}
    manifest = {"package": "@iconify/json 1.2.3", "meanings": meanings, "styles": styles}
    monkeypatch.setattr(build, "read_manifest", lambda: manifest)
    monkeypatch.setattr(fetched.subprocess, "run", nothing_to_fetch)
    return build_icons, named({"packages": folder, "out": folder / "icons", "processes": 1})


HERE = {
    "drc/complete/__main__.py": few_icons,
    "drc/bench/__main__.py run": few_cases,
    "scripts/convert_efficientnet.py": few_weights,
    "scripts/train_evaluator.py": few_meanings,
    "scripts/build_icons.py": few_hands,
    "scripts/bench_lmm.py": small_lmm,
    "scripts/lavit_memory.py": small_lavit,
    "scripts/janus_memory.py": small_janus,
    "scripts/write_memory.py": documents_elsewhere,
    "scripts/measure_style_cards.py": few_cards,
    "scripts/bench_embedded.py": small_drawing,
    "scripts/measure_list_memory.py": few_lines,
    "scripts/make_drawings.py": few_drawings,
    "scripts/measure_set_report.py": few_sets,
    "scripts/bench_train.py": short_training,
}
