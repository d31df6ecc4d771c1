"""Cross-entropy in chunks against torch's over all logits."""

import pytest
import torch
import torch.nn.functional as F

from drc.lmm.code_losses import CHUNK, code_losses


def of_torch(rows, table, target):
    return F.cross_entropy(F.linear(rows, table).float(), target, reduction="none")


def both(rows, table, target, weights):
    """Losses and gradients, ours and torch's."""
    for losses_of in (code_losses, of_torch):
        leaves = rows.clone().requires_grad_(), table.clone().requires_grad_()
        losses = losses_of(*leaves, target)
        (losses * weights).sum().backward()
        yield losses.detach(), leaves[0].grad, leaves[1].grad


@pytest.fixture(params=[3, CHUNK, 2 * CHUNK + 5])
def given(request):
    generator = torch.Generator().manual_seed(request.param)
    rows = torch.randn(request.param, 16, generator=generator)
    table = torch.randn(40, 16, generator=generator)
    target = torch.randint(0, 40, (request.param,), generator=generator)
    return rows, table, target, torch.rand(request.param, generator=generator)


def test_losses_and_gradients_are_those_of_torch(given):
    ours, theirs = both(*given)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype and torch.allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_in_bfloat16_they_are_as_near_as_its_rounding(given):
    exact, _ = both(*given)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = both(*given)
    for mine, other, truth in zip(ours, theirs, exact, strict=True):
        assert mine.dtype == other.dtype == torch.float32
        assert (mine - truth).norm() <= 1.5 * (other - truth).norm() + 1e-6
