"""The same picture in another style: exactly repeatable, clearly another style, still the same thing."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from drc.data.palette import to_rgb
from drc.data.repaint import FAMILIES, Repaint, draw_repaints, repaint

EXAMPLES = Path(__file__).parents[1] / "nodes" / "examples"


def read(path, size=128):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BOX))


def landscape(size=128):
    """Like a photograph: no plain ground, soft changes, noise."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:size, :size] / size
    sky = np.stack((90 + 120 * y, 130 + 60 * y, 220 - 90 * y), -1)
    hill = (y > 0.62 + 0.12 * np.sin(7 * x))[..., None]
    sun = (np.hypot(x - 0.7, y - 0.3) < 0.13)[..., None]
    tree = ((np.abs(x - 0.3) < 0.03) & (y > 0.35) & (y < 0.75))[..., None]
    picture = np.where(sun, (255, 225, 120), np.where(hill, (60, 95, 45), sky))
    picture = np.where(tree, (70, 45, 30), picture) + rng.normal(0, 6, (size, size, 3))
    return picture.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures():
    names = [f"example-{e}/{name}.png" for e in (1, 2, 3) for name in ("reference", "history-1", "history-4")]
    return [read(EXAMPLES / name) for name in names] + [landscape()]


def outlines(picture):
    """Where colours change, on a coarse grid, as a vector of mean 0 and length 1."""
    # Blurred, because dots and strokes are texture.
    colours = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2.5)), np.float32)
    steep = np.hypot(*np.gradient(colours, axis=(0, 1))).max(-1)
    # Square roots, because a style decides how strong an edge is, not where.
    coarse = np.sqrt(Image.fromarray(steep).resize((24, 24), Image.Resampling.BOX)).ravel()
    coarse -= coarse.mean()
    return coarse / np.linalg.norm(coarse)


def test_enough_families_with_plain_names():
    wanted = "palette line silhouette posterise pixels halftone outline shading invert duotone"
    assert set(wanted.split()) <= set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_exactly_repeatable(family, pictures):
    for picture in (pictures[0], pictures[-1]):
        before = picture.copy()
        first, second = (repaint(picture, Repaint(family, 7)) for _ in range(2))
        assert first.dtype == np.uint8 and first.shape == picture.shape and first.flags.c_contiguous
        assert np.array_equal(first, second) and np.array_equal(picture, before)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_style_is_seen_at_once(family, pictures):
    """Between a picture and its repaint, and between two styles of one family, most pixels differ clearly."""
    styles = draw_repaints([family], 6, seed=3)
    painted = [[repaint(picture, style).astype(int) for picture in pictures] for style in styles]
    for style in painted:
        assert np.mean([np.abs(a - b).mean() for a, b in zip(style, pictures, strict=True)]) > 25
    apart = [np.abs(np.array(a) - np.array(b)).mean() for i, a in enumerate(painted) for b in painted[:i]]
    assert np.median(apart) > 20 and min(apart) > 4


def test_families_differ_in_more_than_colour(pictures):
    """Even as greys of equal mean and contrast no two families give the same pictures."""

    def greys(family):
        rows = []
        for picture in pictures:
            grey = repaint(picture, Repaint(family, 11)).astype(np.float32).mean(-1)
            rows.append((grey - grey.mean()) / (grey.std() + 1e-6))
        return np.array(rows)

    seen = {family: greys(family) for family in FAMILIES}
    for index, first in enumerate(FAMILIES):
        for second in FAMILIES[:index]:
            alike = (seen[first] * seen[second]).mean()
            assert alike < 0.96, (first, second)


@pytest.mark.parametrize("family", FAMILIES)
def test_meaning_is_kept(family, pictures):
    """The outlines of a repaint are those of its own picture rather than of any other."""
    own = np.array([outlines(picture) for picture in pictures])
    right = []
    for style in draw_repaints([family], 4, seed=9):
        alike = np.array([outlines(repaint(picture, style)) for picture in pictures]) @ own.T
        right += list(alike.argmax(1) == np.arange(len(pictures)))
    assert np.mean(right) >= 0.95


@pytest.mark.parametrize("family", ("posterise", "pixels", "silhouette"))
def test_colours_are_those_of_the_style(family, pictures):
    """Nothing of the picture's own colours comes through, so the style can be read off any of its pictures."""
    for style in draw_repaints([family], 4, seed=1):
        look = style.look
        ends = [look.ink, look.ground] if family == "silhouette" else [*look.palette, look.ground]
        allowed = 255 * np.array([to_rgb(colour) for colour in ends])
        for picture in pictures[:-1]:
            first, counts = np.unique(repaint(picture, style).reshape(-1, 3), axis=0, return_counts=True)
            # On a line between two allowed colours: a tone between two swatches, or a soft border.
            a, b = allowed[:, None, None], allowed[None, :, None]
            share = ((first - a) * (b - a)).sum(-1) / np.maximum(((b - a) ** 2).sum(-1), 1)
            off = np.linalg.norm(first - (a + share.clip(0, 1)[..., None] * (b - a)), axis=-1).min((0, 1))
            assert counts[off < 3].sum() / counts.sum() > 0.9


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("error")
def test_flat_and_odd_pictures(family):
    for colour in ((0, 0, 0), (255, 255, 255), (128, 90, 200)):
        for size in (1, 2, 17, 128):
            flat = np.full((size, size, 3), colour, np.uint8)
            assert repaint(flat, Repaint(family, 2)).shape == flat.shape
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert repaint(noise, Repaint(family, 2)).shape == noise.shape


@pytest.mark.parametrize("family", FAMILIES)
def test_a_style_looks_the_same_at_every_size(family):
    """Coarse enough for the grids of dots and strokes, which may fall differently."""
    name = EXAMPLES / "example-3" / "reference.png"
    small, large = (repaint(read(name, size), Repaint(family, 4)) for size in (128, 256))
    small, large = (
        np.asarray(Image.fromarray(p).resize((16, 16), Image.Resampling.BOX), float) for p in (small, large)
    )
    assert np.abs(small - large).mean() < 6


def test_drawing_styles():
    families = ["line", "pixels", "line", "neon"]
    styles = draw_repaints(families, 31, seed=5)
    counts = [sum(style.family == family for style in styles) for family in ("line", "pixels", "neon")]
    assert sum(counts) == 31 and max(counts) - min(counts) <= 1
    assert len(set(styles)) == 31
    assert styles[:10] == draw_repaints(families, 10, seed=5)
    assert not set(styles) & set(draw_repaints(families, 31, seed=6))
    assert [Repaint(**json.loads(json.dumps({"family": s.family, "seed": s.seed}))) for s in styles] == styles
    assert all(0 <= style.seed < 2**53 for style in styles)
    assert draw_repaints(families, 0, seed=5) == []


def test_bad_families():
    with pytest.raises(
        ValueError, match=r"restylings names 'oil', expected only palette, line, .*; choose among them$"
    ):
        draw_repaints(["line", "oil"], 3, seed=0)
    with pytest.raises(ValueError, match=r"restylings is empty.* choose among palette, line"):
        draw_repaints([], 3, seed=0)
    with pytest.raises(ValueError, match=r"restylings names ''"):
        Repaint("", 0)
