"""`python -m drc.complete`: a folder of pictures and a list of words become a folder of files."""

import errno
import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from drc import familiar
from drc.card_file import save
from drc.checkpoint import load
from drc.complete import __main__ as command
from drc.complete import cache, output
from drc.complete.card import with_look
from drc.complete.history import FolderHistory
from drc.files import write_bytes
from drc.model import DRC
from drc.pixels import from_pixels
from drc.style_card import card_of, with_pictures
from scripts.lib.tiny import write_tiny

from .conftest import Launcher, names_in

WORDS = "sun\n\ncar\nSun\nsun\nred apple\n\u043a\u043e\u0442\n" + "".join(f"cat {number}\n" for number in range(14))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Two colours, each picture another shape."""
    folder = tmp_path_factory.mktemp("history")
    for number in range(4):
        picture = Image.new("RGB", (48, 48), "white")
        ImageDraw.Draw(picture).ellipse((6 + 3 * number, 8, 30 + 3 * number, 28 + 4 * number), fill="#2050a0")
        picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def asked(course, history, tmp_path):
    """Options that serve; a test adds to them, and the last of two counts."""
    (tmp_path / "words.txt").write_text(WORDS, "utf-8")
    options = {"history": history, "words": tmp_path / "words.txt", "out": tmp_path / "out", "model": course.model}
    options |= {"temperature": 1, "drawings": 0, "size": 48, "device": "cpu"}
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


@pytest.fixture
def complete(in_this_process):
    return partial(in_this_process, command)


@pytest.fixture
def drawn(monkeypatch):
    """How many pictures were drawn together, time after time."""
    calls, draw = [], DRC.draw

    def counted(model, *given, **how):
        calls.append(len(given[5]))
        return draw(model, *given, **how)

    monkeypatch.setattr(DRC, "draw", counted)
    return calls


def pictures(out) -> dict[str, np.ndarray]:
    return {path.stem: np.array(Image.open(path)) for path in sorted((out / "png").iterdir())}


def test_from_words_to_files_and_on(asked, complete, drawn, tmp_path):
    out, references = tmp_path / "out", tmp_path / "references"
    references.mkdir()
    for name in ("car", "Day", "night"):
        Image.new("RGB", (20, 30), "white" if name == "night" else "black").save(references / f"{name}.png")
    code, said, err = complete(*asked, "--references", references)
    assert (code, said) == (0, f"{out}\n"), err
    names = ["sun", "car", "red-apple", "\u043a\u043e\u0442", *(f"cat-{number}" for number in range(14))]
    names += ["Day", "night"]
    assert drawn == [16, 4]
    files = {f"png/{name}.png" for name in names} | {
        "set.json",
        "sheet.png",
        *(f"report.{kind}" for kind in ("json", "txt", "png")),
    }
    assert {name for name in names_in(out) if not name.startswith("codes")} == files | {"png"}
    assert all(picture.shape == (48, 48, 3) for picture in pictures(out).values())
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert [row["name"] for row in report["pictures"]] == names
    assert report["redraw"] == [] and all(set(row["z-scores"].values()) == {None} for row in report["pictures"])
    small = "The pictures are too small to tell which fit the set of 4: 128 pixels or more tell\n"
    assert small in (out / "report.txt").read_text("utf-8")
    assert [note.split(":")[0] for note in report["notes"]] == [
        "1 empty line left out",
        "drawn once, though more than one line says it",
        "the model never saw \u043a\u043e\u0442, 0, 1, 2, 3 and 10 more, and does not know what that means",
    ]
    lost = [row["name"] for row in report["pictures"] if row["meaning"] <= 0.02]  # a random model knows no word
    assert report["vague"] == lost and f"Hardly show what they are called: {', '.join(lost)}. A word" in (
        out / "report.txt"
    ).read_text("utf-8")
    assert re.search(
        r"\nred-apple +style +-?\d\.\d{3}  meaning +-?\d\.\d{3}\n", (out / "report.txt").read_text("utf-8")
    )

    before = pictures(out)
    (out / "png" / "night.png").unlink()
    Image.new("RGB", (9, 9)).save(out / "png" / "sun.png")  # somebody else's
    (tmp_path / "words.txt").write_text("dog\n" + WORDS, "utf-8")
    assert complete(*asked, "--references", references)[0] == 0 and drawn == [16, 4, 1]
    after = pictures(out)
    assert after.pop("sun").shape == (9, 9, 3) and after.pop("dog").any()
    assert all(np.array_equal(before[name], picture) for name, picture in after.items()) and "night" in after

    code, _, err = complete(*asked, "--seed", 1)
    sentence = f"'{out}' holds a set that was drawn with seed 0, and now it is 1; give another folder with --out, or "
    assert code == 2 and err.endswith(f"{sentence}delete that one.\n")
    assert complete(*asked, "--size", 20)[0] == 0 and drawn == [16, 4, 1, 1]  # car, without reference
    shapes = {name: picture.shape for name, picture in pictures(out).items()}  # night is not on this list any more
    assert shapes == dict.fromkeys(shapes, (20, 20, 3)) | {"sun": (9, 9, 3)} and "night" in shapes


def test_a_report_tells_of_files_in_which_marks_can_be_read(asked, complete, tmp_path):
    (tmp_path / "words.txt").write_text("sun\n..\n", "utf-8")
    assert complete(*asked, "--size", 128)[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [row["name"] for row in report["pictures"]] == ["sun", "picture"]
    for row in report["pictures"]:
        assert len(row["z-scores"]) == 6 and (row["name"] in report["redraw"]) <= bool(row["departs"])
    text = (tmp_path / "out" / "report.txt").read_text("utf-8")
    assert " of 2 do not fit the set of 4\n" in text and text.count("picture (..)") == 2


def test_photographs_are_told(asked, complete, monkeypatch, tmp_path):
    """Of a tiny model, too: what it sees is else too small to tell."""
    monkeypatch.setattr(familiar, "SMALLEST", 32)
    for name in ("history", "references"):
        (tmp_path / name).mkdir()
        Image.effect_noise((64, 64), 90).save(tmp_path / name / "noise.png")
    (tmp_path / "words.txt").write_text("sun")
    assert complete(*asked, "--history", tmp_path / "history", "--references", tmp_path / "references")[0] == 0
    text = (tmp_path / "out" / "report.txt").read_text("utf-8")
    looks = (
        "looks like a photograph or a painting: the model learned from flat drawings, such as icons, and makes patches"
    )
    assert f"The history {looks}" in text and f"The reference {looks} of it (noise)" in text


def test_svg_in_the_colours_of_the_history(asked, complete, monkeypatch, tmp_path):
    monkeypatch.setattr(output, "require_flat", lambda full, what: None)  # a random model draws nothing that is
    (tmp_path / "words.txt").write_text("sun\ncar")
    code, _, err = complete(*asked, "--svg")
    assert code == 0, err
    texts = [(tmp_path / "out" / "svg" / f"{name}.svg") for name in ("sun", "car")]
    for path in texts:
        assert path.exists() or f"'{path.stem}' " in err
    assert all('viewBox="0 0 48 48"' in path.read_text() for path in texts if path.exists())
    there = {path: path.read_bytes() for path in texts if path.exists()}
    gone, edited = texts
    assert len(there) == 2, err
    gone.unlink()
    edited.write_text("<svg/>")  # by its owner
    assert complete(*asked, "--svg")[0] == 0
    assert gone.read_bytes() == there[gone] and edited.read_text() == "<svg/>"
    assert complete(*asked, "--svg", "--size", 20)[0] == 0
    assert gone.read_bytes() == there[gone] and edited.read_text() == "<svg/>"
    assert complete(*asked, "--svg", "--colours", 1)[0] == 0
    assert edited.read_text() == "<svg/>"
    (tmp_path / "words.txt").write_text("car")
    gone.unlink()
    assert complete(*asked, "--svg")[0] == 0 and gone.read_bytes() == there[gone]  # of an earlier list


def test_two_processes_draw_what_one_draws(asked, complete, tmp_path, tmp_path_factory):
    assert complete(*asked, "--out", tmp_path / "one")[0] == 0
    members = Launcher(tmp_path_factory.mktemp("logs"), module="drc.complete").run(*asked, "--out", tmp_path / "two")
    assert [code for code, _ in members] == [0, 0], members
    assert sum(f"{tmp_path / 'two'}\n" in said for _, said in members) == 1
    one, two = (tmp_path / name for name in ("one", "two"))
    assert names_in(one) == names_in(two)
    for path in (path for path in one.rglob("*") if path.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path


def test_stopped_in_the_middle(asked, complete, drawn, monkeypatch, tmp_path):
    """By Ctrl-C: what is done stays, and the next start goes on."""
    draw = DRC.draw

    def stopped(model, *given, **how):
        if drawn:
            raise KeyboardInterrupt
        return draw(model, *given, **how)

    monkeypatch.setattr(DRC, "draw", stopped)
    code, said, err = complete(*asked)
    assert (code, said) == (130, "") and err.endswith("Stopped; start it again and it goes on where it was.\n")
    assert len(pictures(tmp_path / "out")) == 16
    monkeypatch.setattr(DRC, "draw", draw)
    assert complete(*asked)[0] == 0 and drawn == [16, 2] and len(pictures(tmp_path / "out")) == 18


def test_a_disk_that_is_full_in_the_middle(asked, complete, drawn, monkeypatch, tmp_path):
    """What is done stays, and the run goes on; what found no room is written in the end, or is told."""
    out, full = tmp_path / "out", {"cat-3.png", "cat-13.png", "report.json"}

    def refused(data, path):
        if path.name in full or path.parent.parent.name == "codes":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_bytes(data, path)

    for module in (output, cache):
        monkeypatch.setattr(module, "write_bytes", refused)
    code, said, err = complete(*asked)
    sentence = "2 of 18 pictures (cat-3, cat-13) and the report could not be written (No space left on device); see to "
    assert (code, said) == (1, f"{out}\n") and err.endswith(f"{sentence}that and start again.\n"), err
    assert len(first := pictures(out)) == 16 and drawn == [16, 2] and not list(out.rglob("*.part"))
    assert "sheet.png" not in names_in(out)

    full -= {"report.json"}
    code, _, err = complete(*asked)  # codes were not kept, so all is drawn again
    assert code == 1 and err.endswith(
        "2 of 18 pictures (cat-3, cat-13) could not be written (No space left on device); "
        "see to that and start again.\n"
    )
    report = (out / "report.txt").read_text("utf-8")
    assert "not written: 2 of 18 pictures (cat-3, cat-13)" in report and "cat-3 " not in report.split("nats a code")[1]

    room = iter([False] * 3 + [True] * 99)
    monkeypatch.setattr(cache, "write_bytes", write_bytes)
    monkeypatch.setattr(output, "write_bytes", lambda data, path: (write_bytes if next(room) else refused)(data, path))
    assert complete(*asked)[0] == 0
    last = pictures(out)
    assert len(last) == 18 and all(np.array_equal(last[name], picture) for name, picture in first.items())
    assert len(list((out / "codes").glob("*/*.json"))) == 18


AS_WRITTEN = ("out", "size", "best-of", "temperature", "colours", "device")  # the others name files


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"history": "empty"}, "empty' holds no picture that can be read; put PNG, JPEG"),
        ({"history": "none"}, "--history: folder is '{folder}/none', which is not there; give a folder with pictures"),
        ({"negative": "empty"}, "--negative: folder '{folder}/empty' holds no picture that can be read; put PNG, JPEG"),
        ({"references": "empty"}, "--references: folder '{folder}/empty' holds no picture that can be read"),
        ({"history": "cut.safetensors"}, "--history: cut.safetensors is not a readable safetensors file"),
        ({"words": "none"}, "none cannot be read or written: No such file or directory"),
        ({"words": "empty"}, "empty cannot be read or written: Is a directory"),
        ({"words": "binary"}, "binary', which is no text in UTF-8; save it as such"),
        ({"words": "blank"}, "words is empty and there is no reference; write what to draw"),
        ({"words": "long"}, "line 1 of words has 300 letters, expected at most 100; name one thing"),
        ({"model": "binary"}, "binary', but binary is not a readable safetensors file"),
        ({"model": "none"}, "none', which is not there; give the file of a DRC model, or leave --model out"),
        ({"model": "empty"}, "empty', which is a folder; give the file of a DRC model, or leave --model out"),
        ({"words": None}, "neither --words nor --references is given, and one of them says what to draw; give one"),
        ({"out": "{folder}/blank"}, "blank', a file, expected a folder, which is made where there is none; give one"),
        ({"out": "{folder}/blank/set"}, "blank', a file, expected a folder, which is made where there is none; give"),
        ({"size": "1024"}, "--size is 1024, expected 16 to 512; choose one of these"),
        ({"colours": "-1"}, "--colours is -1, expected 0 to 24; choose one of these"),
        ({"colours": "99"}, "--colours is 99, expected 0 to 24; choose one of these"),
        ({"history": "binary"}, "binary', a file that is no style card, expected a folder of pictures or a style card"),
        ({"device": "nowhere"}, "--device is nowhere, which this PyTorch does not find on this machine; take cpu"),
        ({"best-of": "17"}, "--best-of is 17, expected 1 to 16; choose one of these"),
        ({"temperature": "9"}, "--temperature is 9, expected 0 to 2, or -1 for the usual one; choose one of these"),
        ({"out": "{history}/new"}, "new', which lies in --history; give another folder"),
        ({"out": "{history}/.."}, "', in which --history lies; give another folder"),
        ({"references": "out/mine"}, "out', in which --references lies; give another folder"),
        ({"negative": "out/card.safetensors"}, "out', in which --negative lies; give another folder"),
    ],
)
def test_what_does_not_serve_is_one_sentence(asked, complete, history, tmp_path, options, sentence):
    (tmp_path / "empty").mkdir()
    for name, data in (
        ("binary", b"\xff\xfe\xfd" * 9),
        ("cut.safetensors", b"cut"),
        ("blank", b"\n \n"),
        ("long", b"x" * 300),
    ):
        (tmp_path / name).write_bytes(data)
    ((name, value),) = options.items()
    if value is None:
        place = asked.index(f"--{name}")
        del asked[place : place + 2]
    elif name in AS_WRITTEN:
        asked += [f"--{name}", value.format(history=history, folder=tmp_path)]
    else:
        asked += [f"--{name}", tmp_path / value]
    code, said, err = complete(*asked)
    assert (code, said) == (2, "") and sentence.format(folder=tmp_path) in err and err.count("\n") == 1, err
    assert not (tmp_path / "out" / "png").exists()


def test_a_history_of_one_picture_is_told(asked, complete, history, tmp_path, caplog):
    (tmp_path / "one").mkdir()
    Image.open(history / "0.png").save(tmp_path / "one" / "0.png")
    with caplog.at_level("INFO", "drc"):
        assert complete(*asked, "--history", tmp_path / "one")[0] == 0
    assert any("One picture leaves open what is style" in line for line in caplog.messages)
    (tmp_path / "one" / "1.png").write_bytes(b"no picture")
    with caplog.at_level("INFO", "drc"):
        assert complete(*asked, "--history", tmp_path / "one")[0] == 0
    assert "Left out:\n- `1.png`: not a picture" in (tmp_path / "out" / "report.txt").read_text("utf-8")


def test_a_style_card_is_a_history(asked, complete, course, history, tmp_path):
    """It draws what its pictures draw, in their colours; a card of another model is refused."""
    (tmp_path / "words.txt").write_text("sun")
    drc, card = load(course.model), tmp_path / "card.safetensors"
    folder = FolderHistory(history, drc, "--history")
    shown = with_pictures(card_of(folder.style), torch.stack([from_pixels(one) for one in folder.pictures(32)]))
    save(with_look(shown, folder.pictures(48)), card)
    assert complete(*asked)[0] == 0
    code, _, err = complete(*asked, "--history", card, "--out", tmp_path / "two")
    assert code == 0, err
    one, two = ((tmp_path / name / "png" / "sun.png").read_bytes() for name in ("out", "two"))
    assert one == two
    more = ["--history", card, "--out", tmp_path / "away", "--colours", 1, "--negative", history]
    assert complete(*asked, *more)[0] == 0
    colours = Image.open(tmp_path / "away" / "png" / "sun.png").getcolors()
    assert {colour[:3] for _, colour in colours} >= {(0x20, 0x50, 0xA0)}
    more_history = tmp_path / "more"
    more_history.mkdir()
    Image.open(history / "0.png").save(more_history / "0.png")
    save(replace(card_of(folder.style), model=64 * "0"), card)
    other = write_tiny(tmp_path / "other.safetensors", seed=1)
    for changed, words in ((["--model", other], "another model"), (["--history", more_history], "another history")):
        code, _, err = complete(*asked, *changed)
        assert code == 2 and f"holds a set that was drawn with {words} than this one; give another folder" in err, err
    code, _, err = complete(*asked, "--history", card)
    assert code == 2 and f"--history is '{card}', which was made by another model than the one that is loaded" in err
