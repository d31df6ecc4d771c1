"""Lock Palette and Pictures to SVG: the colours of a history, and files that the host's own node saves."""

import importlib
import sys
import threading

import numpy as np
import pytest
import torch
from comfy import model_management
from lxml import etree

from drc.complete.palette import lock, palette_of
from drc.complete.svg import MISSING
from scripts.lib.discs import NAVY, SKY, disc, photograph, scene
from scripts.lib.sentence import sentence_shown as sentence


def as_image(*pictures):
    return torch.from_numpy(np.stack(pictures)).float() / 255


@pytest.fixture(scope="module")
def mine():
    return as_image(disc(size=256), disc(size=256, box=(64, 64, 448, 448)))


@pytest.fixture(scope="module")
def drawings():
    """In colours that are a little off."""
    return as_image(disc((205, 220, 250), (40, 52, 95)), disc((170, 200, 250), (10, 20, 80)))


@pytest.fixture(autouse=True)
def svg_type(pack, monkeypatch):
    """What newer hosts have in their API; the oldest keeps it in a node that only a server can import."""
    kind = type("SVG", (), {"__init__": lambda self, data: setattr(self, "data", data), "combine": None})
    monkeypatch.setattr(pack.nodes.host.io.SVG, "Type", kind)


@pytest.fixture
def told(pack, monkeypatch):
    texts = []
    show = pack.nodes.host.show_text
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: texts.append(text) or show(hidden, text))
    return texts


@pytest.mark.parametrize("node", ["DRC_LockPalette", "DRC_PicturesToSVG"])
def test_what_a_mask_covers_is_white(graph, mine, drawings, node):
    """As Load Image hands on a sticker: other colours under what is transparent."""
    mask = torch.zeros(drawings.shape[:3])
    mask[:, :40] = 1
    hidden, white = drawings.clone(), drawings.clone()
    hidden[:, :40], white[:, :40] = torch.tensor([0.1, 0.2, 0.5]), 1
    found, expected, without = (
        graph.outputs(node, images=images, history=mine, **given)[0]
        for images, given in ((hidden, {"images_mask": mask}), (white, {}), (hidden, {}))
    )
    plain = (
        (lambda one: [file.getvalue() for file in one.data])
        if node == "DRC_PicturesToSVG"
        else (lambda one: one.tolist())
    )
    assert plain(found) == plain(expected) != plain(without)


def test_small_pictures_are_made_sharp_and_get_the_colours_of_the_history(graph, mine):
    small = as_image(disc((205, 220, 250), (40, 52, 95), size=128))
    pictures, masks = graph.outputs("DRC_LockPalette", images=small, history=mine)
    assert pictures.shape == (1, 512, 512, 3) and masks.shape == (1, 512, 512)
    assert torch.equal(pictures[0, 256, 256], torch.tensor(SKY) / 255)
    assert masks[0, 0, 0] == 1 and masks[0, 256, 256] == 0
    truth = as_image(disc())
    assert (pictures - truth).abs().mean() < 0.01


def test_pictures_of_full_size_are_locked_as_they_are(graph, mine):
    whole = disc((205, 220, 250), (40, 52, 95))
    pictures, masks = graph.outputs("DRC_LockPalette", images=as_image(whole), history=mine)
    palette = palette_of([disc(size=256), disc(size=256, box=(64, 64, 448, 448))])
    assert torch.equal(masks[0], torch.from_numpy(255 - lock(whole[None], palette)[0, ..., 3]) / 255)


def test_pictures_of_other_sizes_and_shapes_come_out_alike(graph, classes, mine):
    lists = [[as_image(disc(size=40))[:, 5:], as_image(disc(size=700))], [mine], [0], [16]]
    names = ("images", "history", "colours", "size")
    with torch.inference_mode():
        pictures, masks = classes["DRC_LockPalette"].execute(**dict(zip(names, lists, strict=True))).result
    assert pictures.shape == (2, 16, 16, 3) and masks.shape == (2, 16, 16)


def test_every_picture_is_a_file_in_the_colours_of_the_history(graph, mine, drawings, told):
    files = graph.run("DRC_PicturesToSVG", images=drawings, history=mine)
    assert len(files.data) == 2
    for file in files.data:
        root = etree.fromstring(file.getvalue())
        assert [one.attrib["fill"] for one in root] == ["#" + bytes(colour).hex() for colour in (SKY, NAVY)]
        assert root.attrib["viewBox"] == "0 0 24 24"
    assert told[-1].startswith("2 SVG, ") and told[-1].endswith(" kB")


def test_what_is_left_out_takes_its_name_with_it(graph, mine, drawings, told):
    pictures = torch.cat((drawings[:1], as_image(photograph()), drawings[1:]))
    files, names = graph.outputs("DRC_PicturesToSVG", images=pictures, history=mine, names="key\ncat\nmap pin")
    assert len(files.data) == 2 and names == ["key", "map pin"] and "Left out: 'cat' " in told[-1]
    unnamed = graph.outputs("DRC_PicturesToSVG", images=pictures, history=mine)
    assert unnamed[1] == ["1", "3"] and "Left out: picture 2 of images " in told[-1]


def test_without_a_history_pictures_keep_their_colours(graph):
    files = graph.run("DRC_PicturesToSVG", images=as_image(disc()), grid=48, ground="filled")
    root = etree.fromstring(files.data[0].getvalue())
    assert [one.attrib["fill"] for one in root] == ["#ffffff", "#b9d2ff", "#142864"]
    assert root.attrib["viewBox"] == "0 0 48 48"


def test_a_small_history_is_the_grid(graph, drawings):
    files = graph.run("DRC_PicturesToSVG", images=drawings[:1], history=as_image(disc(size=32, width=40)))
    assert etree.fromstring(files.data[0].getvalue()).attrib["viewBox"] == "0 0 32 32"


def test_a_photograph_among_drawings_is_left_out_and_told(graph, told):
    files = graph.run("DRC_PicturesToSVG", images=as_image(disc(), scene()), colours=8)
    assert len(files.data) == 1
    assert "Left out: picture 2 of images looks like a photograph" in told[-1] and "save it as PNG" in told[-1]


def test_photographs_alone_are_a_sentence(graph):
    text = sentence(graph.run, "DRC_PicturesToSVG", images=as_image(photograph()), colours=8)
    assert text.startswith("Pictures to SVG: picture 1 of images looks like a photograph ") and "save it as PNG" in text


def test_without_the_package_only_what_waits_for_the_files_stops(graph, drawings, mine, told, monkeypatch):
    from comfy_execution.graph_utils import ExecutionBlocker

    monkeypatch.setitem(sys.modules, "vtracer", None)
    found = graph.run("DRC_PicturesToSVG", images=drawings, history=mine)
    assert isinstance(found, ExecutionBlocker) and found.message is None
    assert told == [f"{MISSING}."]


@pytest.mark.parametrize("node", ["DRC_LockPalette", "DRC_PicturesToSVG"])
def test_cancel_is_heard_between_pictures(graph, mine, drawings, node, assert_cancelled):
    assert_cancelled(lambda: graph.outputs(node, images=drawings, history=mine))


def test_broken_pictures_are_a_sentence(graph, mine, drawings):
    broken = drawings.clone()
    broken[1, 3, 3] = float("nan")
    text = sentence(graph.outputs, "DRC_LockPalette", images=broken, history=mine)
    assert text.startswith("Lock Palette: picture 2 of images holds numbers from")
    text = sentence(graph.outputs, "DRC_PicturesToSVG", images=drawings, history=mine * 3)
    assert text.startswith("Pictures to SVG: picture 1 of history holds numbers from")


@pytest.mark.parametrize("work", ["sizes.prepared", "palette.measured", "palette.lock_one", "svg.traced"])
def test_cancel_does_not_wait_for_the_picture_that_is_worked_on(graph, pack, monkeypatch, drawings, mine, work):
    module, name = work.split(".")
    end = threading.Event()

    def long(*_):
        model_management.interrupt_current_processing(True)
        end.wait(60)

    monkeypatch.setattr(importlib.import_module(f"{pack.__name__}.drc.complete.{module}"), name, long)
    try:
        with pytest.raises(model_management.InterruptProcessingException):
            graph.outputs("DRC_PicturesToSVG", images=drawings, history=mine)
    finally:
        end.set()
        model_management.interrupt_current_processing(False)
