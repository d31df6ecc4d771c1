"""Positions on the canvas: the grid that a number of cells forms on it, and sine waves that tell its cells apart."""

import math

import torch
from torch import Tensor

POSITION_SCALE = 0.5
"""Of the waves, where they are start values of a model that learns to read them. Ours."""
FASTEST = 3.5
"""Octaves from the slowest wave, half of one across the canvas, to the fastest, nearly six. Ours."""


def layout(count: int) -> tuple[int, int]:
    """Rows and columns of the grid of `count` cells that lies over the canvas: as square as `count` allows, and never
    higher than wide."""
    rows = max(divisor for divisor in range(1, math.isqrt(count) + 1) if count % divisor == 0)
    return rows, count // rows


def sine_positions(count: int, width: int) -> Tensor:
    """Two-dimensional sine positions [count, width] of the cell centres of a canvas, cut as `layout` says."""
    frequency = 2 ** torch.linspace(0, FASTEST, width // 4)

    def wave(cells: int) -> Tensor:
        centre = (torch.arange(cells, dtype=torch.float32) + 0.5) / cells
        angle = torch.outer(centre, frequency) * torch.pi
        return torch.cat((angle.sin(), angle.cos()), dim=1)  # cells, width / 2

    rows, columns = layout(count)
    down = wave(rows)[:, None].expand(rows, columns, -1)
    across = wave(columns)[None].expand(rows, columns, -1)
    return torch.cat((down, across), dim=2).reshape(count, width)
