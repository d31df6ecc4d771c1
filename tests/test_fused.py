"""Layers that are several in one: files know them apart."""

import pytest
import torch

from drc.lmm.fused import apart, fused_weights, together
from drc.lmm.llama import LlamaConfig, LlamaForCausalLM, rotary

CONFIG = LlamaConfig(20, 8, 12, 2, 4, 2)  # fewer heads of keys and values than of queries
ATTENTION = "model.layers.1.self_attn."


def build(seed=0):
    torch.manual_seed(seed)
    return LlamaForCausalLM(CONFIG)


def test_a_state_dict_has_the_names_of_hugging_face():
    model = build()
    state = model.state_dict()
    rows = {name: len(state[f"{ATTENTION}{name}.weight"]) for name in ("q_proj", "k_proj", "v_proj")}
    assert rows == {"q_proj": 8, "k_proj": 4, "v_proj": 4} and not any(
        "qkv" in name or "gate_up" in name for name in state
    )
    weight = model.model.layers[1].self_attn.qkv_proj.weight
    assert torch.equal(torch.cat([state[f"{ATTENTION}{name}.weight"] for name in rows]), weight)
    assert sum(tensor.nbytes for tensor in state.values()) == sum(one.nbytes for one in model.parameters())
    other = build(seed=1)
    assert not torch.equal(other.model.layers[1].self_attn.qkv_proj.weight, weight)
    other.load_state_dict(state)
    assert all(torch.equal(one, state[name]) for name, one in other.state_dict().items())


@pytest.mark.parametrize("assign", [False, True])
def test_a_layer_that_is_missing_is_said(assign):
    state = build().state_dict()
    del state[f"{ATTENTION}k_proj.weight"]
    with pytest.raises(RuntimeError, match=f"Missing key.*{ATTENTION}qkv_proj.weight"):
        build().load_state_dict(state, assign=assign)


def test_apart_and_together_are_inverses():
    model = build()
    fused = fused_weights(model)
    parameters = dict(model.named_parameters())
    views = apart(parameters, fused)
    assert views.keys() == model.state_dict().keys()
    assert all(torch.equal(one, parameters[name]) for name, one in together(views, fused).items())
    steps = apart({name: torch.tensor(3.0) for name in parameters}, fused)
    assert steps.keys() == views.keys() and set(map(float, steps.values())) == {3.0}
    assert together(steps, fused).keys() == parameters.keys()
    del views[f"{ATTENTION}v_proj.weight"]
    assert parameters.keys() - together(views, fused).keys() == {f"{ATTENTION}qkv_proj.weight"}


def test_the_backward_pass_keeps_of_a_projection_no_more_than_it_needs():
    """Values as a view of it would keep queries and keys, too, which are kept once more where they are rotated."""
    kept, rows = [], 5
    attention = build().model.layers[0].self_attn
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        attention(torch.randn(rows, 8), rotary(CONFIG, rows, torch.zeros(1)), None, None)
    weights = {one.untyped_storage().data_ptr() for one in attention.parameters()}
    sizes = [one.untyped_storage().nbytes() for one in kept if one.untyped_storage().data_ptr() not in weights]
    assert max(sizes) == rows * (8 + 4) * 4  # queries and keys, rotated
