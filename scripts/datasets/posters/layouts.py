"""The layouts of the posters: where title and subject stand, and the shape that is laid on the paper.

Lengths are in 1/128 of the poster, x to the right and y down.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..svg import render
from .page import disc, page


@dataclass(frozen=True)
class Layout:
    """`title` is (centre x, centre y, width, height, degrees of turn), `subject` (centre x, centre y, side).

    `panel` is the path of the shape. The other two tell what title and subject stand on: "paper", "panel" or "both".
    """

    title: tuple[float, float, float, float, float]
    subject: tuple[float, float, float]
    panel: str
    title_on: str = "paper"
    subject_on: str = "paper"


def star(x: float, y: float, outer: float, inner: float, points: int = 20) -> str:
    corners = []
    for corner in range(2 * points):
        radius, angle = (outer, inner)[corner % 2], math.pi * corner / points
        corners.append(f"{x + radius * math.cos(angle):.1f} {y + radius * math.sin(angle):.1f}")
    return f"M{'L'.join(corners)}Z"


LAYOUTS = {
    "arch": Layout((64, 112, 112, 22, 0), (64, 57, 66), "M24 96V48a40 40 0 0 1 80 0V96Z", subject_on="panel"),
    "band": Layout((64, 109, 114, 26, 0), (64, 46, 80), "M0 90H128V128H0Z", title_on="panel"),
    "banner": Layout(
        (64, 25, 92, 22, 0), (64, 84, 76), "M0 9L128 9L119 25L128 41L0 41L9 25Z", title_on="panel"
    ),
    "bowl": Layout((64, 22, 114, 26, 0), (64, 80, 70), "M10 60H118A54 60 0 0 1 10 60Z", subject_on="both"),
    "columns": Layout((64, 111, 82, 22, 0), (64, 54, 76), "M0 0H17V128H0ZM111 0H128V128H111Z"),
    "corner": Layout(
        (60, 20, 104, 26, 0), (84, 84, 68), "M128 30V128H30A98 98 0 0 1 128 30Z", subject_on="panel"
    ),
    "diamond": Layout((64, 15, 112, 20, 0), (64, 76, 56), "M64 26L114 76L64 126L14 76Z", subject_on="panel"),
    "disc": Layout((64, 111, 114, 24, 0), (64, 52, 62), disc(64, 52, 44), subject_on="panel"),
    "frame": Layout((64, 100, 96, 20, 0), (64, 50, 68), "M0 0H128V128H0ZM8 8V120H120V8Z"),
    "half": Layout((64, 109, 114, 26, 0), (64, 45, 76), "M0 0H128V90H0Z", subject_on="panel"),
    "hill": Layout((64, 111, 110, 22, 0), (64, 50, 78), "M0 104Q64 78 128 104V128H0Z", title_on="panel"),
    "pennant": Layout((64, 108, 114, 28, 0), (64, 40, 58), "M20 0H108V88L64 74L20 88Z", subject_on="panel"),
    "plinth": Layout((64, 17, 114, 24, 0), (64, 69, 66), "M14 104H114V114H122V128H6V114H14Z"),
    "slope": Layout((46, 108, 84, 24, 0), (58, 50, 74), "M128 0V128H100Q118 64 84 0Z"),
    "spine": Layout((18, 64, 116, 24, -90), (82, 64, 80), "M0 0H36V128H0Z", title_on="panel"),
    "stamp": Layout((64, 16, 114, 22, 0), (64, 79, 58), star(64, 79, 46, 40), subject_on="panel"),
    "stripes": Layout((64, 64, 112, 24, 0), (64, 25, 46), "M0 84H128V94H0ZM0 99H128V109H0ZM0 114H128V124H0Z"),
    "sunrise": Layout((64, 18, 114, 24, 0), (64, 88, 66), "M6 128A58 76 0 0 1 122 128Z", subject_on="panel"),
    "ticket": Layout(
        (64, 30, 92, 22, 0),
        (64, 80, 58),
        "M10 8H118V46A8 8 0 0 0 118 62V120H10V62A8 8 0 0 0 10 46Z",
        title_on="panel",
        subject_on="panel",
    ),
    "wedge": Layout((64, 110, 112, 24, 0), (64, 56, 72), "M0 0H128L0 92Z", subject_on="both"),
}  # fmt: skip


def alike(names: list[str]) -> np.ndarray:
    """[names, names]: correlation of the plans, three channels that show panel, title and subject as solid areas."""
    plans = np.array([plan(LAYOUTS[name]) for name in names]).reshape(len(names), -1)
    return np.corrcoef(plans)


def plan(layout: Layout, size: int = 32) -> np.ndarray:
    """[3, size, size] in 0..1."""
    x, y, width, height, turn = layout.title
    title = (
        f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" '
        f'transform="rotate({turn} {x} {y})"/>'
    )
    x, y, side = layout.subject
    subject = f'<rect x="{x - side / 2}" y="{y - side / 2}" width="{side}" height="{side}"/>'
    panel = f'<path d="{layout.panel}" fill-rule="evenodd"/>'
    return np.stack([render(page(body), size)[..., 3] / 255 for body in (panel, title, subject)])
