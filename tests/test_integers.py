"""Matrices kept as 8-bit integers: how exact they are, and that every way to them scales."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from drc.lmm import integers
from drc.lmm.integers import keep_as_integers, product


def layer_of(weight: torch.Tensor, bias: bool = False, kind: type[nn.Linear] = nn.Linear) -> nn.Linear:
    layer = kind(weight.shape[1], weight.shape[0], bias=bias)
    layer.weight.data.copy_(weight)
    return layer


def weights() -> torch.Tensor:
    """Rows of sizes as different as those of a language model, and one of nothing."""
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(64, 512, generator=random) * torch.logspace(-3, 0, 64)[:, None]
    weight[5] = 0
    return weight


def error(found: torch.Tensor, weight: torch.Tensor) -> float:
    """Root mean square, against that of each row."""
    rows = (found - weight).square().mean(dim=1).sqrt() / weight.square().mean(dim=1).sqrt().clamp(min=1e-9)
    return rows.mean().item()


@torch.no_grad()
def test_several_times_as_exact_as_float8():
    weight = weights()
    layer = layer_of(weight)
    keep_as_integers(layer)
    assert layer.weight.dtype == torch.int8 and layer.weight.nbytes == weight.numel()
    kept = layer.weight.float() * layer.row_scales.float()[:, None]
    assert 0.004 < error(kept, weight) < 0.01
    assert error(weight.to(torch.float8_e4m3fn).float(), weight) > 2.5 * error(kept, weight)


class Casting(nn.Linear):
    """As a host does it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight.to(x))


@pytest.fixture(params=["cast", *["read as they are"] * integers.has_product()])
def way(request, monkeypatch):
    """With the product of torch, where the processor has it, and without."""
    if request.param == "cast":
        monkeypatch.setattr(integers, "has_product", lambda: False)
    return request.param


TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 0.02, torch.float16: 3e-3}


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@torch.no_grad()
def test_a_layer_and_its_rows_give_what_the_weights_would(way, dtype):
    layer = layer_of(weights(), kind=Casting)
    keep_as_integers(layer)
    kept = layer.weight.float() * layer.row_scales.float()[:, None]
    x = 20 * torch.randn(3, 512, generator=torch.Generator().manual_seed(1))
    x[0, :300] = 200.0  # times 127 more than float16 has room for
    x = x.to(dtype)
    expected = F.linear(x.float(), kept)
    tolerance = TOLERANCES[dtype] if way == "cast" else 0.01  # which computes in bfloat16
    for found in (layer(x), layer(x[None])[0], product(x, layer, 0)):
        assert found.dtype == dtype
        torch.testing.assert_close(
            found.float(), expected, rtol=tolerance, atol=tolerance * expected.abs().max().item()
        )
    assert torch.equal(product(x, layer, 40), product(x, layer, 0)[:, 40:])


@torch.no_grad()
def test_what_is_read_as_it_is(monkeypatch):
    """Few rows, of widths that the product reads no further than; its error is that of the integers."""
    taken = []
    quick = integers.read_as_they_are
    monkeypatch.setattr(integers, "read_as_they_are", lambda *given: taken.append(1) or quick(*given))
    weight = weights()
    whole, odd = layer_of(weight, kind=Casting), layer_of(weight[:, :500], kind=Casting)
    for layer in (whole, odd):
        keep_as_integers(layer)
    x = torch.randn(64, 512, generator=torch.Generator().manual_seed(1))
    found = whole(x[:32])
    assert taken == [1]
    whole(x)
    odd(x[:3, :500])
    assert taken == [1]
    expected = F.linear(x[:32], weight)
    cast = F.linear(x[:32], whole.weight.float() * whole.row_scales.float()[:, None])
    assert (found - expected).norm() < 1.2 * (cast - expected).norm()
    with torch.enable_grad():
        whole(x[:3].requires_grad_()).sum().backward()  # which it has no gradient for
    assert taken == [1]


def test_a_layer_with_a_bias_stays_as_it_is():
    layer = layer_of(weights(), bias=True)
    keep_as_integers(layer)
    assert layer.weight.dtype == torch.float32
