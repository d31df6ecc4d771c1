"""The families of procedural styles: how a drawing is painted, and what happens to its pixels afterwards.

A treatment turns a parsed drawing into layers of SVG. Where a vector form makes no sense, a finish turns the rendered
drawing (float [S, S, 4], straight alpha, 0..1) over its ground (float [S, S, 3]) into a picture [S, S, 3].
"""

import math

import numpy as np
from lxml import etree
from PIL import Image

from drc.data.palette import interpolate, to_rgb

from ..svg import CANVAS, Drawing
from .program import Program


def flat(drawing: Drawing, program: Program) -> list[etree._Element]:
    return [drawing.layer(lambda shape: program.swatch(shape.tone))]


def outline(drawing: Drawing, program: Program) -> list[etree._Element]:
    unit, width = program.unit(drawing), program.line_width
    return [
        drawing.layer(lambda shape: program.ink, program.ink, 2 * width, unit=unit),
        drawing.layer(lambda shape: program.swatch(shape.tone), program.ink, 0.6 * width, unit=unit),
    ]


def line(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Ink edges on the ground; with variant 1 the darkest parts stay solid ink."""
    solid = 0.25 if program.variant else -1.0
    return [
        drawing.layer(
            lambda shape: program.ink if shape.tone < solid else program.ground if shape.fill else None,
            program.ink,
            program.line_width,
            unit=program.unit(drawing),
        )
    ]


def silhouette(drawing: Drawing, program: Program) -> list[etree._Element]:
    """One ink with inner lines of the ground; with variant 1 the light parts are half a tone instead."""
    unit = program.unit(drawing)
    if program.variant:
        half = interpolate((program.ground, program.ink), 0.42)
        return [drawing.layer(lambda shape: half if shape.tone > 0.55 else program.ink)]
    body = drawing.layer(lambda shape: program.ink, program.ink, 2.0, unit=unit)
    if not any(shape.fill for shape in drawing.shapes):
        return [body]
    return [
        body,
        drawing.layer(lambda shape: program.ink if shape.fill else program.ground, program.ground, 1.3, unit=unit),
    ]


def shading(drawing: Drawing, program: Program) -> list[etree._Element]:
    """The original's gradients and gloss, all colours mapped along the palette by tone."""
    return [
        drawing.layer(
            lambda shape: interpolate(program.palette, shape.tone),
            tint=lambda tone: interpolate(program.palette, tone),
        )
    ]


def gradient(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Every part runs from its own colour of the palette to another one, all in the same direction."""
    layer = drawing.layer(lambda shape: f"url(#sweep{program.step(shape.tone)})")
    for element in layer.iter():
        stroke = element.get("stroke", "")
        if stroke.startswith("url(#sweep"):
            element.set("stroke", program.palette[int(stroke[10:-1])])
    x, y = math.cos(math.radians(program.angle)) / 2, math.sin(math.radians(program.angle)) / 2
    count = len(program.palette)
    definitions = etree.SubElement(layer, "defs")
    for index, colour in enumerate(program.palette):
        sweep = etree.SubElement(definitions, "linearGradient", id=f"sweep{index}")
        for name, value in zip(("x1", "y1", "x2", "y2"), (0.5 - x, 0.5 - y, 0.5 + x, 0.5 + y), strict=True):
            sweep.set(name, f"{value:.3f}")
        etree.SubElement(sweep, "stop", {"offset": "0.1", "stop-color": colour})
        end = interpolate((colour, program.palette[(index + count // 2) % count]), 0.65)
        etree.SubElement(sweep, "stop", {"offset": "0.9", "stop-color": end})
    return [layer]


def sticker(drawing: Drawing, program: Program) -> list[etree._Element]:
    """A wide border around the cut-out drawing and a shadow below it."""
    unit, width = program.unit(drawing), 4 * program.line_width
    shadow = drawing.layer(lambda shape: "#000000", "#000000", width, unit=unit)
    shadow.set("transform", f"translate({1.6 * unit:.3f} {3.2 * unit:.3f})")
    dimmed = etree.Element("g", opacity="0.35")
    dimmed.append(shadow)
    border = drawing.layer(lambda shape: program.ink, program.ink, width, unit=unit)
    return [dimmed, border, drawing.layer(lambda shape: program.swatch(shape.tone))]


def night(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Bright colours in reversed order of tone, with a halo."""
    unit = program.unit(drawing)
    layers = []
    for width, opacity in ((16, "0.16"), (9, "0.22"), (4, "0.3")):
        halo = etree.Element("g", opacity=opacity)
        halo.append(drawing.layer(lambda shape: program.accent, program.accent, width, unit=unit))
        layers.append(halo)
    return [*layers, drawing.layer(lambda shape: program.swatch(1 - shape.tone))]


def neon(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Glowing tubes along every edge on a dark ground."""
    unit, width = program.unit(drawing), program.line_width

    def glow(shape):
        return program.swatch(shape.tone)

    layers = [drawing.layer(lambda shape: program.ground if shape.fill else None, glow, width, unit=unit)]
    for factor, opacity in ((4.5, "0.14"), (2.6, "0.22")):
        halo = etree.Element("g", opacity=opacity)
        halo.append(drawing.layer(lambda shape: None, glow, factor * width, unit=unit))
        layers.append(halo)
    return layers


def misprint(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Colour and line printed out of register."""
    unit = program.unit(drawing)
    x, y = (math.cos(math.radians(program.angle)), math.sin(math.radians(program.angle)))
    colour = drawing.layer(lambda shape: program.swatch(shape.tone))
    colour.set("transform", f"translate({5 * x * unit:.3f} {5 * y * unit:.3f})")
    # The mask hides the lines that lie behind other parts without covering the colour below.
    mask = etree.Element("mask", id="lines", maskUnits="userSpaceOnUse", **_sheet(drawing))
    mask.append(
        drawing.layer(lambda shape: "#000000" if shape.fill else None, "#ffffff", program.line_width, unit=unit)
    )
    ink = etree.Element("rect", fill=program.ink, mask="url(#lines)", **_sheet(drawing))
    return [colour, mask, ink]


def _sheet(drawing: Drawing) -> dict[str, str]:
    """A rectangle well beyond the drawing's box."""
    x, y, width, height = drawing.box
    return {"x": f"{x - width}", "y": f"{y - height}", "width": f"{3 * width}", "height": f"{3 * height}"}


def papercut(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Sheets of paper, each with a shadow on what lies below."""
    x, y = (math.cos(math.radians(program.angle)), math.sin(math.radians(program.angle)))
    shadow = (2.4 * x, 2.4 * abs(y), interpolate((program.ground, "#000000"), 0.6))
    return [drawing.layer(lambda shape: program.swatch(shape.tone), unit=program.unit(drawing), shadow=shadow)]


def hatching(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Pen lines: the darker a part, the more sets of parallel strokes cross in it."""
    unit = program.unit(drawing)
    layer = drawing.layer(
        lambda shape: f"url(#hatch{min(int(4 * shape.tone), 3)})", program.ink, program.line_width, unit=unit
    )
    step = program.cell * unit
    definitions = etree.SubElement(layer, "defs")
    for level in range(4):
        # Lines of a tile run along its diagonals, so that they go on in the next tile.
        pattern = etree.SubElement(
            definitions,
            "pattern",
            id=f"hatch{level}",
            width=f"{step:.3f}",
            height=f"{step:.3f}",
            patternUnits="userSpaceOnUse",
            patternTransform=f"rotate({program.angle:.1f})",
        )
        etree.SubElement(pattern, "rect", width=f"{step:.3f}", height=f"{step:.3f}", fill=program.ground)
        middle = f"{step / 2:.3f}"
        strokes = [((0, middle), (step, middle))] * (level < 3) + [((middle, 0), (middle, step))] * (level < 2)
        strokes += [((0, 0), (step, step))] * (level < 1)
        for (x1, y1), (x2, y2) in strokes:
            etree.SubElement(
                pattern,
                "line",
                {"x1": f"{x1}", "y1": f"{y1}", "x2": f"{x2}", "y2": f"{y2}"},
                stroke=program.ink,
                **{"stroke-width": f"{0.22 * step:.3f}"},
            )
    return [layer]


def stained_glass(drawing: Drawing, program: Program) -> list[etree._Element]:
    unit = program.unit(drawing)
    return [
        drawing.layer(lambda shape: program.ink, program.ink, 2 * program.line_width, unit=unit),
        drawing.layer(lambda shape: program.swatch(shape.tone), program.ink, 0.8 * program.line_width, unit=unit),
    ]


def over(drawing: np.ndarray, ground: np.ndarray) -> np.ndarray:
    return drawing[..., :3] * drawing[..., 3:] + ground * (1 - drawing[..., 3:])


def _boxes(values: np.ndarray, size: int) -> np.ndarray:
    """Mean over equal boxes: [S, S] to [size, size]."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((size, size), Image.Resampling.BOX))


def pixelate(drawing: np.ndarray, ground: np.ndarray, program: Program) -> np.ndarray:
    """Each cell of the grid takes the colour most of it has; dark parts count more, or eyes and mouths would vanish."""
    size, grid = len(ground), program.grid
    colours = np.array([to_rgb(colour) for colour in (*program.palette, program.ground, program.accent)])
    shown = len(program.palette)
    nearest = np.square(drawing[..., None, :3] - colours[:shown]).sum(-1).argmin(-1)
    solid = drawing[..., 3] > 0.5
    votes = np.stack([_boxes((nearest == index) & solid, grid) for index in range(shown)], -1)
    votes[..., 0] *= 1.8
    below = np.square(
        np.stack([_boxes(ground[..., i], grid) for i in range(3)], -1)[..., None, :] - colours[shown:]
    ).sum(-1)
    filled = _boxes(solid, grid) > 0.38
    cells = np.where(filled[..., None], colours[votes.argmax(-1)], colours[shown + below.argmin(-1)])
    if program.variant:
        padded = np.pad(filled, 1)
        beside = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        cells[beside & ~filled] = to_rgb(program.ink)
    index = np.arange(size) * grid // size
    return cells[index][:, index]


def halftone(drawing: np.ndarray, ground: np.ndarray, program: Program) -> np.ndarray:
    """A turned grid of dots, larger where the drawing is darker; with variant 1 over a light fill."""
    size = len(ground)
    cell = program.cell * size / CANVAS
    angle = math.radians(program.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    y, x = np.mgrid[:size, :size] + 0.5
    u, v = (cos * x + sin * y) / cell, (cos * y - sin * x) / cell
    darkness = 0.1 + 0.9 * (1 - drawing[..., 0])
    radius = 0.64 * cell * np.sqrt(darkness)
    across = np.hypot(u - np.floor(u) - 0.5, v - np.floor(v) - 0.5) * cell
    dots = (np.clip(radius - across + 0.5, 0, 1) * drawing[..., 3])[..., None]
    base = ground
    if program.variant:
        share = drawing[..., 3:]
        base = ground * (1 - share) + np.array(to_rgb(program.palette[-1])) * share
    return base * (1 - dots) + np.array(to_rgb(program.ink)) * dots


def posterise(drawing: np.ndarray, ground: np.ndarray, program: Program) -> np.ndarray:
    """Three tones with hard borders."""
    tones = np.array([to_rgb(colour) for colour in program.palette])
    edges = np.arange(1, len(tones)) / len(tones)
    # The steps are a few greys wide, so that borders inside the drawing are as smooth as its outline.
    level = np.clip((drawing[..., :1] - edges) * 12 + 0.5, 0, 1).sum(-1)
    below = np.minimum(level.astype(int), len(tones) - 2)
    share = (level - below)[..., None]
    return over(np.concatenate([tones[below] * (1 - share) + tones[below + 1] * share, drawing[..., 3:]], -1), ground)


def facets(drawing: np.ndarray, ground: np.ndarray, program: Program) -> np.ndarray:
    """Panes of glass of uneven brightness, leaded together across drawing and ground."""
    size = len(ground)
    rng = np.random.default_rng(program.seed)
    points = rng.uniform(0, size, (program.grid, 2))
    y, x = np.mgrid[:size, :size] + 0.5
    squares = np.square(points[:, 0, None, None] - x) + np.square(points[:, 1, None, None] - y)
    pane, beside = np.argpartition(squares, 1, axis=0)[:2]
    gap = np.linalg.norm(points[pane] - points[beside], axis=-1)
    first, second = (np.take_along_axis(squares, index[None], 0)[0] for index in (pane, beside))
    border = (second - first) / (2 * gap)
    lead = np.clip(0.3 * program.line_width * size / CANVAS - border + 0.5, 0, 1)[..., None]
    picture = over(drawing, ground) * rng.uniform(0.78, 1.15, len(points))[pane][..., None]
    return np.clip(picture * (1 - lead) + np.array(to_rgb(program.ink)) * lead, 0, 1)


def greys(drawing: Drawing, program: Program) -> list[etree._Element]:
    """Tone as grey, for finishes that read the darkness only."""

    def grey(tone):
        return "#" + f"{round(255 * tone):02x}" * 3

    return [drawing.layer(lambda shape: grey(shape.tone), tint=grey)]


TREATMENTS = {
    "flat": flat,
    "outline": outline,
    "line": line,
    "silhouette": silhouette,
    "duotone": shading,
    "gradient": gradient,
    "pixel": flat,
    "halftone": greys,
    "sticker": sticker,
    "night": night,
    "pastel": shading,
    "poster": greys,
    "neon": neon,
    "misprint": misprint,
    "papercut": papercut,
    "hatching": hatching,
    "stained_glass": stained_glass,
}
FINISHES = {"pixel": pixelate, "halftone": halftone, "poster": posterise, "stained_glass": facets}
