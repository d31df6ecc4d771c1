"""The estimate of memory before a training, and what lowers it."""

import dataclasses
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from drc.lmm.llama import attention
from drc.train import validation
from drc.train.machine import memory
from drc.train.machine.memory import QUICKEST, estimate, quick_attention, recompute

from .coded_pictures import changed, make_batch, make_batches, make_objective

CPU = torch.device("cpu")


def peak(objective, samples, batch=None) -> int:
    return estimate(objective, batch or make_batch(0), samples, CPU).peak


@pytest.mark.parametrize("stage", [1, 2])
def test_more_samples_at_once_take_more(stage):
    objective, batch = make_objective(stage), make_batch(0, stage)
    peaks = [peak(objective, samples, batch) for samples in (1, 4, 16, 64)]
    assert peaks == sorted(set(peaks))


def test_computing_again_takes_less():
    objective = make_objective(2)
    kept = peak(objective, 64)
    recompute(objective.drc.lmm.layers())
    assert peak(objective, 64) < kept


def test_only_what_is_trained_has_an_optimiser():
    objective = make_objective(2)
    whole = estimate(objective, make_batch(0), 1, CPU)
    trained = sum(p.numel() * p.element_size() for p in objective.parameters() if p.requires_grad)
    assert whole.optimizer == 4 * trained and whole.peak == whole.weights + whole.beside_weights
    objective.drc.lmm.requires_grad_(False)
    fewer = estimate(objective, make_batch(0), 1, CPU)
    assert fewer.optimizer < whole.optimizer and fewer.weights == whole.weights
    assert f"{round(whole.peak / 2**20)} MB" in str(whole)


def test_a_batch_that_is_read_in_part_is_estimated_as_if_it_were_read(monkeypatch):
    objective, whole = make_objective(2), make_batch(0)
    part = changed(whole, read=torch.arange(8) < 2)
    assert peak(objective, 8, part) == pytest.approx(peak(objective, 8, whole), rel=0.02)


@pytest.mark.parametrize(("samples", "sizes"), [(3, [3]), (4, [4]), (5, [1, 2])])
def test_few_samples_are_looked_at_in_the_shapes_of_the_training(monkeypatch, samples, sizes):
    seen = []
    monkeypatch.setattr(memory, "pass_peak", lambda objective, batch: seen.append(len(batch)) or 0)
    estimate(make_objective(2), make_batch(0), samples, CPU)
    assert seen == sizes and validation.chunk_on(CPU) == QUICKEST["cpu"]


def test_looking_leaves_no_trace():
    objective = make_objective(1)
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    batch = make_batch(0, 1, make_batches(size=4)[0])
    contents = {field.name: getattr(batch, field.name).clone() for field in dataclasses.fields(batch)}
    estimate(objective, batch, 4, CPU)
    assert all(torch.equal(tensor, before[name]) for name, tensor in objective.state_dict().items())
    assert all(parameter.grad is None for parameter in objective.parameters())
    assert all(torch.equal(getattr(batch, name), tensor) for name, tensor in contents.items())


def test_quick_attention_is_switched_back():
    def switches():
        cuda = torch.backends.cuda
        return cuda.flash_sdp_enabled(), cuda.math_sdp_enabled(), cuda.fp16_bf16_reduction_math_sdp_allowed()

    before = switches()
    with pytest.raises(KeyboardInterrupt), quick_attention(CPU):
        assert switches() == (False, True, True)
        raise KeyboardInterrupt
    assert switches() == before


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_quick_attention_is_that_of_torch_bit_for_bit(dtype):
    random = torch.Generator().manual_seed(0)
    given = [torch.randn(2, 3, 37, 24, generator=random).to(dtype) for _ in range(3)]
    direction = torch.randn(2, 3, 37, 24, generator=random).to(dtype)

    def walked(attend):
        inputs = [one.clone().requires_grad_() for one in given]
        with quick_attention(CPU):
            found = attend(*inputs)
        found.backward(direction)
        return [found, *(one.grad for one in inputs)]

    ours = walked(lambda query, key, value: attention(query, key, value, None))
    theirs = walked(partial(F.scaled_dot_product_attention, is_causal=True))
    assert all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True))
