"""Programs: procedural styles drawn from an integer, and which of them training may see.

All colour is mapped by tone onto a palette, so a style can be read off its pictures alone (a turn of hue could not: the
original is never seen).
"""

from dataclasses import dataclass

import numpy as np

from drc.data.palette import draw_apart, draw_palette, interpolate, oklch, to_oklab, to_rgb

from ..svg import CANVAS, Drawing

TRAIN_FAMILIES = (
    "flat", "outline", "line", "silhouette", "duotone", "gradient", "pixel", "halftone", "sticker", "night", "pastel",
    "poster", "neon", "misprint", "papercut",
)  # fmt: skip
HELD_OUT_FAMILIES = ("hatching", "stained_glass")
HELD_OUT_SEED = 1_000_000
"""Seeds from here on are never used in training."""

_GROUNDS = ("plain",) * 8 + ("dots", "stripes", "grid", "checks")


@dataclass(frozen=True)
class Program:
    """One style. Colours are hex, the palette runs from dark to light; lengths are in 1/128 of the picture.

    accent is the second colour of the ground's pattern (or of a halo), ink the colour of lines and borders; angles are
    in degrees; grid counts pixel cells across the picture, cell is the pitch of dots or hatches; variant picks one of a
    family's two forms.
    """

    seed: int
    family: str
    palette: tuple[str, ...]
    ground: str
    accent: str
    ink: str
    pattern: str
    pattern_step: float
    line_width: float
    angle: float
    cell: float
    grid: int
    variant: int
    tilt: float
    scale: float
    frame: float

    @classmethod
    def sample(cls, seed: int, family: str | None = None) -> "Program":
        """The style of an integer; the family is drawn from TRAIN_FAMILIES unless one is named."""
        rng = np.random.default_rng(seed)
        drawn = TRAIN_FAMILIES[rng.integers(len(TRAIN_FAMILIES))]
        family = family or drawn
        if family not in TRAIN_FAMILIES + HELD_OUT_FAMILIES:
            known = ", ".join(TRAIN_FAMILIES + HELD_OUT_FAMILIES)
            raise ValueError(f"The style family {family!r} is unknown; name one of {known}.")
        colours = _draw_colours(rng, family)
        plain = family in ("night", "neon", "halftone", "hatching", "stained_glass")
        wide = family in ("sticker", "night", "outline", "stained_glass", "neon", "misprint")
        narrow = {
            "line": (1.0, 4.0),
            "neon": (1.6, 2.6),
            "misprint": (1.0, 2.0),
            "hatching": (0.9, 1.6),
            "sticker": (1.6, 3.0),
        }
        return cls(
            seed=seed,
            family=family,
            **colours,
            pattern="rays" if family == "poster" else "plain" if plain else str(rng.choice(_GROUNDS)),
            pattern_step=float(rng.uniform(9, 22)),
            line_width=float(rng.uniform(*narrow.get(family, (1.6, 4.0)))),
            angle=float(rng.choice([15, 30, 45, 60, 75, 90]) + rng.uniform(-5, 5)),
            cell=float(rng.uniform(3.2, 5.6)),
            grid=int(rng.choice([20, 24, 28, 32])),
            variant=int(rng.integers(2)),
            tilt=float(rng.choice([0, 0, 0, 0, 0, 1]) * rng.uniform(-10, 10)),
            scale=float(rng.uniform(0.76, 0.82) if wide else rng.uniform(0.8, 0.88)),
            frame=float(rng.choice([0, 0, 0, 1]) * rng.uniform(2, 5)),
        )

    def step(self, tone: float) -> int:
        """The place in the palette of a tone 0..1."""
        return min(max(int(tone * len(self.palette)), 0), len(self.palette) - 1)

    def swatch(self, tone: float) -> str:
        return self.palette[self.step(tone)]

    def unit(self, drawing: Drawing) -> float:
        """One canvas unit in the units of a drawing."""
        return max(drawing.box[2:]) / (CANVAS * self.scale)


def _draw_colours(rng: np.random.Generator, family: str) -> dict:
    count = int(rng.integers(3, 7))
    if family == "pastel":
        palette = draw_palette(rng, max(count, 4), (0.55, 0.86), (0.05, 0.11))
        ground = draw_apart(rng, palette, (0.95, 0.98), (0.015, 0.04))
    elif family in ("night", "neon"):
        palette = draw_palette(rng, min(count, 4), (0.62, 0.94), (0.12, 0.24))
        ground = oklch(rng.uniform(0.14, 0.28), rng.uniform(0.01, 0.08), rng.uniform(0, 360))
    elif family == "stained_glass":
        palette = draw_palette(rng, max(count, 4), (0.42, 0.9), (0.12, 0.26))
        ground = draw_apart(rng, palette, (0.4, 0.75), (0.06, 0.16))
    elif family == "duotone":
        palette = draw_palette(
            rng, int(rng.integers(2, 4)), (rng.uniform(0.2, 0.35), rng.uniform(0.85, 0.97)), (0.03, 0.2)
        )
        ground = _draw_ground(rng, palette)
    elif family in ("outline", "misprint"):
        palette = draw_palette(rng, count, (rng.uniform(0.46, 0.58), rng.uniform(0.86, 0.96)), (0.08, 0.24))
        ground = _draw_ground(rng, palette)
    elif family == "poster":
        palette = draw_palette(rng, 3, (0.25, 0.93), (0.06, 0.22))
        ground = draw_apart(rng, palette, (0.45, 0.85), (0.08, 0.2))
    else:
        palette = draw_palette(rng, count, (rng.uniform(0.22, 0.42), rng.uniform(0.84, 0.96)), (0.07, 0.24))
        ground = _draw_ground(rng, palette)
    ink = oklch(rng.uniform(0.12, 0.3), rng.uniform(0, 0.08), rng.uniform(0, 360))
    if family in ("line", "silhouette", "halftone", "hatching"):
        light = bool(rng.random() < 0.65)
        ground = oklch(rng.uniform(0.88, 0.99), rng.uniform(0, 0.06), rng.uniform(0, 360))
        ink = oklch(rng.uniform(0.2, 0.5), rng.uniform(0, 0.22), rng.uniform(0, 360))
        if not light and family != "halftone":
            ground = oklch(rng.uniform(0.22, 0.5), rng.uniform(0.03, 0.16), rng.uniform(0, 360))
            ink = oklch(rng.uniform(0.86, 0.98), rng.uniform(0, 0.12), rng.uniform(0, 360))
    if family == "sticker":
        ink = oklch(rng.uniform(0.93, 1.0), rng.uniform(0, 0.05), rng.uniform(0, 360))
        ground = draw_apart(rng, (ink,), (0.4, 0.8), (0.05, 0.18))
    accent = draw_apart(rng, (ground,), (0.5, 0.85), (0.1, 0.2)) if family == "night" else _near(rng, ground)
    return {"palette": palette, "ground": ground, "accent": accent, "ink": ink}


def _draw_ground(rng: np.random.Generator, palette: tuple[str, ...]) -> str:
    kind = rng.random()
    if kind < 0.25 and min(int(palette[-1][i : i + 2], 16) for i in (1, 3, 5)) < 200:
        return "#ffffff"
    lightness = (0.88, 0.98) if kind < 0.6 else (0.5, 0.85)
    return draw_apart(rng, palette, lightness, (0.02, 0.06) if kind < 0.6 else (0.04, 0.17))


def _near(rng: np.random.Generator, ground: str) -> str:
    """A second ground colour for patterns: clearly seen, yet quieter than the drawing."""
    dark = to_oklab(to_rgb(ground))[0] < 0.45
    return interpolate((ground, "#ffffff" if dark else "#000000"), rng.uniform(0.08, 0.16))


def train_programs(count: int) -> list[Program]:
    """The first `count` programs for training, families in turn."""
    return [Program.sample(seed, TRAIN_FAMILIES[seed % len(TRAIN_FAMILIES)]) for seed in range(count)]


def held_out_programs(count: int) -> list[Program]:
    """Programs never trained on: all seeds (so palettes, widths, ...) are unseen, every fifth has an unseen family."""
    programs = []
    for index in range(count):
        rest, unseen = divmod(index, 5)
        families = HELD_OUT_FAMILIES if unseen == 4 else TRAIN_FAMILIES
        programs.append(
            Program.sample(HELD_OUT_SEED + index, families[(rest if unseen == 4 else index - rest) % len(families)])
        )
    return programs
