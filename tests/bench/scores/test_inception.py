"""The network of FID is torchvision's but for its pooling, and reads the weights that pytorch-fid has."""

import functools

import pytest
import torch
from safetensors.torch import save_file

from drc.bench.scores.inception import FIDInception, load_inception

SIDE = 96


@pytest.fixture(scope="module")
def inception():
    torch.manual_seed(0)
    return FIDInception().eval()


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_it_is_torchvisions_but_for_its_pooling(inception, pictures, monkeypatch):
    from torchvision.models import inception as theirs

    network = theirs.Inception3(1008, aux_logits=False, init_weights=False).eval()
    network.fc = torch.nn.Identity()
    network.load_state_dict(inception.network.state_dict())
    assert inception(pictures).shape == (2, 2048)
    assert not torch.allclose(network(pictures * 2 - 1), inception(pictures), rtol=1e-3)
    inside = functools.partial(torch.nn.functional.avg_pool2d, count_include_pad=False)
    monkeypatch.setattr(theirs.F, "avg_pool2d", inside)
    found = []
    network.Mixed_7c.register_forward_pre_hook(lambda module, given: found.append(given[0]))
    network(pictures * 2 - 1)
    mixed = network.Mixed_7c._forward(found[0])
    mixed[-1] = network.Mixed_7c.branch_pool(torch.nn.functional.max_pool2d(found[0], 3, stride=1, padding=1))
    torch.testing.assert_close(inception(pictures), torch.cat(mixed, dim=1).mean(dim=(2, 3)))


@torch.no_grad()
def test_weights_are_read_or_missed(inception, pictures, tmp_path):
    weights = {name: tensor.contiguous() for name, tensor in inception.network.state_dict().items()}
    save_file(weights | {"fc.weight": torch.zeros(1008, 2048)}, tmp_path / "inception.safetensors")
    torch.testing.assert_close(load_inception(tmp_path / "inception.safetensors")(pictures), inception(pictures))
    del weights["Mixed_7c.branch1x1.conv.weight"]
    save_file(weights, tmp_path / "less.safetensors")
    with pytest.raises(ValueError, match=r"has no Mixed_7c\.branch1x1\.conv\.weight of the right shape"):
        load_inception(tmp_path / "less.safetensors")
