"""Procedural styles: deterministic, told apart at sight, true to the drawing, with honest held-out programs."""

import dataclasses
import json

import numpy as np
import pytest

from drc.data.palette import distance, to_rgb
from scripts.datasets.raster import rasterise
from scripts.datasets.restyled.build import build_restyled
from scripts.datasets.restyled.restyle import (
    HELD_OUT_FAMILIES,
    HELD_OUT_SEED,
    TRAIN_FAMILIES,
    Program,
    held_out_programs,
    restyle,
    train_programs,
)
from scripts.datasets.svg import parse, read

FACE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><circle fill="#ffcc4d" cx="18" cy="18" r="17"/>'
    '<g fill="#664500"><ellipse cx="12" cy="14" rx="2.5" ry="4"/><ellipse cx="24" cy="14" rx="2.5" ry="4"/></g>'
    '<path style="fill:none;stroke:#664500;stroke-width:2" d="M9 23q9 8 18 0"/></svg>'
)
BALL = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 128 128"><defs>'
    '<linearGradient id="a" y2="1"><stop stop-color="#f44336"/>'
    '<stop offset="1" stop-color="#7f0000"/></linearGradient>'
    '<radialGradient id="b"><stop stop-color="#fff"/>'
    '<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>'
    '<path id="c" d="M20 20h88v88H20z"/><clipPath id="d"><use xlink:href="#c"/></clipPath></defs>'
    '<g clip-path="url(#d)">'
    '<circle cx="64" cy="64" r="60" fill="url(#a)"/><circle cx="50" cy="40" r="30" fill="url(#b)"/></g>'
    '<use xlink:href="#c" fill="none" stroke="#222" stroke-width="6"/></svg>'
)
STAR = '<svg viewBox="0 0 24 24"><path fill="currentColor" d="M12 2l3 7h7l-6 4 2 8-6-5-6 5 2-8-6-4h7z"/></svg>'
FAMILIES = TRAIN_FAMILIES + HELD_OUT_FAMILIES


def plain(family: str, seed: int = 3) -> Program:
    """A program without tilt, frame or pattern, so that drawings lie on the same pixels."""
    program = Program.sample(seed, family)
    return dataclasses.replace(program, tilt=0.0, frame=0.0, pattern="plain", scale=0.8)


def drawn(picture: np.ndarray, program: Program, threshold: int = 40) -> np.ndarray:
    """Where a picture is not its ground."""
    ground = np.array(to_rgb(program.ground)) * 255
    return np.abs(picture - ground).max(-1) > threshold


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("drawing", [FACE, BALL, STAR], ids=["face", "ball", "star"])
def test_same_seed_same_bytes(family, drawing):
    first = restyle(drawing, Program.sample(11, family), 64)
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == restyle(drawing, Program.sample(11, family), 64).tobytes()
    assert first.tobytes() != restyle(drawing, Program.sample(12, family), 64).tobytes()


def test_families_look_different():
    pictures = [restyle(FACE, plain(family), 64).astype(float) for family in FAMILIES]
    for index, first in enumerate(pictures):
        for second in pictures[:index]:
            assert np.abs(first - second).mean() > 3


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "stained_glass"])
def test_ground_is_kept(family):
    program = plain(family)
    corners = restyle(STAR, program, 64)[[1, 1, -2, -2], [1, -2, 1, -2]]
    assert np.abs(corners - np.array(to_rgb(program.ground)) * 255).max() <= 1


def test_pattern_and_frame_are_seen():
    program = plain("flat")
    bare = restyle(STAR, program, 64)
    for pattern in ("dots", "stripes", "grid", "checks", "rays"):
        assert (restyle(STAR, dataclasses.replace(program, pattern=pattern), 64) != bare).any(-1).mean() > 0.02
    framed = restyle(STAR, dataclasses.replace(program, frame=6.0), 64)
    assert np.abs(framed[1, 32] - np.array(to_rgb(program.palette[0])) * 255).max() <= 1


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f not in ("line", "neon", "hatching", "stained_glass", "halftone")]
)
def test_drawing_stays_in_place(family):
    reference = drawn(restyle(FACE, plain("flat"), 64), plain("flat"), 12)
    program = plain(family)
    shape = drawn(restyle(FACE, program, 64), program, 12)
    assert (reference & shape).sum() / (reference | shape).sum() > 0.6


@pytest.mark.parametrize("family", FAMILIES)
def test_eyes_stay_visible(family):
    program = plain(family)
    with_eyes = restyle(FACE, program, 128).astype(int)
    without = restyle(
        FACE.replace('<g fill="#664500">', '<g fill="#664500" display="none">').replace("ellipse", "desc"), program, 128
    )
    assert (np.abs(with_eyes - without).max(-1) > 40).sum() > 60


def test_flat_colours_follow_tone():
    program = plain("flat")
    picture = restyle(FACE, program, 128)
    face, eye = picture[64, 64], picture[51, 47]
    assert np.abs(face - np.array(to_rgb(program.palette[-1])) * 255).max() <= 1
    assert np.abs(eye - np.array(to_rgb(program.palette[0])) * 255).max() <= 1


def test_line_width_is_independent_of_drawing_units():
    large = STAR.replace('viewBox="0 0 24 24"', 'viewBox="0 0 240 240"').replace("<path", '<path transform="scale(10)"')
    assert np.abs(restyle(STAR, plain("outline"), 64).astype(int) - restyle(large, plain("outline"), 64)).max() <= 8


def test_clips_gradients_and_overlays():
    drawing = parse(BALL)
    assert [shape.overlay for shape in drawing.shapes] == [False, True, False]
    assert drawing.shapes[2].stroke == "#222"
    program = plain("duotone")
    picture = restyle(BALL, program, 128)
    assert not drawn(picture, program)[64, 12]  # the clip still cuts the circle
    assert np.abs(picture[50, 64].astype(int) - picture[100, 64]).max() > 20  # the gradient is still one


def test_parts_beyond_the_box_are_left_out():
    stray = STAR.replace("<path", '<path d="M25.2 2h1v3z"/><path', 1)
    assert restyle(stray, plain("flat"), 64).tobytes() == restyle(STAR, plain("flat"), 64).tobytes()


def test_held_out_programs_are_disjoint():
    trained, held_out = train_programs(300), held_out_programs(100)
    assert {program.family for program in trained} == set(TRAIN_FAMILIES)
    assert not set(TRAIN_FAMILIES) & set(HELD_OUT_FAMILIES)
    assert max(program.seed for program in trained) < HELD_OUT_SEED <= min(program.seed for program in held_out)
    assert not {program.palette for program in trained} & {program.palette for program in held_out}
    assert sum(program.family in HELD_OUT_FAMILIES for program in held_out) == 20
    assert {program.family for program in held_out} == set(FAMILIES)


def test_colours_stand_off_the_ground():
    for program in train_programs(150):
        if program.family in ("line", "silhouette", "halftone"):
            assert distance(program.ink, program.ground) > 0.25
        elif program.family not in ("sticker", "outline", "misprint"):
            assert min(distance(colour, program.ground) for colour in program.palette) > 0.06


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<svg viewBox='0 0 9 9'><path", "not well-formed SVG"),
        ("<path d='M0 0h9v9z'/>", "starts with <path>"),
        ("<svg><path d='M0 0h9v9z'/></svg>", "no usable viewBox"),
        ("<svg viewBox='0 0 9 9'><g/></svg>", "no visible shape"),
    ],
)
def test_bad_drawing_gives_one_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        restyle(text, Program.sample(0))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


NESTED = '<g id="g{0}">' + '<use href="#g{1}"/>' * 10 + "</g>"
MANY = "".join(NESTED.format(level, level - 1) for level in range(1, 12))
MASKED = '<mask id="m{0}">' + "<path d='M0 0h9v9z' style='mask: url(\"#m{1}\")'/>" * 4 + "</mask>"
MASKS = "".join(MASKED.format(level, level - 1) for level in range(12)) + '<path d="M0 0h9v9z" mask="url(#m11)"/>'
CHAIN = "".join(f'<g id="g{level}"><use href="#g{level - 1}"/></g>' for level in range(1, 5000))


@pytest.mark.parametrize("use", [read, lambda svg: restyle(svg, Program.sample(0)), lambda svg: rasterise(svg, 16)])
@pytest.mark.parametrize(
    "body", [MANY, CHAIN, "<g>" * 200 + "</g>" * 200, MASKS], ids=["many", "chain", "deep", "masks"]
)
def test_drawings_that_never_end_are_refused(use, body):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path id="g0" d="M0 0h9v9z"/>{body}</svg>'
    with pytest.raises(ValueError, match=r"once every <use> is drawn; give a simpler one\.$"):
        use(svg)


def test_a_drawing_within_itself_ends():
    body = '<path d="M0 0h9v9z"/><g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'
    assert len(parse(f'<svg viewBox="0 0 9 9">{body}</svg>').shapes) == 1


def test_unknown_family_is_named():
    with pytest.raises(ValueError, match="'cubism' is unknown; name one of flat"):
        Program.sample(0, "cubism")


def test_build_resumes_and_matches_restyle(tmp_path):
    sources = {"a/1": FACE, "a/2": BALL, "b/1": STAR}
    programs = train_programs(3)
    calls = []

    def stop_after_first(done, total):
        calls.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_restyled(sources, programs, 2, tmp_path, 32, processes=1, progress=stop_after_first)
    assert not (tmp_path / "restyled.npy").exists()
    build_restyled(sources, programs, 2, tmp_path, 32, processes=1, progress=lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    pictures, plan = np.load(tmp_path / "restyled.npy"), json.loads((tmp_path / "restyled.json").read_text())
    assert pictures.shape == (6, 32, 32, 3)
    for picture, (program, drawing) in zip(pictures, plan["rows"], strict=True):
        expected = restyle(sources[plan["drawings"][drawing]], Program.sample(**plan["programs"][program]), 32)
        assert (picture == expected).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["restyled.json", "restyled.npy"]


def test_too_few_drawings_are_told(tmp_path):
    with pytest.raises(ValueError, match="1 drawings were given, but per_program asks for 2"):
        build_restyled({"a/1": STAR}, train_programs(1), 2, tmp_path)
