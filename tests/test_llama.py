"""Our language model against the one of transformers, with the same weights."""

import dataclasses

import comfy.ops
import pytest
import torch
import transformers

from drc.lmm.llama import Cache, LlamaConfig, LlamaForCausalLM

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(params=[4, 2], ids=["every head its own keys", "grouped queries"])
def pair(request):
    """Ours and theirs."""
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=request.param,
        rms_norm_eps=1e-3,
        rope_theta=500.0,
    )
    settings = dataclasses.asdict(config)
    settings["rope_parameters"] = {"rope_type": "default", "rope_theta": settings.pop("rope_theta")}
    torch.manual_seed(0)
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings)).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # also the norms, which start as ones
    ours = LlamaForCausalLM(config)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.fixture
def embeddings():
    return torch.randn(2, 12, 32, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_whole_sequence(pair, embeddings):
    ours, theirs = pair
    torch.testing.assert_close(ours(embeddings), theirs(inputs_embeds=embeddings).logits, **TOLERANCE)


@torch.no_grad()
@pytest.mark.parametrize("pieces", [(5, 1, 1, 1, 1, 1, 1, 1), (1,) * 12, (4, 5, 3)], ids=str)
def test_pieces_through_the_cache(pair, embeddings, pieces):
    ours, theirs = pair
    cache = Cache(ours.config, 2, 12, embeddings)
    logits = torch.cat([ours(piece, cache) for piece in embeddings.split(pieces, dim=1)], dim=1)
    torch.testing.assert_close(logits, theirs(inputs_embeds=embeddings).logits, **TOLERANCE)


@torch.no_grad()
def test_the_host_s_layers_compute_the_same(pair, embeddings):
    ours, _ = pair
    casting = LlamaForCausalLM(ours.config, operations=comfy.ops.manual_cast)
    casting.load_state_dict(ours.state_dict())
    torch.testing.assert_close(casting(embeddings), ours(embeddings), **TOLERANCE)
