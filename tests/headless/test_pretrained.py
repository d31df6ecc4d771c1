"""Towers over a tiny Janus, judged and drawn with by command, and every file that is no model, in one sentence."""

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest
from PIL import Image, ImageDraw

from drc.bench import __main__ as benchmark
from drc.checkpoint import load, save
from drc.complete import __main__ as completion
from scripts.lib.tiny import write_tiny

QUICK = ["--device", "cpu", "--tests", "P3", "--histories", "4", "--limit", "2", "--sweep", "2"]


@pytest.fixture(scope="module")
def place(tiny_janus, tmp_path_factory):
    """A Janus as it is downloaded, towers as they are when a training begins, pictures and a word."""
    folder = tmp_path_factory.mktemp("pretrained")
    shutil.copytree(tiny_janus / "drc" / "tiny-janus", folder / "models" / "Janus")
    drc = load(folder / "models" / "Janus" / "config.json")
    drc.about = replace(drc.about, stage=2)
    save(drc, folder / "towers.safetensors")
    write_tiny(folder / "tiny.safetensors")
    (folder / "history").mkdir()
    for number in range(3):
        picture = Image.new("RGB", (48, 48), "white")
        ImageDraw.Draw(picture).ellipse((6 + 3 * number, 8, 30, 28 + 4 * number), fill="#2050a0")
        picture.save(folder / "history" / f"{number}.png")
    (folder / "words.txt").write_text("car\nred apple\n")
    return folder


@pytest.fixture
def complete(place, tmp_path, in_this_process):
    options = {"history": place / "history", "words": place / "words.txt", "out": tmp_path / "set"}
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return partial(in_this_process, completion, *given, "--size", 48, "--device", "cpu")


@pytest.fixture
def bench(build, tmp_path, in_this_process):
    places = [*build.options(), "--cache", tmp_path / "cache", "--out", tmp_path / "out"]
    return partial(in_this_process, benchmark, "run", *places, *QUICK)


def test_a_set_is_drawn_over_a_janus(complete, place, tmp_path):
    given = "--model", place / "towers.safetensors", "--lmm", place / "models" / "Janus"
    code, said, err = complete(*given, "--best-of", 2)
    assert (code, said) == (0, f"{tmp_path / 'set'}\n"), err
    rows = json.loads((tmp_path / "set" / "report.json").read_text("utf-8"))["pictures"]
    assert [row["name"] for row in rows] == ["car", "red-apple"] and all(row["meaning"] for row in rows)
    drawn = {name: Image.open(tmp_path / "set" / "png" / f"{name}.png") for name in ("car", "red-apple")}
    assert all(picture.size == (48, 48) and len(picture.getcolors(2304)) > 99 for picture in drawn.values())


def test_towers_over_a_janus_are_judged(bench, place, tmp_path):
    """Beside an embedded model, which needs no folder, with all that a model can be asked for."""
    models = "--model", place / "towers.safetensors", "--model", write_tiny(tmp_path / "tiny.safetensors")
    code, _, err = bench(*models, "--lmm", place / "models" / "Janus", "--controls", "--gaps")
    assert code == 0, err
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    answers = results["tests"]["P3"]["judges"]["evaluator"]["4"]
    assert {"towers", "towers, history only", "towers, reference only", "tiny"} <= answers.keys()
    assert str(place) not in json.dumps(results["settings"])


EXPECTED = "expected the folder of 'Janus'; give"
NONE = {
    "without the folder": ("towers.safetensors", None, "over 'Janus', which was not given; give its folder as lmm"),
    "a folder above": ("towers.safetensors", "models", f"which holds no config.json, {EXPECTED} '"),
    "no folder": ("towers.safetensors", "none", f"which is not there, {EXPECTED} the one that holds it"),
    "a file": ("towers.safetensors", "models/Janus/config.json", f"which is a file, {EXPECTED} '"),
    "another folder": ("towers.safetensors", "history", f"holds no config.json, {EXPECTED} the one that holds it"),
    "no need of one": (
        "tiny.safetensors",
        "models/Janus",
        "which is not used, as tiny.safetensors holds its whole model",
    ),
    "no need of what is not there": ("tiny.safetensors", "none", "none', which is not used, as tiny.safetensors holds"),
    "Janus itself": ("models/Janus/config.json", None, "the towers of this model were never trained; "),
    "its weights": ("models/Janus/model.safetensors", None, "is a part of the large multimodal model in '"),
    "its words": ("models/Janus/tokenizer.json", None, "tokenizer.json is not a readable safetensors file"),
    "a picture": ("history/0.png", None, "0.png is not a readable safetensors file"),
    "words": ("words.txt", None, "words.txt is not a readable safetensors file"),
}


@pytest.mark.parametrize("case", NONE)
def test_what_is_no_model_is_one_sentence(complete, bench, place, case):
    model, folder, expected = NONE[case]
    given = ["--model", place / model, *(["--lmm", place / folder] if folder else [])]
    for run in (complete, bench):
        code, said, complaint = run(*given)
        assert (code, said) == (2, "") and complaint.startswith(f"--model is '{place / model}', but "), complaint
        assert expected in complaint and complaint.endswith(".\n") and complaint.count("\n") == 1, complaint


def test_one_that_draws_no_pixels_is_one_sentence(complete, bench, tiny_lavit):
    model = tiny_lavit / "drc" / "tiny-lavit" / "lavit.json"
    for run in (complete, bench):
        code, _, complaint = run("--model", model)
        assert code == 2 and "this model draws codes for a diffusion model" in complaint


def test_the_folder_of_a_janus_as_the_model(complete, bench, place):
    folder = place / "models" / "Janus"
    assert "which is a folder; give the file of a DRC model" in complete("--model", folder)[2]
    assert "the towers of this model were never trained" in bench("--model", folder)[2]
    with pytest.raises(ValueError, match=r"Janus is a folder, expected .*; give '.*config.json', or one that was"):
        load(folder)
    with pytest.raises(ValueError, match=r"history is a folder, expected .*; give one of those that lie in it$"):
        load(place / "history")
