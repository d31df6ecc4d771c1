"""Pigeon's metrics against values by hand, against numbers of the packages that it uses, and against their networks."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from drc.bench.scores.frechet import frechet_distance
from drc.bench.scores.lpips import LPIPS, load_lpips
from drc.bench.scores.pigeon import METRICS, Networks, Sample, protocol, squeezed
from drc.bench.scores.ssim import ms_ssim, ssim

RED, GREEN, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (255, 255, 255), (0, 0, 0)


def plain(colour, size=(40, 30)) -> np.ndarray:
    return np.full((*size, 3), colour, np.uint8)


def mean_colour(pictures: Tensor) -> Tensor:
    """A network that sees the mean colour of pictures as large as the protocol says."""
    assert pictures.shape[1:] == (3, 512, 512)
    return pictures.mean(dim=(2, 3))


CAPTIONS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "yellow": (1.0, 1.0, 0.0)}
NETWORKS = Networks(
    clip=mean_colour,
    clip_text=lambda captions: torch.tensor([CAPTIONS[caption] for caption in captions]),
    dino=lambda pictures: 1 - mean_colour(pictures),
    lpips=lambda first, second: (first - second).abs().mean(dim=(1, 2, 3)),
    inception=lambda pictures: pictures.mean(dim=(2, 3)) if pictures.shape[2:] == (299, 299) else None,
)


def test_protocol_by_hand():
    history = [plain(RED), plain(GREEN, (64, 16)), plain(GREEN), plain(GREEN), plain(WHITE)]
    sample = Sample(plain(RED), plain(GREEN), history, "yellow", ("red", "green", "green", "green", "yellow"))
    found = protocol([sample, Sample(plain(RED), plain(RED), [plain(RED)] * 5, "red", ("red",) * 5)], NETWORKS)
    root2, root3 = math.sqrt(2), math.sqrt(3)
    expected = {
        "CS": (100 / root2 + 100) / 2,
        "CIS": (0 + 100) / 2,
        "DIS": (50 + 100) / 2,  # (0, 1, 1) and (1, 0, 1)
        "history CS": (100 + 100 / root2 + 5 * 100) / 10,
        "history CIS": (100 + 100 / root3 + 5 * 100) / 10,
        "history DIS": (100 + 3 * 50 + 0 + 5 * 100) / 10,  # white is (0, 0, 0) there
        "history LPIPS": (3 * 4 / 3 + 4 / 3) / 10,  # colours differ by 2 in two channels of three
        "FID": 0.5 + 1,  # means (1, 0, 0) and (1/2, 1/2, 0); variances 0 and 1/2 in two channels
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-4)
    assert list(found) == [name for name in METRICS if name in found] and len(found) == len(METRICS)


def test_what_cannot_be_measured_is_left_out():
    sample = Sample(plain(RED), plain(RED), [plain(RED)] * 5)
    assert protocol([sample], Networks()) == pytest.approx({"history SSIM": 1, "history MS-SSIM": 1})
    assert set(protocol([sample], NETWORKS)) == set(METRICS) - {"CS", "history CS", "FID"}


def test_pictures_are_squeezed_into_the_square():
    left = plain(BLACK, (20, 80))
    left[:, :40] = 255
    (square,) = squeezed([left])
    assert square.shape == (3, 512, 512)
    assert (square[:, :, :240] == 1).all() and (square[:, :, 272:] == 0).all()


def test_frechet_distance_by_hand():
    first, second = torch.tensor([[-1.0], [1.0]]), torch.tensor([[1.0], [5.0]])
    assert frechet_distance(first, second) == pytest.approx(3**2 + 2 + 8 - 2 * math.sqrt(2 * 8))
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [40, 6])
def test_frechet_distance_is_that_of_the_matrix_square_root(count):
    """Also where the covariances are singular: 6 pictures of 8 features."""
    linalg = pytest.importorskip("scipy.linalg")
    random = np.random.default_rng(0)
    first, second = (
        random.normal(size=(count, 8)),
        random.normal(0.3, 2, size=(count + 1, 8)) @ random.normal(size=(8, 8)),
    )
    c1, c2 = np.cov(first.T), np.cov(second.T)
    root = linalg.sqrtm(c1 + 1e-10 * np.eye(8)) @ linalg.sqrtm(c2 + 1e-10 * np.eye(8))
    cross = np.linalg.svd(root, compute_uv=False).sum()  # tr (C1 C2)^(1/2) is the trace norm of C1^(1/2) C2^(1/2)
    expected = np.square(first.mean(0) - second.mean(0)).sum() + np.trace(c1 + c2) - 2 * cross
    assert frechet_distance(torch.from_numpy(first), torch.from_numpy(second)) == pytest.approx(expected, abs=1e-3)


def waves(shift: float) -> Tensor:
    y, x = torch.meshgrid(torch.arange(180.0), torch.arange(200.0), indexing="ij")
    channels = [127.5 + 127.5 * torch.sin(x / (5 + c) + y / (9 - c) + shift * c) for c in (1, 2, 3)]
    return torch.stack(channels)[None]


def test_ssim_has_the_numbers_of_pytorch_msssim():
    """Reference values from pytorch-msssim 1.0.0, data_range 255."""
    for other, single, multi in (
        (waves(0.1), 0.897186, 0.970525),
        (waves(0.3), 0.537165, 0.773210),
        (waves(0) / 2 + 40, 0.706521, 0.801401),
    ):
        assert ssim(waves(0), other, 255.0).item() == pytest.approx(single, abs=2e-5)
        assert ms_ssim(waves(0), other, 255.0).item() == pytest.approx(multi, abs=2e-5)


def test_ssim_by_hand():
    black, white = torch.zeros(1, 3, 20, 20), torch.full((1, 3, 20, 20), 255.0)
    light = (0.01 * 255) ** 2
    assert ssim(black, white, 255.0).item() == pytest.approx(light / (255**2 + light), rel=1e-3)
    batch = torch.cat((waves(0.1), waves(0)))
    torch.testing.assert_close(ssim(batch, waves(0).expand_as(batch), 255.0)[1], torch.tensor(1.0))


def lpips_weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {name: weight.abs() if "lin" in name else weight for name, weight in LPIPS().state_dict().items()}


def test_lpips_is_that_of_vgg(tmp_path):
    """Against torchvision's network, layer by layer; 3, 8, 15, 22 and 29 are the last ReLUs before each pooling."""
    vgg = pytest.importorskip("torchvision.models.vgg")
    weights = lpips_weights()
    save_file(weights | {"classifier.0.bias": torch.ones(3)}, tmp_path / "lpips.safetensors")
    network = vgg.make_layers(vgg.cfgs["D"])
    network.load_state_dict({name[9:]: weight for name, weight in weights.items() if name.startswith("features.")})
    first, second = torch.rand(2, 2, 3, 48, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    expected, seen = torch.zeros(2), [(x - shift[:, None, None]) / scale[:, None, None] for x in (first, second)]
    with torch.no_grad():
        for index, layer in enumerate(network):
            seen = [layer(x) for x in seen]
            if index in (3, 8, 15, 22, 29):
                one, other = (torch.nn.functional.normalize(x, dim=1) for x in seen)
                head = weights[f"lin{(3, 8, 15, 22, 29).index(index)}.model.1.weight"][0]
                expected += ((one - other) ** 2 * head).sum(dim=1).mean(dim=(1, 2))
        found = load_lpips(tmp_path / "lpips.safetensors")(first, second)
    torch.testing.assert_close(found, expected)
    assert (found > 0).all()


def test_lpips_names_what_is_missing(tmp_path):
    path = tmp_path / "lpips.safetensors"
    weights = lpips_weights()
    del weights["lin2.model.1.weight"]
    save_file(weights, path)
    with pytest.raises(ValueError, match=r"has no lin2\.model\.1\.weight of the right shape"):
        load_lpips(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is no safetensors file that can be read"):
        load_lpips(path)
