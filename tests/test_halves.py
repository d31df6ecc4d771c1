"""Matrices that 16 bits hold exactly are read as such, and what is drawn stays what it was."""

import copy

import pytest
import torch
import torch.nn.functional as F

from drc import EMBEDDED
from drc.checkpoint import load
from drc.lmm import halves
from drc.lmm.generate import Sampling
from drc.lmm.llama import Cache, LlamaConfig, LlamaForCausalLM
from drc.lmm.steps import Steps, cache_of

with_product = pytest.mark.skipif(not halves.has_product(), reason="torch has no such product for this processor")
PROMPT, STEPS, CODES = 5, 6, 50
LEAST = 2.0**-24  # above 0 in 16 bits


def of_16_bits(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).half().float()


def language() -> LlamaForCausalLM:
    made = LlamaForCausalLM(LlamaConfig(CODES, 32, 48, 3, 4, 2, rms_norm_eps=1e-3)).requires_grad_(False)
    for seed, parameter in enumerate(made.parameters()):
        parameter.copy_((of_16_bits(*parameter.shape, seed=seed) * 0.25).half())
    return made


def pieces(rows: int) -> list[torch.Tensor]:
    embeddings = torch.randn(rows, PROMPT + STEPS, 32, generator=torch.Generator().manual_seed(1))
    return list(embeddings.split((PROMPT, *[1] * STEPS), dim=1))


@with_product
@pytest.mark.parametrize("shape", [(7, 5), (33, 64), (768, 256), (256, 704)], ids=str)
@pytest.mark.parametrize("rows", [1, 3, 12])
def test_the_product_is_that_of_32_bits(shape, rows):
    matrix, x = of_16_bits(*shape), torch.randn(rows, shape[1], generator=torch.Generator().manual_seed(1))
    matrix[0, 0], matrix[1], matrix[2] = 65504.0, LEAST, 0
    found = halves.product(x, halves.pack(matrix))
    exact = F.linear(x.double(), matrix.double())
    assert torch.equal(found.argmax(dim=1), exact.argmax(dim=1))
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=2e-5)
    torch.testing.assert_close(found[:, 1].double(), exact[:, 1], rtol=1e-3, atol=LEAST / 100)


@with_product
@pytest.mark.parametrize("rows", [1, 3, 12])
@torch.no_grad()
def test_steps_compute_what_layers_do(rows):
    model = language()
    prompt, *following = pieces(rows)
    plain, halved = Cache(model.config, rows, PROMPT + STEPS, prompt), cache_of(model, rows, PROMPT + STEPS, prompt)
    assert isinstance(halved, Steps) and halved.product is halves.product
    for piece in (prompt, *following):
        expected, found = model.hidden(piece, plain)[:, -1], model.hidden(piece, halved)[:, -1]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(halved.head(found), model.lm_head(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("why", ["no product", "numbers of more bits", "a head of more bits", "many rows"])
@torch.no_grad()
def test_all_else_is_read_as_it_is(why, monkeypatch):
    model, rows = language(), 3
    if why == "no product":
        monkeypatch.setattr(halves, "has_product", lambda: False)
    elif why == "many rows":
        rows = halves.FEW + 1
    else:
        layer = model.lm_head if "head" in why else model.model.layers[2].mlp.down_proj
        layer.weight[1, 1] = 1 + 2.0**-13
    prompt, *following = pieces(rows)
    plain, ours = Cache(model.config, rows, PROMPT + STEPS, prompt), cache_of(model, rows, PROMPT + STEPS, prompt)
    assert isinstance(ours, Steps) and ours.head is None
    for piece in (prompt, *following):
        assert torch.equal(model.hidden(piece, ours), model.hidden(piece, plain))


@with_product
@torch.inference_mode()
def test_packed_once_until_a_number_changes():
    weight, kept = of_16_bits(32, 64), halves.Halves()
    groups = [(weight,)]
    ((first,),) = kept.of(groups)
    assert kept.of(groups)[0][0] is first
    x = torch.eye(64)[:3]
    assert torch.equal(halves.product(x, first), weight[:, :3].t())
    weight[4, 1] += 0.5  # which no count of versions tells
    ((second,),) = kept.of(groups)
    assert second is not first
    assert torch.equal(halves.product(x, second), weight[:, :3].t())
    weight[4, 1] += 1e-6
    assert kept.of(groups) is None and kept.groups is None
    weight.copy_(of_16_bits(32, 64))
    assert kept.of(groups) is not None


@with_product
@torch.no_grad()
def test_a_copy_packs_its_own():
    model, (prompt, *_) = language(), pieces(1)
    cache_of(model, 1, PROMPT + STEPS, prompt)
    copied = copy.deepcopy(model)
    assert (
        model.halves.groups is not None
        and copied.halves.groups is None
        and "halves" not in str(list(model.state_dict()))
    )


@with_product
@torch.inference_mode()
def test_the_embedded_model_draws_the_same_codes(monkeypatch):
    drc = load(EMBEDDED)
    codes = torch.randint(drc.lmm.codebook_size, (3, drc.lmm.picture_codes), generator=torch.Generator().manual_seed(0))
    instruction = drc.compose(drc.style(codes[1:]), drc.semantics(codes[0]), style_strength=2, semantic_strength=3)
    assert len(instruction.coefficients) == 3

    def drawn() -> torch.Tensor:
        return drc.lmm.draw(instruction, [1, 2], Sampling(0.3))

    found = drawn()
    assert drc.lmm.language.halves.groups is not None
    monkeypatch.setattr(halves, "has_product", lambda: False)
    assert torch.equal(found, drawn())
