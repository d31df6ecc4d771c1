"""What a training takes: an estimate before it begins, and ways to take less."""

import contextlib
import dataclasses
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from ..data.conditioning import TrainingBatch

SCATTERED = (150 * 2**20, 0.17)
"""Bytes, and share of a pass, that a CPU's allocator holds beside the tensors; fitted to what `scripts/bench_train.py`
measures with glibc."""

FEW = 4
"""Samples of which a pass takes no longer than passes with one and two, and makes no shapes that the training has not:
on a CPU oneDNN keeps 0.4 MB for each."""
QUICKEST = {"cpu": 4}
"""Samples in one pass where the settings leave it open, by device: a CPU works best on what fits into its caches. Where
no number stands it is all samples."""


@dataclass(frozen=True)
class Memory:
    """Bytes: weights; gradients, averages and the optimiser's two moments; what a forward and backward pass needs."""

    weights: int
    optimizer: int
    activations: int

    @property
    def beside_weights(self) -> int:
        return self.optimizer + self.activations

    @property
    def peak(self) -> int:
        return self.weights + self.optimizer + self.activations

    def __str__(self) -> str:
        parts = (self.peak, self.weights, self.optimizer, self.activations)
        peak, weights, optimizer, activations = (round(part / 2**20) for part in parts)
        return f"{peak} MB: weights {weights}, optimiser {optimizer}, one pass {activations}"


def estimate(objective: nn.Module, batch: TrainingBatch, samples: int, device: torch.device) -> Memory:
    """The peak of a training on `device` whose passes hold `samples` samples, found out on the CPU: by such a pass
    where they are `FEW`, else by passes with one and two.

    What a pass needs grows in proportion to the samples, but for what depends on the weights alone.
    """
    trained = sum(p.numel() * p.element_size() for p in objective.parameters() if p.requires_grad)
    weights = sum(p.numel() * p.element_size() for p in objective.parameters())
    if samples <= FEW:
        peak = pass_peak(objective, some(batch, samples))
    else:
        one, two = (pass_peak(objective, some(batch, count)) for count in (1, 2))
        peak = one + (two - one) * (samples - 1)
    activations = peak - trained  # a pass counts the gradients of the weights, too
    if device.type == "cpu":
        activations += SCATTERED[0] + round(SCATTERED[1] * activations)
    return Memory(weights, 4 * trained, activations)


def some(batch: TrainingBatch, count: int) -> TrainingBatch:
    """The first samples, all of them read: the longest pass there can be."""
    few = batch.part(slice(count))
    return dataclasses.replace(few, read=torch.ones_like(few.read))


def pass_peak(objective: nn.Module, batch: TrainingBatch) -> int:
    """Most bytes at a time of all that a forward and backward pass makes."""
    with LiveBytes(objective.parameters()) as live:
        losses = objective(batch)
        (losses.tokens.sum() + losses.auxiliary.sum()).backward()
    objective.zero_grad()
    return live.peak


class LiveBytes(TorchDispatchMode):
    """While it is active: bytes `now` and at the `peak` of all memory that operations made, but for that of `known`
    tensors and views of them."""

    def __init__(self, known: Iterable[Tensor]):
        super().__init__()
        self.alive = {tensor.untyped_storage()._cdata for tensor in known}  # addresses; torch has no public name
        self.now = self.peak = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch's own question: yes would import its compiler, see `adamw`. Nothing is compiled here."""
        return False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.note(tensor.untyped_storage())
        return result

    def note(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata not in self.alive:
            self.alive.add(storage._cdata)
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self.forget, storage._cdata, storage.nbytes())

    def forget(self, address: int, count: int) -> None:
        self.alive.discard(address)
        self.now -= count


def recompute(layers: Iterable[nn.Module]) -> None:
    """Makes the layers of a language model forget their activations and compute them again in the backward pass."""
    for layer in layers:
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
