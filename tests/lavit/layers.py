"""Modules of the host's casting layers, and what their layers are given."""

import comfy.ops
import torch
from torch import nn


def casting(module, dtype=torch.float32):
    """The same module of the host's casting layers, its weights kept in `dtype`."""
    made = type(module)(module.config, operations=comfy.ops.manual_cast).to(dtype)
    made.load_state_dict(module.state_dict())
    return made.requires_grad_(False)


def rounded(module):
    """The same module of torch's layers, with the weights that are left after rounding to bfloat16."""
    made = type(module)(module.config)
    made.load_state_dict({name: weight.bfloat16().float() for name, weight in module.state_dict().items()})
    return made.requires_grad_(False)


def watch(module):
    """The dtypes that layers will be given: a set for products of matrices, and one for norms."""
    products, norms = set(), set()
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.register_forward_pre_hook(lambda _, given: products.add(given[0].dtype))
        elif isinstance(layer, nn.LayerNorm):
            layer.register_forward_pre_hook(lambda _, given: norms.add(given[0].dtype))
    return products, norms
