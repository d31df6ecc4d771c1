"""The network that makes pictures sharp, against what ncnn, which its weights come from, makes of the same picture."""

import shutil

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from drc.sharpener import WEIGHTS, load_sharpener
from drc.tensor_file import header_in, look

OF_NCNN = """
   0.0105 0.7374 0.0770 0.6266  0.3211 0.4686 0.7926 0.1773  0.9574 0.1745 0.6748 0.6157  0.4981 0.8528 0.0000 0.4894
   0.1080 0.9673 0.0479 0.5981  0.5820 0.3447 0.8420 0.0442  1.0000 0.2598 0.6746 0.7280  0.4581 0.8115 0.2268 0.6362
   0.3794 0.6474 0.2025 0.6121  0.6984 0.2065 0.9070 0.1616  0.6271 0.2945 0.6856 0.7565  0.2538 0.8642 0.0000 0.6845
"""
"""Every sixth pixel of what ncnn 1.0.20261020 makes in float32 of `PICTURE` with realesr-animevideov3-x4."""
PICTURE = (torch.arange(3 * 6 * 6) * 37 % 101 / 100).view(1, 3, 6, 6)


@pytest.fixture(scope="module")
def network():
    return load_sharpener()


def test_it_makes_what_ncnn_makes(network):
    found = network(PICTURE)[0, :, 1::6, 2::6].flatten()
    torch.testing.assert_close(found, torch.tensor([float(word) for word in OF_NCNN.split()]), atol=1e-4, rtol=0)


def test_pictures_become_four_times_as_large_each_for_itself(network):
    images = torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    found = network(images)
    assert found.shape == (2, 3, 32, 48) and found.min() >= 0 and found.max() <= 1
    torch.testing.assert_close(found[1:], network(images[1:]))


def test_a_disc_comes_nearer_to_a_true_one_than_by_smoothing(network):
    places = torch.linspace(-1, 1, 256)
    disc = (torch.hypot(places, places[:, None]) > 0.6).float().expand(1, 3, -1, -1)
    disc = F.avg_pool2d(disc, 2)
    small = F.avg_pool2d(disc, 4)
    smooth = F.interpolate(small, scale_factor=4, mode="bicubic").clamp(0, 1)
    assert (network(small) - disc).square().mean() < 0.5 * (smooth - disc).square().mean()


def test_the_file_says_whose_it_is():
    header = header_in(WEIGHTS, look(WEIGHTS).metadata)
    assert header["licence"] == "BSD-3-Clause, Copyright (c) 2021, Xintao Wang" and "SRVGG" in header["architecture"]


def lacking(path):
    tensors = load_file(path)
    del tensors["out.bias"]
    save_file(tensors, path)


def another(path):
    save_file(load_file(path) | {"out.bias": torch.zeros(12)}, path)


def no_number(path):
    save_file(load_file(path) | {"slopes.0.weight": torch.full((64,), torch.nan)}, path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-7]), "is not a readable safetensors file"),
        (lambda path: path.unlink(), "is not a readable safetensors file"),
        (lacking, r"does not hold the weights that make pictures sharp \(1 missing or of another size, 0 unexpected"),
        (another, r"does not hold the weights that make pictures sharp \(1 missing or of another size"),
        (no_number, "holds numbers in slopes.0.weight that are none"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, damage, told):
    path = tmp_path / "sharpener.safetensors"
    shutil.copyfile(WEIGHTS, path)
    damage(path)
    with pytest.raises(ValueError, match=rf"^sharpener.safetensors {told}.*; install this pack again$"):
        load_sharpener(path)
