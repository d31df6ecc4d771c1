"""SVG drawings as trees of shapes with resolved paint, ready to be painted anew.

`parse` pulls every presentation attribute (fill, stroke, opacity, gradients, `use`, inheritance) out of the tree, so
that what stays is geometry, transforms and clips; `Drawing.layer` copies the tree and writes new paint on it.
"""

import copy
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import resvg_py
from lxml import etree
from PIL import Image, ImageColor

from drc.data.palette import Rgb, to_oklab

from .bounds import check_bounds

CANVAS = 128.0
"""Side of the canvas in the units of all widths and offsets, whatever the size in pixels."""

_GEOMETRY = {"path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
_NEVER_DRAWN = {"defs", "clipPath", "mask", "symbol", "linearGradient", "radialGradient", "pattern", "filter", "style"}
_PAINT = (
    "fill", "stroke", "color", "opacity", "fill-opacity", "stroke-opacity", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "filter", "style", "class", "id",
)  # fmt: skip
_INHERITED = ("fill", "stroke", "color", "fill-opacity", "stroke-opacity", "stroke-width")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NAMESPACE = re.compile(r"""\s+xmlns(?::xlink)?\s*=\s*["'][^"']*["']|xlink:(?=href)""")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)


@dataclass(eq=False)
class Shape:
    """One visible element: its paint as written, its mean colour, and its tone, dark (0) to light (1) in this drawing.

    overlay marks see-through shading and gloss; scale is the scale of its own and its parents' transforms.
    """

    fill: str | None
    stroke: str | None
    colour: Rgb
    opacity: float
    overlay: bool
    stroke_width: float
    scale: float
    tone: float = 0.0


@dataclass(eq=False)
class Drawing:
    """A parsed drawing: tree without paint, shapes in drawing order, gradients, box (x, y, width, height), tones."""

    root: etree._Element
    shapes: list[Shape]
    gradients: list[etree._Element]
    box: tuple[float, float, float, float]
    scale: tuple[np.ndarray, np.ndarray]

    def tone(self, colour: Rgb) -> float:
        """Where a colour lies between the darkest (0) and the lightest (1) of this drawing."""
        return float(np.interp(_darkness_key(colour), *self.scale))

    def layer(
        self,
        paint: Callable[[Shape], str | None],
        ink: Callable[[Shape], str | None] | str | None = None,
        width: float = 0.0,
        unit: float = 1.0,
        tint: Callable[[float], str] | None = None,
        shadow: tuple[float, float, str] | None = None,
    ) -> etree._Element:
        """A painted copy of the drawing, a <g> in the drawing's own coordinates.

        paint gives each shape's colour, ink the colour of its edge, `width` wide; lengths are in canvas units, `unit`
        is one of them in the drawing's own. With tint the original gradients and see-through shapes stay, their stops
        recoloured by tint(tone); without it see-through shapes are left out. shadow (x, y, colour) lies under each.
        """
        group = copy.deepcopy(self.root)
        group.tag = "g"
        if tint:
            definitions = etree.SubElement(group, "defs")
            for gradient in self.gradients:
                gradient = copy.deepcopy(gradient)
                for stop in gradient.iter("stop"):
                    colour, _ = _colour(stop.get("stop-color", "#000"))
                    stop.set("stop-color", tint(self.tone(colour)))
                definitions.append(gradient)
        for element in list(group.iter(*_GEOMETRY)):
            index = element.attrib.pop("data-shape", None)
            if index is None:
                continue
            shape = self.shapes[int(index)]
            if shape.overlay and not tint:
                element.getparent().remove(element)
                continue
            _paint_shape(element, shape, paint(shape), ink(shape) if callable(ink) else ink, width * unit, bool(tint))
            if shadow:
                _add_shadow(element, shadow, unit)
        return group


def _paint_shape(element, shape: Shape, colour, edge, width: float, keeps_shading: bool) -> None:
    keeps_gradient = keeps_shading and shape.fill and shape.fill.startswith("url(")
    element.set("fill", shape.fill if keeps_gradient else (colour or "none") if shape.fill else "none")
    element.set("stroke-linejoin", "round")
    element.set("stroke-linecap", "round")
    if keeps_shading and shape.opacity < 1:
        element.set("opacity", f"{shape.opacity:.3f}")
    width /= shape.scale
    if shape.stroke:
        # A drawn line has no inside: its edge is a wider line below it, or the line itself when nothing fills it.
        if edge and width:
            below = copy.copy(element)
            below.set("stroke", edge)
            line = shape.stroke_width + width if colour else max(width, 0.6 * shape.stroke_width)
            below.set("stroke-width", f"{line:.3f}")
            element.addprevious(below)
        if colour:
            element.set("stroke", colour)
            element.set("stroke-width", f"{shape.stroke_width:.3f}")
    elif edge and width and not shape.overlay:
        element.set("stroke", edge)
        element.set("stroke-width", f"{width:.3f}")


def _add_shadow(element, shadow: tuple[float, float, str], unit: float) -> None:
    x, y, colour = shadow
    below = copy.copy(element)
    for name in ("fill", "stroke"):
        if below.get(name, "none") != "none":
            below.set(name, colour)
    below.set("transform", f"translate({x * unit:.3f} {y * unit:.3f}) {below.get('transform', '')}")
    element.addprevious(below)


def read(svg: str) -> etree._Element:
    """The tree of one drawing without namespaces. Raises ValueError in one sentence for text that is no SVG, and for a
    drawing so large or so deep that it would end the process."""
    try:
        root = etree.fromstring(_NAMESPACE.sub(" ", svg.strip()).encode(), _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(
            f"The drawing is not well-formed SVG ({error.msg}); give the whole text of one <svg> element."
        ) from error
    check_bounds(root)
    return root


def parse(svg: str) -> Drawing:
    """Read one drawing. Raises ValueError in one sentence as `read` does, and where there is no size or no shape."""
    root = read(svg)
    if root.tag != "svg":
        raise ValueError(
            f"The drawing starts with <{root.tag}>, but one <svg> element was expected; wrap the body in <svg>."
        )
    box = [float(n) for n in _NUMBER.findall(root.get("viewBox", ""))]
    if not box:
        box = [0.0, 0.0] + [float(n) for name in ("width", "height") for n in _NUMBER.findall(root.get(name, ""))[:1]]
    if len(box) != 4 or min(box[2:]) <= 0:
        raise ValueError(
            "The drawing has no usable viewBox or width and height; give the <svg> element a viewBox of 4 numbers."
        )
    for name in ("viewBox", "width", "height"):
        root.attrib.pop(name, None)

    for element in list(root.iter("path")):
        if _starts_outside(element, box):
            element.getparent().remove(element)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    _inline_uses(root, named)
    gradients = list(root.iter("linearGradient", "radialGradient"))
    stops = {gradient.get("id"): _gradient_stops(gradient, named) for gradient in gradients}
    for gradient in gradients:
        gradient.getparent().remove(gradient)
    shapes: list[Shape] = []
    _collect(root, {"fill": "#000000"}, 1.0, 1.0, stops, shapes)
    if not shapes:
        raise ValueError("The drawing has no visible shape; give an SVG with at least one filled or stroked element.")
    if all(shape.overlay for shape in shapes):
        for shape in shapes:
            shape.overlay = False
    scale = _tone_scale(shapes)
    drawing = Drawing(root, shapes, gradients, tuple(box), scale)
    for shape in shapes:
        shape.tone = drawing.tone(shape.colour)
    return drawing


def _starts_outside(element, box: list[float]) -> bool:
    """Left-over parts beyond the view box would show once a drawing is scaled down."""
    start = re.match(rf"\s*[Mm]\s*({_NUMBER.pattern})[\s,]*({_NUMBER.pattern})", element.get("d", ""))
    parents = list(element.iterancestors())
    if start is None or any(parent.get("transform") or parent.tag in _NEVER_DRAWN for parent in [element, *parents]):
        return False
    x, y = (float(n) for n in start.groups())
    margin = 0.04 * max(box[2:])
    return not (-margin <= x - box[0] <= box[2] + margin and -margin <= y - box[1] <= box[3] + margin)


def _inline_uses(root, named: dict) -> None:
    for use in list(root.iter("use")):
        target = named.get(use.attrib.pop("href", "#")[1:])
        if target is None or target in use.iterancestors():
            use.getparent().remove(use)
            continue
        clone = copy.deepcopy(target)
        clone.tail = None
        if clone.tag == "symbol":
            clone.tag = "g"
        place = f"{use.attrib.pop('transform', '')} translate({use.attrib.pop('x', '0')} {use.attrib.pop('y', '0')})"
        if any(parent.tag == "clipPath" for parent in use.iterancestors()):
            # A clip may not hold a <g>, and the paint of what it holds does not matter.
            clone.set("transform", f"{place} {clone.get('transform', '')}")
            use.getparent().replace(use, clone)
        else:
            use.tag = "g"
            use.set("transform", place)
            use.append(clone)


def _gradient_stops(gradient, named: dict) -> list[tuple[Rgb, float]]:
    for _ in range(4):
        found = gradient.findall("stop")
        if found or not gradient.get("href"):
            break
        gradient = named.get(gradient.get("href")[1:], gradient)
    stops = []
    for stop in found:
        _spread_style(stop)
        colour, alpha = _colour(stop.get("stop-color", "#000"))
        stops.append((colour, alpha * _share(stop.get("stop-opacity", "1"))))
    return stops


def _collect(element, inherited: dict, opacity: float, scale: float, stops: dict, shapes: list[Shape]) -> None:
    if not isinstance(element.tag, str) or element.tag in _NEVER_DRAWN:
        return
    _spread_style(element)
    paint = inherited | {name: element.get(name) for name in _INHERITED if element.get(name) not in (None, "inherit")}
    opacity *= _share(element.get("opacity", "1"))
    scale *= _transform_scale(element.get("transform", ""))
    hidden = element.get("display") == "none" or element.get("visibility") == "hidden"
    for name in _PAINT:
        element.attrib.pop(name, None)
    if element.tag in _GEOMETRY:
        shape = None if hidden else _resolve(paint, opacity, scale, stops)
        if shape is None:
            element.set("visibility", "hidden")
        else:
            element.set("data-shape", str(len(shapes)))
            shapes.append(shape)
    for child in element:
        _collect(child, paint, opacity, scale, stops, shapes)


def _resolve(paint: dict, opacity: float, scale: float, stops: dict) -> Shape | None:
    parts = {}
    for name in ("fill", "stroke"):
        value = paint.get(name, "none").strip()
        if value == "currentColor":
            value = paint.get("color", "#000000")
        if value in ("none", "transparent"):
            continue
        share = opacity * _share(paint.get(f"{name}-opacity", "1"))
        if value.startswith("url("):
            colours = stops.get(value[value.find("#") + 1 : value.find(")")].strip("'\" "))
            if not colours:
                continue
            weight = sum(alpha for _, alpha in colours) or 1.0
            mean = tuple(sum(rgb[i] * alpha for rgb, alpha in colours) / weight for i in range(3))
            parts[name] = (value, mean, share, share * min(alpha for _, alpha in colours))
        else:
            colour, alpha = _colour(value)
            parts[name] = (value, colour, share * alpha, share * alpha)
    if not parts:
        return None
    _, colour, share, least = parts.get("fill") or parts["stroke"]
    fill, stroke = (parts[name][0] if name in parts else None for name in ("fill", "stroke"))
    numbers = _NUMBER.findall(paint.get("stroke-width", "1"))
    return Shape(fill, stroke, colour, share, least < 0.5, float(numbers[0]) if numbers else 1.0, scale)


def _darkness_key(colour: Rgb) -> float:
    """Lightness with a little hue, so that neighbours of equal lightness (red and green in a flag) stay apart."""
    lightness, green_red, blue_yellow = to_oklab(colour)
    return lightness - 0.2 * green_red + 0.1 * blue_yellow


def _tone_scale(shapes: list[Shape]) -> tuple[np.ndarray, np.ndarray]:
    """Keys and tones: half the rank among the drawing's colours, half the stretched lightness."""
    keys = np.array(sorted({round(_darkness_key(shape.colour), 3) for shape in shapes if not shape.overlay}))
    keys = keys[np.concatenate([[True], np.diff(keys) > 0.02])]
    if len(keys) == 1:
        return keys, np.array([0.2])
    stretched = (keys - keys[0]) / (keys[-1] - keys[0])
    return keys, (stretched + np.linspace(0, 1, len(keys))) / 2


def _spread_style(element) -> None:
    for part in element.attrib.pop("style", "").split(";"):
        name, _, value = part.partition(":")
        if value:
            element.set(name.strip(), value.strip())


def _share(value: str) -> float:
    return float(value[:-1]) / 100 if value.endswith("%") else float(value)


def _transform_scale(transform: str) -> float:
    scale = 1.0
    for name, values in re.findall(r"(matrix|scale)\s*\(([^)]*)\)", transform):
        numbers = [float(n) for n in _NUMBER.findall(values)]
        if name == "matrix":
            scale *= abs(numbers[0] * numbers[3] - numbers[1] * numbers[2]) ** 0.5
        else:
            scale *= abs(numbers[0] * numbers[-1]) ** 0.5
    return scale or 1.0


def _colour(value: str) -> tuple[Rgb, float]:
    """A CSS colour as sRGB 0..1 and its opacity. What is no colour is black, as SVG paints it."""
    value = value.strip()
    if value.startswith(("rgb(", "rgba(")):
        numbers = [_share(n) * (2.55 * 100 if n.endswith("%") else 1) for n in re.findall(r"[\d.]+%?", value)]
        return tuple(n / 255 for n in numbers[:3]), numbers[3] if len(numbers) > 3 else 1.0
    try:
        rgb = ImageColor.getrgb(value)
    except ValueError:
        return (0.0, 0.0, 0.0), 1.0
    return tuple(c / 255 for c in rgb[:3]), rgb[3] / 255 if len(rgb) > 3 else 1.0


def render(svg: str, size: int) -> np.ndarray:
    """Render SVG text with resvg: uint8 [size, size, 4], straight alpha."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA"))
