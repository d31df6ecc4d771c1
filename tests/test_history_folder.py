"""A folder as a history: in the order that people count in, told what is odd in it, and in little memory."""

import torch
from PIL import Image, ImageDraw

from drc.data.history import are_alike, picture_names, report, squares_in
from drc.pixels import square
from scripts.lib.memory import begin_peak, peak


def write(folder, names, size=32):
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        picture = Image.new("RGB", (size, size), "white")
        ImageDraw.Draw(picture).rectangle((number * 2, 4, number * 2 + 9, 9 + 3 * number), fill=(9, 20 * number, 99))
        picture.save(folder / name)
    return folder


def read(folder, size=32):
    left_out, seen = [], []
    names = picture_names(folder, left_out, seen.append)
    found = list(squares_in(folder, names, size, lambda image, name: square(image, size, name), left_out, lambda: None))
    return [name for name, _ in found], torch.stack([one for _, one in found]), left_out


def test_2_comes_before_10(tmp_path):
    folder = write(tmp_path / "mine", [f"icon-{number}.png" for number in (10, 2, 1)] + ["B.png", "a.png"])
    write(folder / "more", ["c.png"])
    assert read(folder)[0] == ["a.png", "B.png", "icon-1.png", "icon-2.png", "icon-10.png", "more/c.png"]


def test_what_is_odd_is_told(tmp_path):
    folder = write(tmp_path / "mine", ["a.png", "b.png", "c.png"])
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "e.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not looked at")
    names, squares, left_out = read(folder)
    told = report(names, squares, left_out)
    assert told.endswith("4 pictures.") and "`d.png` is the same picture as `a.png`" in told
    assert "`e.png`: not a picture" in told and "notes" not in told and "same thing" not in told
    assert "One picture leaves open what is style" in report(names[:1], squares[:1], []) and "Blank" not in told
    told = report(names[:2], torch.stack((torch.ones_like(squares[0]), squares[1])), [])
    assert "Blank, all of one colour:\n- `a.png`" in told


def test_pictures_of_one_and_the_same_thing(tmp_path):
    names, squares, _ = read(write(tmp_path / "mine", ["a.png", "b.png"]))
    same = torch.stack((squares[0], 1 - squares[0], 0.3 + 0.5 * squares[0]))
    assert are_alike(same) and not are_alike(squares) and not are_alike(squares[:1])
    assert "nearly the same thing" in report(["a", "b", "c"], same, [])


def test_memory_does_not_grow_with_the_pictures(tmp_path):
    def grown(count):
        folder = write(tmp_path / str(count), [f"{number}.png" for number in range(count)], 1400)
        before = begin_peak()
        read(folder)
        return peak() - before

    grown(1)
    assert grown(16) < grown(2) + 2 * 1400**2 * 12  # kept whole, fourteen more would be fourteen times that much
