"""On how many processes a training runs: this one alone, or all that `accelerate launch` started.

Parameters may be sharded over the processes (FSDP2): `whole` puts one together for a file, `like` takes a file's tensor
apart again. Both are calls that every process makes.
"""

import contextlib
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class OneProcess:
    """This process alone."""

    rank, count = 0, 1

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    @property
    def main(self) -> bool:
        """Whether this process writes files, log and progress."""
        return self.rank == 0

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, torch.optim.Optimizer]:
        return model, optimizer

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def without_exchange(self, model: nn.Module):
        """A context in which gradients stay on this process: for all micro-batches but the last."""
        return contextlib.nullcontext()

    def clip(self, parameters: Iterable[Tensor], norm: float) -> Tensor:
        """Scales gradients down to `norm`; returns their norm before."""
        return nn.utils.clip_grad_norm_(parameters, norm)

    def gather(self, rows: Tensor) -> Tensor:
        """Rows [b, ...] of every process -> rows [B, ...] in the order of the whole batch."""
        return rows

    def wait(self) -> None:
        """Until every process is here."""


class ManyProcesses(OneProcess):
    """Those that `accelerate launch` started, on one machine or many."""

    def __init__(self):
        from accelerate import Accelerator

        self.accelerator = Accelerator()
        super().__init__(self.accelerator.device)
        self.rank, self.count = self.accelerator.process_index, self.accelerator.num_processes

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, torch.optim.Optimizer]:
        return self.accelerator.prepare(model, optimizer)

    def backward(self, loss: Tensor) -> None:
        self.accelerator.backward(loss * self.count)  # gradients are averaged over the processes; ours add up

    def without_exchange(self, model: nn.Module):
        return self.accelerator.no_sync(model)

    def clip(self, parameters: Iterable[Tensor], norm: float) -> Tensor:
        return whole(self.accelerator.clip_grad_norm_(list(parameters), norm))

    def gather(self, rows: Tensor) -> Tensor:
        by_process = self.accelerator.gather(rows.to(self.device)).unflatten(0, (self.count, -1))
        return by_process.transpose(0, 1).flatten(0, 1).to(rows.device)  # sample i belongs to process i % count

    def wait(self) -> None:
        self.accelerator.wait_for_everyone()


def whole(tensor: Tensor) -> Tensor:
    """A tensor put together from all processes."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """A whole tensor, taken apart and placed as `parameter` is."""
    tensor = tensor.to(parameter.device)
    if not hasattr(parameter, "full_tensor"):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor, parameter.device_mesh, parameter.placements)
