"""What a training needs to go on, as a checkpoint holds it: weights, averages, moments of AdamW, buffers, sampler.

Parameters go by the names that state dicts have: `drc.lmm.fused` says which of them are several in one.
"""

import torch
from torch import Tensor, nn

from ..lmm.fused import apart, fused_weights, together
from ..shapes import Shapes
from .checkpoints import BUFFERS, part
from .machine.adamw import AdamW
from .machine.processes import like, whole

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps of a parameter


class State:
    """Of the parameters `named` of `model`, their `optimizer` and a `sampler`, a module with nothing but buffers."""

    def __init__(
        self,
        model: nn.Module,
        named: dict[str, nn.Parameter],
        optimizer: AdamW | torch.optim.Optimizer,
        sampler: nn.Module | None,
    ):
        self.model, self.named, self.optimizer, self.sampler = model, named, optimizer, sampler
        self.fused = fused_weights(model)

    def tensors(self, average: dict[str, Tensor]) -> dict[str, Tensor]:
        """All of it, whole, by the names of a file; every process asks for it."""
        found = self.filed("weights", self.named) | self.filed("average", average)
        moments = {name: self.optimizer.state[parameter] for name, parameter in self.named.items()}
        for moment in MOMENTS:  # none before the first gradient
            found |= self.filed(moment, {name: state[moment] for name, state in moments.items() if state})
        return found | self.others()

    def others(self) -> dict[str, Tensor]:
        sampler = {} if self.sampler is None else self.sampler.state_dict()
        buffers = {f"{BUFFERS}{name}": buffer for name, buffer in self.model.named_buffers()}
        return buffers | {f"sampler.{name}": tensor for name, tensor in sampler.items()}

    def filed(self, kind: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """One tensor of each parameter -> by the names of a file."""
        tensors = apart({name: whole(tensor.detach()) for name, tensor in tensors.items()}, self.fused)
        return {f"{kind}.{name}": tensor for name, tensor in tensors.items()}

    def shapes(self) -> Shapes:
        """Names and shapes of what every checkpoint holds."""
        hollow = {name: torch.empty(parameter.shape, device="meta") for name, parameter in self.named.items()}
        tensors = self.filed("weights", hollow) | self.filed("average", hollow) | self.others()
        return {name: tuple(tensor.shape) for name, tensor in tensors.items()}

    def of(self, kind: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """What `filed` made -> of each parameter, placed as that is."""
        found = together(part(tensors, f"{kind}."), self.fused)
        return {name: like(found[name], parameter) for name, parameter in self.named.items() if name in found}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Buffers, sampler and moments; ValueError where these are not of the size of their parameters."""
        for name, buffer in self.model.named_buffers():
            buffer.copy_(tensors[f"{BUFFERS}{name}"])
        if self.sampler is not None:
            self.sampler.load_state_dict(part(tensors, "sampler."))
        for name, shape in part(self.shapes(), "weights.").items():
            for moment in MOMENTS if f"step.{name}" in tensors else ():
                found = tensors.get(f"{moment}.{name}")
                if found is None or found.shape != (() if moment == "step" else shape):
                    raise ValueError(f"{moment}.{name} is missing or of another size")
        steps = together(part(tensors, "step."), self.fused)
        rest = {moment: self.of(moment, tensors) for moment in MOMENTS[1:]}
        for name in self.named.keys() & steps.keys():
            parameter = self.named[name]
            placed = {moment: of[name] for moment, of in rest.items()}
            self.optimizer.state[parameter] = {"step": steps[name].to(parameter.device), **placed}
