"""Our language model against the one of transformers, with the same weights."""

import dataclasses
import json
from pathlib import Path

import comfy.ops
import pytest
import torch
import transformers
from safetensors.torch import load_file

from drc.lmm.llama import Cache, LlamaConfig, LlamaForCausalLM, StaticCache

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
RECORDED = Path(__file__).parent / "fixtures" / "lavit" / "weights" / "llm"


@pytest.fixture(params=[4, 2], ids=["every head its own keys", "grouped queries"])
def pair(request):
    """Ours and theirs."""
    config = LlamaConfig(50, 32, 48, 3, 4, request.param, rms_norm_eps=1e-3, rope_theta=500.0)
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


@torch.no_grad()
@pytest.mark.parametrize("steps", [5, 16])
def test_unequal_prompts_in_one_batch(pair, steps):
    """Padded on the left, and one token of all sequences at a time."""
    ours, theirs = pair
    random = torch.Generator().manual_seed(2)
    prompts = [torch.randn(length, 32, generator=random) for length in (7, 1, 4, 4)]
    prompts[3] = prompts[2]
    following = torch.randn(4, steps, 32, generator=random)
    cache, logits = StaticCache(ours.config, 4, 7, steps, following), []
    for prompt, some in zip(prompts, (slice(0, 1), slice(1, 2), slice(2, 4)), strict=False):
        memory = Cache(ours.config, 1, len(prompt), prompt)
        ours(prompt[None], memory)
        cache.fill(some, memory)
    for step in range(steps):
        logits.append(ours(following[:, step : step + 1], cache))

    padded = torch.stack([torch.cat((torch.full((7 - len(prompt), 32), 9.0), prompt)) for prompt in prompts])
    mask = torch.tensor([[0] * (7 - len(prompt)) + [1] * (len(prompt) + steps) for prompt in prompts])
    expected = theirs(
        inputs_embeds=torch.cat((padded, following), dim=1),
        attention_mask=mask,
        position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
    ).logits
    torch.testing.assert_close(torch.cat(logits, dim=1), expected[:, 7:], **TOLERANCE)


@torch.no_grad()
def test_a_folder_of_hugging_face():
    """The tiny LaVIT of the recorded tensors, its sizes read from its config.json."""
    theirs = transformers.LlamaForCausalLM.from_pretrained(RECORDED)
    ours = LlamaForCausalLM(LlamaConfig.read(json.loads((RECORDED / "config.json").read_text())))
    ours.load_state_dict(load_file(RECORDED / "model.safetensors"))
    ids = torch.tensor([[12553, 18411, 32000, 32050, 32097]])
    logits = theirs(input_ids=ids).logits
    torch.testing.assert_close(
        ours(ours.model.embed_tokens(ids)), logits, rtol=0, atol=1e-5 * logits.abs().max().item()
    )


def test_sizes_that_older_files_leave_out():
    settings = {"vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3}
    old = LlamaConfig.read({**settings, "num_attention_heads": 4, "rms_norm_eps": 1e-6, "model_type": "llama"})
    assert (old.num_key_value_heads, old.rms_norm_eps, old.max_position_embeddings) == (4, 1e-6, 2048)
    grouped = LlamaConfig.read({**settings, "num_attention_heads": 4, "num_key_value_heads": 2})
    assert grouped.num_key_value_heads == 2
