"""Exact pairs: one drawing under many programs, many drawings under one program.

Two programs on one drawing make an exact pair of equal meaning, two drawings under one program one of equal style.
"""

import math

import numpy as np
from lxml import etree

from drc.pixels import to_bytes

from ..svg import CANVAS, Drawing, parse, render
from .effects import FINISHES, TREATMENTS
from .program import (
    HELD_OUT_FAMILIES,
    HELD_OUT_SEED,
    TRAIN_FAMILIES,
    Program,
    held_out_programs,
    train_programs,
)

__all__ = [
    "HELD_OUT_FAMILIES",
    "HELD_OUT_SEED",
    "TRAIN_FAMILIES",
    "Program",
    "held_out_programs",
    "restyle",
    "train_programs",
]


def restyle(svg: str, program: Program, size: int = 128) -> np.ndarray:
    """Paint one SVG drawing under a program: uint8 [size, size, 3]. The same arguments give the same bytes.

    Raises ValueError, one sentence, for text that is not a drawing.
    """
    drawing = parse(svg)
    placed = _placed(drawing, TREATMENTS[program.family](drawing, program), program)
    finish = FINISHES.get(program.family)
    if finish is None:
        return render(_page(_ground(program) + placed + _frame(program)), size)[..., :3]
    picture = render(_page(placed), size) / 255
    ground = render(_page(_ground(program)), size)[..., :3] / 255
    return to_bytes(finish(picture, ground, program))


def _page(body: str) -> str:
    side = int(CANVAS)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{body}</svg>'


def _placed(drawing: Drawing, layers: list, program: Program) -> str:
    x, y, width, height = drawing.box
    half = CANVAS / 2
    scale = 1 / program.unit(drawing)
    middle = f"{-x - width / 2} {-y - height / 2}"
    place = f"translate({half} {half}) rotate({program.tilt:.2f}) scale({scale:.5f}) translate({middle})"
    return f'<g transform="{place}">{"".join(etree.tostring(layer).decode() for layer in layers)}</g>'


def _ground(program: Program) -> str:
    paper = f'<rect width="100%" height="100%" fill="{program.ground}"/>'
    step, colour = program.pattern_step, program.accent
    if program.pattern == "plain":
        return paper
    if program.pattern == "rays":
        corners = [(64 + 100 * math.cos(k * math.pi / 12), 64 + 100 * math.sin(k * math.pi / 12)) for k in range(24)]
        rays = "".join(
            f"M64 64L{a:.1f} {b:.1f}L{c:.1f} {d:.1f}Z"
            for (a, b), (c, d) in zip(corners[::2], corners[1::2], strict=True)
        )
        return f'{paper}<path d="{rays}" fill="{colour}"/>'
    marks = {
        "dots": f'<circle cx="{step / 2}" cy="{step / 2}" r="{step / 5}" fill="{colour}"/>',
        "stripes": f'<rect width="{step / 2}" height="{step}" fill="{colour}"/>',
        "grid": f'<path d="M0 0H{step}M0 0V{step}" stroke="{colour}" stroke-width="{step / 6}"/>',
        "checks": f'<path d="M0 0H{step / 2}V{step}H{step}V{step / 2}H0Z" fill="{colour}"/>',
    }
    turn = 0 if program.pattern in ("grid", "checks") else program.angle
    return (
        f'<pattern id="ground" width="{step}" height="{step}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({turn:.1f})">'
        f'{marks[program.pattern]}</pattern>{paper}<rect width="100%" height="100%" fill="url(#ground)"/>'
    )


def _frame(program: Program) -> str:
    if not program.frame:
        return ""
    width, side = program.frame, CANVAS - program.frame
    return (
        f'<rect x="{width / 2}" y="{width / 2}" width="{side}" height="{side}" rx="3" fill="none" '
        f'stroke="{program.palette[0]}" stroke-width="{width}"/>'
    )
