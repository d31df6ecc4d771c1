"""Stopping a model in the middle of a pass, which may take minutes on a processor."""

from collections.abc import Callable

from torch import Tensor, nn


def call_between_layers(model: nn.Module, call: Callable[[], None]) -> None:
    """From now on `call`, which may raise to stop, is called before every layer of `model`, forwards and backwards.

    What the model computes stays the same.
    """

    def forwards(layer: nn.Module, inputs: tuple) -> None:
        call()

    def backwards(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: call())

    for layer in model.modules():
        if next(layer.children(), None) is None:  # the others are made of such
            layer.register_forward_pre_hook(forwards)
            layer.register_forward_hook(backwards)
