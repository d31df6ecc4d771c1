"""The perceptual distance, on a MobileNetV2 of random weights in the place of ImageNet's, which CI does not fetch."""

import pytest
import torch
from torchvision.models import mobilenet_v2

from scripts.lib.perceptual import PACKAGE, PerceptualDistance


@pytest.fixture(scope="module")
def distance(tmp_path_factory):
    packages = tmp_path_factory.mktemp("packages")
    (packages / PACKAGE).mkdir()
    torch.manual_seed(0)
    torch.save(mobilenet_v2().state_dict(), packages / PACKAGE / "mobilenet_v2.pth")
    return PerceptualDistance(packages)


def test_a_picture_is_no_distance_from_itself_and_grows_away(distance):
    torch.manual_seed(1)
    images, noise = torch.rand(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    assert distance(images, images) == 0
    assert 0 < distance(images + 0.02 * noise, images) < distance(images + 0.2 * noise, images)


def test_only_the_rebuilt_picture_learns(distance):
    images = torch.rand(1, 3, 64, 64)
    rebuilt = (images + 0.1).requires_grad_()
    distance(rebuilt, images).backward()
    assert rebuilt.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in distance.parameters())


def test_training_leaves_its_statistics_alone(distance):
    before = {name: tensor.clone() for name, tensor in distance.state_dict().items()}
    distance.train()
    distance(torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64))
    assert all(torch.equal(tensor, before[name]) for name, tensor in distance.state_dict().items())
