"""What a training takes: an estimate before it begins, and ways to take less."""

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

from .lessons import Lesson


@dataclass(frozen=True)
class Memory:
    """Bytes: weights; gradients, averages and the optimiser's two moments; what a pass keeps for its way back."""

    weights: int
    optimiser: int
    activations: int

    @property
    def beside_weights(self) -> int:
        return self.optimiser + self.activations

    @property
    def peak(self) -> int:
        return self.weights + self.optimiser + self.activations

    def __str__(self) -> str:
        parts = (self.peak, self.weights, self.optimiser, self.activations)
        peak, weights, optimiser, activations = (round(part / 2**20) for part in parts)
        return f"{peak} MB: weights {weights}, optimiser {optimiser}, one pass {activations}"


def estimate(objective: nn.Module, lesson: Lesson, samples: int) -> Memory:
    """The peak of a training whose passes hold `samples` samples, found out with passes of one and two samples.

    Everything that a pass keeps grows in proportion to the samples, but for what depends on the weights alone.
    """
    trained = sum(p.numel() * p.element_size() for p in objective.parameters() if p.requires_grad)
    weights = sum(p.numel() * p.element_size() for p in objective.parameters())
    one, two = (kept(objective, some(lesson, count)) for count in (1, 2))
    activations = one + (two - one) * (samples - 1)
    return Memory(weights, 4 * trained, activations)


def some(lesson: Lesson, count: int) -> Lesson:
    """The first samples, all of them read: the longest pass there can be."""
    few = lesson.part(slice(count))
    return dataclasses.replace(few, read=torch.ones_like(few.read))


def kept(objective: nn.Module, lesson: Lesson) -> int:
    """Bytes of the tensors that a pass saves for its way back, each memory counted once."""
    parameters = {p.untyped_storage().data_ptr() for p in objective.parameters()}
    storages: dict[int, int] = {}
    alive = []

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            storages[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # or its place might be given to another one
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        objective(lesson)
    return sum(storages.values())


def recompute(language: nn.Module) -> None:
    """Makes the layers of a language model forget their activations and compute them again on the way back."""
    for layer in language.model.layers:
        layer.forward = recomputed(layer.forward)


def recomputed(forward):
    def run(*inputs):
        return checkpoint(forward, *inputs, use_reentrant=False)

    return run


@contextlib.contextmanager
def quick_attention(device: torch.device) -> Iterator[None]:
    """On a CPU plain matrix products beat the fused attention when it has to be walked backwards."""
    if device.type != "cpu":
        yield
        return
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # the switch of every device, whatever its name
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)
