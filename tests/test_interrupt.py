"""Between any two layers of a pass, forwards and backwards, a model can be stopped."""

import pytest
import torch

from drc.interrupt import call_between_layers, heard
from drc.lmm.llama import LlamaConfig, LlamaForCausalLM
from drc.train.machine.memory import recompute

LAYERS = 2
MODULES = 1 + LAYERS * 6 + 1  # four products of matrices and two norms a layer; the last norm, and the head


class StopError(Exception):
    pass


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(16, 8, 16, LAYERS, 2, 2))


def gradients(model):
    model.zero_grad()
    model(torch.ones(1, 3, 8)).square().sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("recomputed", [False, True])
def test_every_layer_is_heard_and_nothing_changes(model, recomputed):
    plain, calls = gradients(model), []
    call_between_layers(model, lambda: calls.append(None))
    if recomputed:
        recompute(model.model.layers)
    now = gradients(model)
    assert len(calls) >= 2 * MODULES  # forwards and backwards
    assert plain.keys() == now.keys() and all(torch.equal(plain[name], now[name]) for name in plain)


@pytest.mark.parametrize("at", [1, MODULES, MODULES + 1, 2 * MODULES - 1])
def test_whoever_is_called_may_stop_it(model, at):
    calls = []

    def call():
        calls.append(None)
        if len(calls) == at:
            raise StopError

    plain = gradients(model)
    call_between_layers(model, call)
    with pytest.raises(StopError):
        gradients(model)
    assert len(calls) == at
    now = gradients(model)  # and it is as well as before
    assert all(torch.equal(plain[name], now[name]) for name in plain)


def test_where_no_gradient_is_wanted_it_is_called_forwards(model):
    calls = []
    call_between_layers(model, lambda: calls.append(None))
    with torch.inference_mode():
        model(torch.ones(1, 3, 8))
    assert len(calls) == MODULES


def test_work_beside_gives_what_it_returns_or_raises():
    asked = []
    for ask in (None, lambda: asked.append(True)):
        assert heard(lambda: "done", ask) == "done"
        with pytest.raises(StopError):
            heard(stop, ask)
    assert asked


def stop():
    raise StopError
