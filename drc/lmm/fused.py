"""Linear layers over the same input as one: fewer and larger products of the same numbers.

Every file keeps the names of the layers apart, as Hugging Face gives them: state dicts by hooks of the module that owns
such a layer, the checkpoints of a training by `apart` and `together`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Parts = dict[str, int]
"""The layers that are one, by name, and how many rows of its weight belong to each, in order."""


def name_apart(module: nn.Module, name: str, parts: Parts) -> None:
    """State dicts of `module` hold its linear layer `name`, which has no bias, as the layers that `parts` says."""
    module.parts_of = {**getattr(module, "parts_of", {}), name: parts}
    if len(module.parts_of) == 1:
        module._register_state_dict_hook(take_apart)
        module._register_load_state_dict_pre_hook(put_together, with_module=True)


def take_apart(module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: dict) -> None:
    """In the place of the one layer, so that the names have the order of a model whose layers are apart."""
    names = {
        f"{prefix}{name}.weight": {f"{prefix}{part}.weight": rows for part, rows in parts.items()}
        for name, parts in module.parts_of.items()
    }
    tensors = apart(dict(state), names)
    state.clear()
    state.update(tensors)


def put_together(module: nn.Module, state: dict[str, Tensor], prefix: str, *_) -> None:
    for name, parts in module.parts_of.items():
        names = [f"{prefix}{part}.weight" for part in parts]
        if all(one in state for one in names):
            state[f"{prefix}{name}.weight"] = torch.cat([state.pop(one) for one in names])


@contextmanager
def names_of_parameters(module: nn.Module) -> Iterator[None]:
    """For a while its state dict has the names of its parameters, for whoever knows no others."""
    owners = {inner: inner.parts_of for inner in module.modules() if hasattr(inner, "parts_of")}
    try:
        for inner in owners:
            inner.parts_of = {}
        yield
    finally:
        for inner, parts in owners.items():
            inner.parts_of = parts


def fused_weights(module: nn.Module) -> dict[str, Parts]:
    """The parameters inside `module` that are several in one, by name, and what they are apart, by name."""
    return {
        f"{prefix}{name}.weight": {f"{prefix}{part}.weight": rows for part, rows in parts.items()}
        for owner, inner in module.named_modules()
        for prefix in [f"{owner}." if owner else ""]
        for name, parts in getattr(inner, "parts_of", {}).items()
    }


def apart(tensors: dict[str, Tensor], fused: dict[str, Parts]) -> dict[str, Tensor]:
    """Tensors by names of parameters -> views of them by the names that files have. What is one number for all of a
    parameter is that of each of its parts."""
    found = {}
    for name, tensor in tensors.items():
        parts = fused.get(name, {name: 0})
        pieces = tensor.split(list(parts.values())) if name in fused and tensor.ndim else [tensor] * len(parts)
        found.update(zip(parts, pieces, strict=True))
    return found


def together(tensors: dict[str, Tensor], fused: dict[str, Parts]) -> dict[str, Tensor]:
    """What `apart` made -> what it was made of, where all parts of it are there."""
    alone = tensors.keys() - {part for parts in fused.values() for part in parts}
    found = {name: tensors[name] for name in alone}
    for name, parts in fused.items():
        pieces = [tensors[part] for part in parts if part in tensors]
        if len(pieces) == len(parts):
            found[name] = torch.cat(pieces) if pieces[0].ndim else pieces[0]
    return found
