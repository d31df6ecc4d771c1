"""Pictures as SVG: what is in the file, and that it draws again what was traced."""

import io
import re
import sys

import numpy as np
import pytest
import resvg_py
from lxml import etree
from PIL import Image

from drc.complete import svg
from drc.complete.flat import require_flat
from drc.complete.palette import lock, palette_of
from scripts.lib.discs import NAVY, ROSE, SKY, WHITE, drawn, photograph, scene

NAMESPACE = "{http://www.w3.org/2000/svg}"


def locked(*pictures):
    return lock(np.stack(pictures), palette_of(pictures))


def raster(text, size=512, background=None):
    """uint8 [size, size, 4]"""
    png = resvg_py.svg_to_bytes(svg_string=text, width=size, height=size, background=background)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA"))


@pytest.fixture(scope="module")
def icon():
    """Of two colours, with a hole."""
    shapes = ((96, 96, 416, 416), SKY, NAVY, 20), ((200, 200, 312, 312), WHITE, NAVY, 20)
    return locked(drawn(*shapes))[0]


@pytest.fixture(scope="module")
def text(icon):
    return svg.trace(icon)


def test_an_icon_is_a_small_file_of_one_path_for_each_colour(text):
    root = etree.fromstring(text.encode())
    assert root.tag == NAMESPACE + "svg" and root.attrib["viewBox"] == "0 0 24 24"
    assert [path.tag for path in root] == [NAMESPACE + "path"] * 2
    assert [path.attrib["fill"] for path in root] == ["#b9d2ff", "#142864"]
    assert all(set(path.attrib) == {"fill", "d"} for path in root)
    assert all(re.fullmatch(r"[Mclz\d\s.-]+", path.attrib["d"]) for path in root)
    assert len(text) < 2500 and len(re.findall("M", text)) < 10


def test_it_can_be_stopped(icon, text):
    asked = []
    assert svg.trace(icon, on_part=lambda: asked.append(True)) == text and asked

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        svg.trace(icon, on_part=stop)


def test_it_draws_what_was_traced(icon, text):
    assert np.abs(raster(text).astype(float)[..., 3] - icon[..., 3]).mean() < 1
    found = raster(text, background="#ffffff")[..., :3]
    shown = icon[..., 3:] / 255 * icon[..., :3] + 255 - icon[..., 3:].astype(float)
    assert np.abs(found - shown).mean() < 1.5


def test_no_gap_shows_where_colours_meet(text):
    inside = drawn(((100, 100, 412, 412), "black", None, 0))[..., 0] == 0
    hole = drawn(((196, 196, 316, 316), "black", None, 0))[..., 0] < 255
    assert (raster(text)[inside & ~hole][:, 3] == 255).all()


@pytest.mark.parametrize("example", ["icons-1", "icons-2", "icons-3"])
def test_the_example_icons_are_small(root, example):
    paths = sorted((root / "nodes" / "examples" / example).glob("icon-*.png"))
    pictures = [np.asarray(Image.open(path).convert("RGB").resize((512, 512), Image.BICUBIC)) for path in paths]
    for picture in lock(np.stack(pictures[:4]), palette_of(pictures[:4])):
        text = svg.trace(picture)
        assert len(text) < 4096 and text.count("M") < 40
        assert np.abs(raster(text).astype(float)[..., 3] - picture[..., 3]).mean() < 2.5


def test_the_grid_is_what_is_asked(icon):
    for grid in (16, 24, 48, 512):
        text = svg.trace(icon, grid)
        assert f'viewBox="0 0 {grid} {grid}"' in text
        assert np.abs(raster(text).astype(float) - raster(svg.trace(icon))).mean() < 1


@pytest.mark.parametrize("sides, grid", [([32, 32], 32), ([64], 64), ([32, 48], 24), ([512, 512], 24), ([], 24)])
def test_small_pictures_are_their_own_grid(sides, grid):
    assert svg.grid_of(sides) == grid


def test_a_ground_lies_below(icon):
    text = svg.trace(icon, ground=np.array(ROSE, np.uint8))
    assert tuple(raster(text)[0, 0]) == (*ROSE, 255) and tuple(raster(text)[256, 256]) == (*ROSE, 255)


def test_nothing_drawn_is_an_empty_file():
    text = svg.trace(np.zeros((512, 512, 4), np.uint8))
    assert len(etree.fromstring(text.encode())) == 0 and not raster(text).any()


def test_a_photograph_is_told_and_png_offered():
    picture, told = photograph(), r"^picture 3 would become \d+ shapes in \d+ kB, expected a drawing of at most .*PNG"
    with pytest.raises(ValueError, match=told):
        svg.trace(locked(picture)[0], what="picture 3")


def test_a_photograph_is_told_whatever_its_palette():
    """A scene that locking makes few shapes of, as it does of most photographs."""
    svg.trace(locked(scene())[0])
    for picture in (scene(), scene(128).repeat(4, 0).repeat(4, 1), photograph()):
        with pytest.raises(ValueError, match="^picture 3 looks like a photograph or is shaded all over, .* as PNG$"):
            require_flat(picture, "picture 3")


def test_drawings_are_flat(root):
    paths = sorted((root / "nodes" / "examples").glob("*/*-[1-3].png"))
    assert len(paths) == 18
    for path in paths:
        require_flat(np.asarray(Image.open(path).convert("RGB").resize((512, 512), Image.BICUBIC)), path.name)


def test_a_picture_that_was_not_locked_is_told():
    picture = np.dstack((photograph(), np.full((512, 512), 255, np.uint8)))
    with pytest.raises(ValueError, match="^the picture would become shapes of too many colours"):
        svg.trace(picture)


def test_holes_of_a_pin_are_filled(icon):
    pricked = icon.copy()
    pricked[256:260, 130:134] = 0
    assert (raster(svg.trace(pricked))[250:266, 124:140, 3] == 255).all() and not pricked[257, 131].any()


def test_a_missing_package_is_a_sentence(icon, monkeypatch):
    monkeypatch.setitem(sys.modules, "vtracer", None)
    for call in (svg.require, lambda: svg.trace(icon)):
        with pytest.raises(ValueError, match="pip install vtracer with the Python of ComfyUI"):
            call()
