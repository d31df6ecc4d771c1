"""The sheet that a poster is drawn on, and the patterns printed on its paper."""

import math

from drc.data.palette import interpolate

from .palettes import Palette

SIDE = 128
"""Side of the sheet in the units of all lengths, whatever the size in pixels."""


def page(body: str) -> str:
    """SVG text of a whole sheet."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">{body}</svg>'


def rays() -> str:
    corners = [(64 + 100 * math.cos(k * math.pi / 12), 64 + 100 * math.sin(k * math.pi / 12)) for k in range(24)]
    return "".join(
        f"M64 64L{a:.1f} {b:.1f}L{c:.1f} {d:.1f}Z" for (a, b), (c, d) in zip(corners[::2], corners[1::2], strict=True)
    )


def disc(x: float, y: float, radius: float) -> str:
    half = f"a{radius:.2f} {radius:.2f} 0 1 0"
    return f"M{x - radius:.2f} {y}{half} {2 * radius:.2f} 0{half} {-2 * radius:.2f} 0Z"


def dots() -> str:
    """Dots on a slanted grid that grow from the top to the bottom of the sheet."""
    rows = ((row, 7 * (row % 2) // 2) for row in range(19))
    return "".join(disc(x, 7 * row, 0.5 + 0.12 * row) for row, start in rows for x in range(start, 132, 7))


def checks() -> str:
    return "".join(f"M{16 * (2 * k + row % 2)} {16 * row}h16v16h-16Z" for row in range(8) for k in range(4))


def slants() -> str:
    return "".join(f"M{x} 0h7l-128 128h-7Z" for x in range(0, 256, 16))


def waves() -> str:
    """Wavy bands; each is closed by the same wave below it."""
    crest = "q8 -7 16 0t16 0t16 0t16 0t16 0t16 0t16 0t16 0"
    back = "q-8 7 -16 0t-16 0t-16 0t-16 0t-16 0t-16 0t-16 0t-16 0"
    return "".join(f"M0 {y}{crest}v4{back}Z" for y in range(4, 128, 14))


GROUNDS = {
    "plain": lambda: "", "rays": rays, "dots": dots, "checks": checks, "slants": slants, "waves": waves,
}  # fmt: skip


def ground(name: str, palette: Palette) -> str:
    """The paper, and the pattern in a colour between paper and panel, quieter than what stands on it."""
    quiet = interpolate((palette.paper, palette.panel), 0.3)
    return f'<rect width="100%" height="100%" fill="{palette.paper}"/><path d="{GROUNDS[name]()}" fill="{quiet}"/>'
