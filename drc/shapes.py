"""Names and shapes of a module's weights, without memory for them and without the time that start values take."""

from collections.abc import Callable

import torch
from torch import nn

Shapes = dict[str, tuple[int, ...]]


class Hollow:
    """Layers as `torch.nn` has them, which leave their weights as they are; taken as `operations`.

    Start values without memory are not for nothing: the first makes torch import its decompositions, for a second.
    """


def leave(module: nn.Module) -> None:
    """In the place of a layer's `reset_parameters`."""


for kind in (nn.Linear, nn.Conv2d, nn.Embedding, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm):
    setattr(Hollow, kind.__name__, type(kind.__name__, (kind,), {"reset_parameters": leave}))


def shapes_of(module: Callable[..., nn.Module], config) -> Shapes:
    """Of the module that `module(config, operations=...)` makes."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in module(config, operations=Hollow).state_dict().items()}
