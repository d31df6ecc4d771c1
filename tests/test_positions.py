"""The grid that lies over the canvas, and the waves that tell its cells apart."""

import pytest
import torch

from drc.positions import layout, sine_positions


@pytest.mark.parametrize(
    ("count", "grid"), [(1, (1, 1)), (7, (1, 7)), (8, (2, 4)), (12, (3, 4)), (16, (4, 4)), (32, (4, 8)), (64, (8, 8))]
)
def test_any_number_of_cells_covers_the_canvas(count, grid):
    assert layout(count) == grid
    rows, columns = grid
    positions = sine_positions(count, 64).view(rows, columns, 64)
    down, across = positions.split(32, dim=2)
    assert torch.equal(down, sine_positions(rows**2, 64)[::rows, None, :32].expand(rows, columns, 32))
    assert torch.equal(across, sine_positions(columns**2, 64)[None, :columns, 32:].expand(rows, columns, 32))


def test_sine_positions_tell_cells_apart():
    positions = sine_positions(256, 64)
    distances = torch.cdist(positions, positions) + 100 * torch.eye(256)
    assert positions.shape == (256, 64)
    neighbours = distances.argmin(dim=1) - torch.arange(256)
    assert set(neighbours.abs().tolist()) <= {1, 16}  # the nearest lies beside, above or below
