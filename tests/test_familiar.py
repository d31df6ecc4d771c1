"""Drawings are told from photographs: the examples of this pack from noise as photographs have it."""

import pytest
import torch

import drc
from drc.familiar import is_unfamiliar

SIZE = 128


def like_a_photograph(seed: int, slope: float) -> torch.Tensor:
    """A picture [3, S, S] in 0..1 whose frequencies fall as those of natural pictures do."""
    random = torch.Generator().manual_seed(seed)
    frequencies = torch.fft.fftfreq(SIZE)
    radius = (frequencies[:, None] ** 2 + frequencies**2).sqrt().clamp(min=1 / SIZE)
    waves = torch.fft.fft2(torch.randn(3, SIZE, SIZE, generator=random)) / radius**slope
    picture = torch.fft.ifft2(waves).real
    return ((picture - picture.mean()) / picture.std() * 0.2 + 0.5).clamp(0, 1)


@pytest.mark.parametrize("slope", [0, 0.8, 1, 1.2])
def test_noise_is_no_drawing(slope):
    assert all(is_unfamiliar(like_a_photograph(seed, slope)) for seed in range(4))


def test_examples_are_drawings(root):
    lmm = drc.load().lmm
    files = sorted((root / "nodes" / "examples").rglob("*.png"))
    assert len(files) > 40
    assert not [file for file in files if is_unfamiliar(lmm.prepare(*drc.read(file), file.name))]
