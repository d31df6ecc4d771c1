"""A step of a small model on the CPU computes the numbers of the layers, which everything else goes through."""

import pytest
import torch

from drc.lmm import steps
from drc.lmm.llama import Cache, LlamaConfig, LlamaForCausalLM
from drc.lmm.lora import add_lora
from drc.lmm.steps import Steps, cache_of

PROMPT, STEPS = 5, 6


def language(heads: int = 4, width: int = 32) -> LlamaForCausalLM:
    torch.manual_seed(0)
    made = LlamaForCausalLM(LlamaConfig(50, width, 48, 3, 4, heads, rms_norm_eps=1e-3))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


@pytest.mark.parametrize("heads", [4, 2], ids=["every head its own keys", "grouped queries"])
@pytest.mark.parametrize("rows", [1, 3, 12])
@pytest.mark.parametrize("width", [32, 40], ids=["a power of two", "none"])
@torch.no_grad()
def test_steps_and_layers_compute_the_same_bits(heads, rows, width):
    model = language(heads, width)
    embeddings = torch.randn(rows, PROMPT + STEPS, width, generator=torch.Generator().manual_seed(1))
    prompt, *following = embeddings.split((PROMPT, *[1] * STEPS), dim=1)
    plain, quick = Cache(model.config, rows, PROMPT + STEPS, prompt), cache_of(model, rows, PROMPT + STEPS, prompt)
    assert isinstance(quick, Steps)
    for piece in (prompt, *following):
        assert torch.equal(model.hidden(piece, quick), model.hidden(piece, plain))
    assert torch.equal(quick.tensor, plain.tensor)


@torch.no_grad()
def test_of_a_large_model_every_layer_hears_cancel(monkeypatch):
    model, like = language(), torch.zeros(1, 1, 32)
    monkeypatch.setattr(steps, "MOST_BYTES", sum(weight.nbytes for weight in model.model.layers.parameters()))
    assert not isinstance(cache_of(model, 1, 8, like), Steps)


def test_weights_that_are_cast_merged_or_learning_go_through_the_layers():
    model, like = language(), torch.zeros(1, 1, 32)

    def is_quick(like: torch.Tensor = like) -> bool:
        return isinstance(cache_of(model, 1, 8, like), Steps)

    assert not is_quick()  # gradients are wanted
    with torch.no_grad():
        assert is_quick()
        assert not is_quick(like.bfloat16())
        with torch.autocast("cpu", torch.bfloat16):
            assert not is_quick()
        add_lora(model, 2, 4.0)
        assert not is_quick()
