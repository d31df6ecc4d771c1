"""On how many processes a training runs: this one alone, or all that `accelerate launch` started.

Parameters may be sharded over the processes (FSDP2): `whole` puts one together for a file, `like` takes a file's tensor
apart again. Both are calls that every process makes.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta

import torch
from torch import Tensor, nn

from ...lmm.fused import names_of_parameters
from ..errors import TrainingError
from .adamw import AdamW

PATIENCE = timedelta(hours=2)  # of processes that wait, as while the first one turns all pictures into codes


class StoppedElsewhereError(TrainingError):
    """Another process cannot go on; what it says is the reason."""


class OneProcess:
    """This process alone."""

    rank, count = 0, 1
    turn, turns = 0, 1
    sharded = False

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    @property
    def main(self) -> bool:
        """Whether this process writes files, log and progress."""
        return self.rank == 0

    def prepare(
        self, model: nn.Module, groups: list[dict], betas: tuple[float, float]
    ) -> tuple[nn.Module, AdamW | torch.optim.Optimizer]:
        """The model as it is called in training, and the optimiser of groups of its parameters."""
        return model, AdamW(groups, betas)

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def without_exchange(self, model: nn.Module):
        """A context in which gradients stay on this process: for all micro-batches but the last."""
        return contextlib.nullcontext()

    def clip(self, parameters: Iterable[Tensor], norm: float) -> Tensor:
        """Scales gradients down to `norm`; returns their norm before."""
        return whole(nn.utils.clip_grad_norm_(parameters, norm))

    def forget_gathered(self, model: nn.Module) -> None:
        """Lets go of whole copies of sharded parameters, which are out of date once the parameters were set by hand."""

    def gather(self, rows: Tensor) -> Tensor:
        """Rows [b, ...] of every process -> rows [B, ...] in the order of the whole batch."""
        return rows

    def agree(self, text: str) -> bool:
        """Whether every process says the same."""
        digest = torch.frombuffer(bytearray(hashlib.sha256(text.encode()).digest()), dtype=torch.uint8)[None]
        return bool((self.gather(digest) == digest).all())

    def wait(self) -> None:
        """Until every process is here."""

    def end(self) -> None:
        """Takes leave of the other processes."""

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What raises on one process raises on all, StoppedElsewhereError on the others: none waits in vain."""
        own = None
        try:
            yield
        except BaseException as error:
            own = error
        failed = bool(self.gather(torch.tensor([float(own is not None)])).any())
        if own is not None:
            raise own
        if failed:
            raise StoppedElsewhereError("another process stopped; what it says is the reason")


class ManyProcesses(OneProcess):
    """Those that `accelerate launch` started, on one machine or many, each with a copy of the model or, with
    --use_fsdp, a shard of it. `cpu` keeps them off GPUs."""

    turns = 3  # the first process of all, then the first of every other machine, then the rest

    def __init__(self, cpu: bool = False):
        from accelerate import Accelerator
        from accelerate.utils import parse_flag_from_env

        # Precision is ours to choose; the launcher's own settings for it would come on top.
        self.accelerator = Accelerator(mixed_precision="no", cpu=cpu)
        if cpu and parse_flag_from_env("ACCELERATE_USE_FSDP"):
            shard_on_cpu(self.accelerator)
        self.sharded, kind = self.accelerator.is_fsdp2, self.accelerator.distributed_type.value
        if not self.sharded and not kind.startswith("MULTI_"):
            raise TrainingError(
                f"the launcher was asked for {kind}, expected --multi_gpu, or --use_fsdp with --fsdp_version 2; change "
                "it"
            )
        super().__init__(self.accelerator.device)
        self.rank, self.count = self.accelerator.process_index, self.accelerator.num_processes
        self.turn = 0 if self.main else 1 if self.accelerator.is_local_main_process else 2

    def prepare(
        self, model: nn.Module, groups: list[dict], betas: tuple[float, float]
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        optimizer = torch.optim.AdamW(groups, betas=betas, fused=True)  # which parameters are sharded, it knows
        if self.sharded:
            untie(model)
        with names_of_parameters(model):  # which accelerate looks up
            return self.accelerator.prepare(model, optimizer)

    def backward(self, loss: Tensor) -> None:
        (loss * self.count).backward()  # gradients are averaged over the processes; ours add up

    def without_exchange(self, model: nn.Module):
        return self.accelerator.no_sync(model)

    def forget_gathered(self, model: nn.Module) -> None:
        for module in model.modules() if self.sharded else ():
            if hasattr(module, "reshard"):
                module.reshard()

    def gather(self, rows: Tensor) -> Tensor:
        by_process = self.accelerator.gather(rows.to(self.device)).unflatten(0, (self.count, -1))
        return by_process.transpose(0, 1).flatten(0, 1).to(rows.device)  # sample i belongs to process i % count

    def wait(self) -> None:
        self.accelerator.wait_for_everyone()

    def end(self) -> None:
        self.accelerator.end_training()


def processes_of(device: str | None) -> OneProcess:
    """All processes that a launcher started, or this one, on the device of one's choice or the fastest there is.

    TrainingError for a device that is not there.
    """
    torch_launcher = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
    cpu = device == "cpu" or not torch.accelerator.is_available()
    count = 1
    try:
        from accelerate import PartialState
        from accelerate.utils import parse_flag_from_env
    except ImportError as error:
        if torch_launcher:
            raise TrainingError("training on many processes needs accelerate; pip install accelerate") from error
    else:
        cpu = cpu or (device is None and parse_flag_from_env("ACCELERATE_USE_CPU"))
        count = PartialState(cpu, timeout=PATIENCE).num_processes
    if count == 1:
        if device is not None:
            require_device(device)
        return OneProcess(device or ("cpu" if cpu else torch.accelerator.current_accelerator()))
    if device not in (None, "cpu"):
        raise TrainingError(f"--device is {device}, but the launcher gives each process its own; leave --device out")
    return ManyProcesses(cpu)


def require_device(name: str) -> None:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # the second where torch was built without it
        raise TrainingError(
            f"--device is {name}, which this PyTorch does not find on this machine; take cpu, or leave --device out"
        ) from error


def shard_on_cpu(accelerator) -> None:
    """Accelerate offers sharding to GPUs alone, but all that it then does a CPU can do as well."""
    from accelerate import DistributedType, FullyShardedDataParallelPlugin

    accelerator.state.distributed_type = DistributedType.FSDP
    accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin()


def untie(model: nn.Module) -> None:
    """Gives frozen parameters memory of their own: by their memory accelerate tells parameters apart."""
    trained = {parameter.data_ptr() for parameter in model.parameters() if parameter.requires_grad}
    for parameter in model.parameters():
        if not parameter.requires_grad and parameter.data_ptr() in trained:
            parameter.data = parameter.data.clone()


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
