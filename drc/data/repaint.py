"""The same picture in another style, its meaning kept: exact pairs from any drawing, painting or photograph.

All colour is mapped by tone onto a palette, so a style can be read off its pictures alone (a turn of hue could not: the
original is never seen). Lengths are in 1/128 of the picture, so that a style looks the same at every size.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageFilter

from ..pixels import from_planes, to_bytes_upwards, to_numbers, to_planes
from .palette import draw_apart, draw_palette, interpolate, oklch, to_rgb

CANVAS = 128
_TONES = np.linspace(0, 1, 256)


@dataclass(frozen=True)
class Look:
    """The parameters of one style. The palette runs from dark to light; ink is the colour of lines and bodies.

    line, cell and grid are the width of lines, the pitch of dots or hatches and the pixels across; angle is in radians;
    levels counts flat tones; variant picks one of a family's two forms.
    """

    palette: tuple[str, ...]
    ground: str
    ink: str
    line: float
    cell: float
    grid: int
    angle: float
    levels: int
    variant: int

    @property
    def dark(self) -> bool:
        """Light ink on a dark ground."""
        return sum(to_rgb(self.ground)) < sum(to_rgb(self.ink))

    def along(self, tone: np.ndarray) -> np.ndarray:
        """The palette's colours at tones [S, S]: [3, S, S]."""
        at = np.linspace(0, 1, len(self.palette))
        colours = np.array([to_rgb(colour) for colour in self.palette])
        index = to_bytes_upwards(tone)
        return np.stack([np.interp(_TONES, at, channel).astype(np.float32)[index] for channel in colours.T])


@dataclass(frozen=True)
class Repaint:
    """One style: its family and the number that all its parameters follow from. ValueError for an unknown family."""

    family: str
    seed: int

    def __post_init__(self):
        _check([self.family])

    @cached_property
    def look(self) -> Look:
        rng = np.random.default_rng([FAMILIES.index(self.family), self.seed])
        palette, ground, ink = _draw_colours(rng, self.family)
        return Look(
            palette=palette,
            ground=ground,
            ink=ink,
            line=float(rng.uniform(1.5, 3.4)),
            cell=float(rng.uniform(3.4, 5.0)),
            grid=int(rng.choice([28, 32, 36, 40, 48])),
            angle=math.radians(rng.choice([15, 45, 75, 105, 135, 165]) + rng.uniform(-8, 8)),
            levels=int(rng.integers(3, 5)),
            variant=int(rng.integers(2)),
        )


def draw_repaints(families: Sequence[str], count: int, seed: int) -> list[Repaint]:
    """`count` distinct styles, the families in turn; for one seed a shorter list is the beginning of a longer one.

    Raises ValueError for an unknown family and for no family at all.
    """
    families = list(dict.fromkeys(families))
    _check(families)
    rng = np.random.default_rng(seed)
    # Numbers below 2^53 survive JSON; a dict keeps the order and drops what was drawn twice.
    seeds: dict[int, None] = {}
    while len(seeds) < count:
        seeds[int(rng.integers(2**53))] = None
    return [Repaint(families[index % len(families)], drawn) for index, drawn in enumerate(seeds)]


def repaint(picture: np.ndarray, program: Repaint) -> np.ndarray:
    """A picture uint8 [S, S, 3] in the style of a program, same shape and type."""
    painted = PAINTERS[program.family](_see(picture), program.look)
    return from_planes(to_bytes_upwards(painted))


def _check(families: Sequence[str]) -> None:
    known = ", ".join(FAMILIES)
    if not families:
        raise ValueError(f"restylings is empty, expected at least one; choose among {known}")
    for family in families:
        if family not in FAMILIES:
            raise ValueError(f"restylings names {family!r}, expected only {known}; choose among them")


def _draw_colours(rng: np.random.Generator, family: str) -> tuple[tuple[str, ...], str, str]:
    """Palette, ground and ink."""
    count = int(rng.integers(3, 6))
    hue, dark = rng.uniform(0, 360), bool(rng.random() < 0.35)
    light_ground = oklch(rng.uniform(0.86, 0.98), rng.uniform(0, 0.07), hue + rng.uniform(90, 270))
    dark_ground = oklch(rng.uniform(0.18, 0.36), rng.uniform(0.02, 0.12), hue + rng.uniform(90, 270))
    dark_ink = oklch(rng.uniform(0.18, 0.46), rng.uniform(0.03, 0.2), hue)
    light_ink = oklch(rng.uniform(0.84, 0.96), rng.uniform(0.02, 0.16), hue)
    palette = draw_palette(rng, count, (rng.uniform(0.24, 0.4), rng.uniform(0.86, 0.95)), (0.08, 0.24))
    if family in ("line", "silhouette", "halftone", "hatching"):
        return palette, *((dark_ground, light_ink) if dark else (light_ground, dark_ink))
    if family == "neon":
        palette = draw_palette(rng, 3, (0.68, 0.92), (0.14, 0.26))
        return palette, oklch(rng.uniform(0.12, 0.32), rng.uniform(0.02, 0.14), hue), palette[0]
    if family == "shading":
        # One hue, as if carved from one material.
        chroma = rng.uniform(0.03, 0.16)
        steps = zip(np.linspace(rng.uniform(0.2, 0.3), 0.97, 4), (0.8, 1, 0.9, 0.4), strict=True)
        palette = tuple(oklch(step, chroma * share, hue) for step, share in steps)
    elif family == "duotone":
        palette = draw_palette(rng, 2, (rng.uniform(0.24, 0.42), rng.uniform(0.82, 0.94)), (0.12, 0.26))
    elif family == "invert":
        palette = draw_palette(rng, 3, (rng.uniform(0.14, 0.38), rng.uniform(0.84, 0.96)), (0.1, 0.24))
    elif family == "outline":
        palette = draw_palette(rng, count, (rng.uniform(0.5, 0.6), rng.uniform(0.88, 0.96)), (0.08, 0.22))
    ground = draw_apart(rng, palette, (0.45, 0.85) if dark else (0.86, 0.98), (0.02, 0.16))
    return palette, ground, oklch(rng.uniform(0.12, 0.28), rng.uniform(0, 0.08), hue)


@dataclass(frozen=True)
class _Seen:
    """What painters read from a picture, maps [S, S] in 0..1.

    light: how light it is; figure: 1 where it is no ground (everywhere, when no one colour surrounds the picture);
    tone: lightness with the figure's own range stretched to 0..1.
    """

    picture: Image.Image
    light: np.ndarray
    tone: np.ndarray
    figure: np.ndarray
    plain: bool

    @property
    def unit(self) -> float:
        """1/128 of the picture in pixels."""
        return self.picture.width / CANVAS

    def edges(self, width: float) -> np.ndarray:
        """Lines of one width, in 1/128 of the picture, along all borders of colour."""
        sigma = max(width * self.unit / 2.355, 0.6)  # the slope of a blurred border is half its peak this far apart
        soft = to_planes(np.asarray(self.picture.filter(ImageFilter.GaussianBlur(sigma))), np.float32)
        across, down = _slopes(soft)
        slope = np.sqrt((across * across + down * down).max(0))
        peak = _largest(slope, math.ceil(1.2 * sigma))
        contrast = peak * (sigma * math.sqrt(2 * math.pi))  # of the border whose slope this is, in 0..255
        # In a picture with strong borders weak ones are texture.
        floor = 14 + 0.2 * _highest(contrast, 0.05)
        return np.clip((slope / (peak + 1e-3) - 0.5) * sigma / 0.59 + 0.5, 0, 1) * np.clip(contrast / floor - 0.5, 0, 1)

    def body(self, dark: bool) -> np.ndarray:
        """What a silhouette fills: the figure, or without a plain ground the dark half (the light half if not dark)."""
        if self.plain:
            return self.figure
        # Compared with what surrounds it, or whole faces would be lost in a dark or light part of the picture.
        tone = _blur(self.tone, 1.2 * self.unit)
        tone = np.clip(tone + 0.7 * (0.5 - _blur(tone, 12 * self.unit)), 0, 1)
        part = np.clip((_middle(tone) - tone) * 10 + 0.5, 0, 1)
        return part if dark else 1 - part


def _see(picture: np.ndarray) -> _Seen:
    image = Image.fromarray(picture)
    grey = np.asarray(image.convert("L"))
    colours = to_planes(picture, np.int16)
    border = np.concatenate((colours[:, 0], colours[:, -1], colours[:, :, 0], colours[:, :, -1]), axis=1)
    ground = np.median(border, axis=1).astype(np.int16).reshape(3, 1, 1)
    plain = bool((np.abs(border - ground[:, 0]).max(0) < 24).mean() > 0.7)
    figure = np.ones(grey.shape, np.float32)
    if plain:
        apart = np.abs(colours - ground).max(0).astype(np.float32)
        # Where most of the figure stands out strongly, a faint difference is a shadow or glow on the ground.
        low = 8 + 0.12 * _highest(apart, 0.02)
        figure = np.clip((apart - low) / (1.4 * low), 0, 1)
    return _Seen(image, _stretched(grey, grey), _stretched(grey, grey[figure > 0.5]), figure, plain)


def _stretched(grey: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Greys so that those of `among` fill 0..1; little contrast stays little."""
    share = np.bincount(among.ravel(), minlength=256).cumsum() / max(among.size, 1)
    low, high = (int(np.searchsorted(share, at)) for at in (0.02, 0.98))
    span = max(high - low, 64)
    low = min(max((low + high - span) / 2, 0), 255 - span) if among.size else 0
    return np.clip((grey - np.float32(low)) / span, 0, 1)


def _middle(tone: np.ndarray) -> float:
    """The tone that best divides dark from light (Otsu 1979)."""
    counts = np.bincount((63 * tone).astype(int).ravel(), minlength=64)
    below = counts.cumsum()
    total = (counts * np.arange(64)).cumsum()
    spread = (total[-1] * below / max(below[-1], 1) - total) ** 2 / np.maximum(below * (below[-1] - below), 1)
    return (int(spread.argmax()) + 1) / 64


def _blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """Maps in 0..1, blurred (in 256 steps)."""
    image = Image.fromarray(to_bytes_upwards(values)).filter(ImageFilter.GaussianBlur(sigma))
    return to_numbers(np.asarray(image))


def _slopes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of [..., S, S] along x and along y, per pixel."""
    padded = np.pad(values, ((0, 0),) * (values.ndim - 2) + ((1, 1), (1, 1)), "edge")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    return across, (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2


def _largest(values: np.ndarray, reach: int) -> np.ndarray:
    """The largest value within `reach` pixels in x and y."""
    for _ in range(reach):
        padded = np.pad(values, ((0, 0), (1, 1)), "edge")
        values = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), values)
        padded = np.pad(values, ((1, 1), (0, 0)), "edge")
        values = np.maximum(np.maximum(padded[:-2], padded[2:]), values)
    return values


def _highest(values: np.ndarray, share: float) -> float:
    """The value that this share of all values exceeds."""
    index = int(values.size * (1 - share))
    return float(np.partition(values.ravel(), index)[index])


def _over(cover: np.ndarray, above: np.ndarray | str, below: np.ndarray | str) -> np.ndarray:
    """One colour or picture over another one, where and as much as the map cover [S, S] says."""
    above, below = (np.float32(to_rgb(c)).reshape(3, 1, 1) if isinstance(c, str) else c for c in (above, below))
    return below + (above - below) * cover


def _steps(tone: np.ndarray, levels: int, unit: float) -> np.ndarray:
    """Tones in flat, smoothly bordered steps."""
    tone = _blur(tone, 0.9 * unit) * levels
    step = np.clip(np.floor(tone + 0.5), 1, levels - 1)  # the nearest border between two levels
    return (step - 0.5 + np.clip((tone - step) * 2.5, -0.5, 0.5)) / (levels - 1)


def _turned(seen: _Seen, pitch: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across a turned grid, in cells."""
    x = np.arange(seen.picture.width, dtype=np.float32) + 0.5
    cos, sin = math.cos(angle) / (pitch * seen.unit) * x, math.sin(angle) / (pitch * seen.unit) * x
    return cos + sin[:, None], cos[:, None] - sin


def _amount(seen: _Seen, look: Look) -> np.ndarray:
    """How much ink a picture needs: dark ink where it is dark, light ink where it is light; some in all of a figure."""
    tone = _blur(seen.tone, 0.8 * seen.unit)
    amount = tone if look.dark else 1 - tone
    return (0.15 + 0.85 * amount) * seen.figure if seen.plain else amount


def palette(seen: _Seen, look: Look) -> np.ndarray:
    """All tones along a palette, the ground in a colour of its own."""
    return _over(seen.figure, look.along(seen.tone), look.ground)


def line(seen: _Seen, look: Look) -> np.ndarray:
    """Pen lines along the borders; in one of two forms the darkest parts are solid."""
    ink = seen.edges(look.line)
    if look.variant:
        tone = _blur(seen.tone, seen.unit)
        ink = np.maximum(ink, np.clip((0.22 - tone) * 12, 0, 1) * seen.figure)
    return _over(ink, look.ink, look.ground)


def silhouette(seen: _Seen, look: Look) -> np.ndarray:
    """One body of ink, its inner borders cut out; in one of two forms its light parts are half a tone instead."""
    body = seen.body(not look.dark)
    if look.variant:
        tone = _blur(seen.tone, seen.unit)
        light = np.clip((tone - _middle(seen.tone[seen.figure > 0.5])) * 8 + 0.5, 0, 1)
        ink = _over(light, interpolate((look.ground, look.ink), 0.5), look.ink)
        return _over(body, ink, look.ground)
    return _over(body * (1 - seen.edges(1.5)), look.ink, look.ground)


def posterise(seen: _Seen, look: Look) -> np.ndarray:
    """A few flat tones with clear borders."""
    return _over(seen.figure, look.along(_steps(seen.tone, look.levels, seen.unit)), look.ground)


def pixels(seen: _Seen, look: Look) -> np.ndarray:
    """Large square pixels in a few colours."""
    size, grid = seen.picture.width, min(look.grid, seen.picture.width)

    def boxes(values):
        image = Image.fromarray(to_bytes_upwards(values))
        return to_numbers(np.asarray(image.resize((grid, grid), Image.Resampling.BOX)))

    cover = boxes(seen.figure)
    # The tone of a cell is that of its figure alone, a little darker, or eyes and mouths would vanish.
    tone = boxes(seen.tone * seen.figure) / np.maximum(cover, 0.1)
    count = look.levels + 1
    step = np.clip(np.floor(count * (1.08 * tone - 0.06)), 0, count - 1) / (count - 1)
    cells = _over((cover > 0.4).astype(np.float32), look.along(step), look.ground)
    index = np.arange(size) * grid // size
    return cells[:, index][:, :, index]


def halftone(seen: _Seen, look: Look) -> np.ndarray:
    """A turned grid of dots, or of lines, that grow with the amount of ink, over a tint of it."""
    amount = _amount(seen, look)
    along, across = _turned(seen, look.cell, look.angle)
    along, across = along - np.floor(along) - 0.5, across - np.floor(across) - 0.5
    if look.variant:
        gap, reach = np.abs(across), 0.52 * amount
    else:
        gap, reach = np.hypot(along, across), 0.68 * np.sqrt(amount)
    ink = np.clip((reach - gap) * look.cell * seen.unit + 0.5, 0, 1) * np.clip(amount * 12, 0, 1)
    return _over(np.maximum(ink, 0.4 * amount), look.ink, look.ground)


def outline(seen: _Seen, look: Look) -> np.ndarray:
    """Flat colours inside bold ink lines."""
    fill = _over(seen.figure, look.along(_steps(seen.tone, look.levels, seen.unit)), look.ground)
    return _over(seen.edges(1.2 * look.line), look.ink, fill)


def shading(seen: _Seen, look: Look) -> np.ndarray:
    """As if carved from one material and lit from one side."""
    height = 0.5 * _blur(seen.tone, 1.1 * seen.unit) + 0.8 * _blur(seen.figure, 3 * seen.unit)
    across, down = _slopes(height)
    lit = (math.cos(look.angle) * across - abs(math.sin(look.angle)) * down) * seen.unit * -5
    tone = 0.5 + lit + 0.5 * (seen.tone - 0.5)
    return _over(seen.figure, look.along(tone), look.ground)


def invert(seen: _Seen, look: Look) -> np.ndarray:
    """A negative: light and dark change places."""
    return look.along(1 - seen.light)


def duotone(seen: _Seen, look: Look) -> np.ndarray:
    """Two inks for the whole picture, ground included."""
    return look.along(seen.light)


def hatching(seen: _Seen, look: Look) -> np.ndarray:
    """Pen strokes: the more ink a part needs, the more sets of parallel strokes cross in it."""
    amount = _amount(seen, look)
    ink = seen.edges(1.4)
    pitch = 1.25 * look.cell
    for start, turn in ((0.12, 0), (0.45, math.pi / 2), (0.75, math.pi / 4)):
        across = _turned(seen, pitch, look.angle + turn)[1]
        gap = np.abs(across - np.floor(across) - 0.5)
        stroke = np.clip((0.11 - gap) * pitch * seen.unit + 0.5, 0, 1)
        ink = np.maximum(ink, stroke * np.clip((amount - start) * 12, 0, 1))
    return _over(ink, look.ink, look.ground)


def neon(seen: _Seen, look: Look) -> np.ndarray:
    """Glowing lines in the dark."""
    lines = seen.edges(0.8 * look.line)
    colour = look.along(_blur(seen.tone, 3 * seen.unit))
    glow = np.clip(0.9 * _blur(lines, 4 * seen.unit) + 0.12 * seen.figure * seen.plain, 0, 1)
    return _over(lines, colour + 0.25 * lines, _over(glow, colour, look.ground))


PAINTERS: dict[str, Callable[[_Seen, Look], np.ndarray]] = {
    painter.__name__: painter
    for painter in (
        palette, line, silhouette, posterise, pixels, halftone, outline, shading, invert, duotone, hatching, neon,
    )
}  # fmt: skip
FAMILIES = tuple(PAINTERS)
"""The names of all families. New ones are appended: a style's parameters follow from the place of its family here."""
