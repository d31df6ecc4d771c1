"""Save Icon Set: files that are called what they show, and nothing that was there before is touched."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scripts.lib.discs import NAVY, disc
from scripts.lib.sentence import sentence_shown as sentence

ICONS = torch.from_numpy(np.stack([disc(size=64), disc(NAVY, size=64)])).float() / 255


class SVG:
    def __init__(self, *files):
        self.data = [BytesIO(file) for file in files]


@pytest.fixture
def saved(execute, host_folders):
    """Runs the node; the names of the files in the folder that it tells, and that folder."""

    def run(**given):
        folder = Path(execute("DRC_SaveSet", **{"folder": "mine", **given})[0])
        assert folder.parent == host_folders / "output"
        return sorted(path.name for path in folder.iterdir()), folder

    return run


def test_files_are_called_what_they_show(saved):
    names, folder = saved(images=ICONS, svg=SVG(b"<svg>1</svg>", b"<svg>2</svg>"), names="camera\nmap pin")
    assert names == ["camera.png", "camera.svg", "map-pin.png", "map-pin.svg"]
    for name, icon in zip(("camera", "map-pin"), (disc(size=64), disc(NAVY, size=64)), strict=True):
        with Image.open(folder / f"{name}.png") as file:
            assert not file.info and np.array_equal(np.asarray(file), icon)  # no workflow in it
    assert (folder / "map-pin.svg").read_bytes() == b"<svg>2</svg>"


def test_without_names_they_are_numbered(saved):
    assert saved(images=ICONS)[0] == ["1.png", "2.png"]


def test_names_that_files_cannot_share_have_a_number(saved):
    assert saved(images=ICONS, names="Key!\nkey")[0] == ["Key.png", "key-2.png"]


def test_the_mask_of_lock_palette_makes_them_transparent(saved):
    masks = torch.zeros(2, 64, 64)
    masks[0, :10] = 1
    _, folder = saved(images=ICONS, transparent=masks)
    with Image.open(folder / "1.png") as one, Image.open(folder / "2.png") as other:
        assert one.mode == other.mode == "RGBA"
        alpha = np.asarray(one)[..., 3]
        assert not alpha[:10].any() and (alpha[10:] == 255).all() and (np.asarray(other)[..., 3] == 255).all()


def test_nothing_is_overwritten(saved):
    first, second = saved(images=ICONS), saved(images=ICONS.flip(0))
    assert (first[1].name, second[1].name) == ("mine", "mine-2")
    assert first[0] == second[0] and (first[1] / "1.png").read_bytes() == (second[1] / "2.png").read_bytes()


def test_what_is_new_joins_what_is_there(saved):
    """PNG and SVG of two nodes, and other words of another day, lie in one folder."""
    folders = [saved(images=ICONS, names="a\nb")[1], saved(svg=SVG(b"1", b"2"), names="a\nb")[1]]
    names, folder = saved(images=ICONS, names="c\nd")
    assert names == ["a.png", "a.svg", "b.png", "b.svg", "c.png", "d.png"] and folders == [folder, folder]
    assert saved(images=ICONS, names="d\ne")[0] == ["d.png", "e.png"]


WRONG = {
    "images and svg are not connected; connect one of them, or both": {},
    "names has 1 lines, but images has 2; connect the names of the node": {"images": ICONS, "names": "one"},
    "names has 2 lines, but svg has 1; connect the names of the node": {"svg": SVG(b"1"), "names": "one\ntwo"},
    "transparent has 3 masks, but images has 2 pictures": {"images": ICONS, "transparent": torch.zeros(3, 64, 64)},
    "mask 1 of transparent is 9 x 8 pixels, but picture 1": {"images": ICONS, "transparent": torch.zeros(2, 8, 9)},
    "folder is '../mine', expected letters, digits, spaces, dots": {"images": ICONS, "folder": "../mine"},
    "svg is '<svg/>', expected files of SVG; correct it where it comes from": {"svg": "<svg/>"},
    "line 2 of names has 101 letters, expected at most 100": {"images": ICONS, "names": "a\n" + "b" * 101},
}


@pytest.mark.parametrize("said", WRONG)
def test_what_does_not_fit_is_one_sentence_and_leaves_nothing(execute, host_folders, said):
    shown = sentence(execute, "DRC_SaveSet", **{"folder": "mine", **WRONG[said]})
    assert shown.startswith(f"Save Icon Set: {said}")
    assert not any((host_folders / "output").iterdir())


def test_cancel_keeps_what_is_saved(execute, host_folders, assert_cancelled):
    assert_cancelled(lambda: execute("DRC_SaveSet", folder="mine", images=torch.cat((ICONS, ICONS))))
    assert len([*(host_folders / "output" / "mine").iterdir()]) == 3
