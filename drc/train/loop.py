"""One training loop for everything that learns: steps, averaged weights, log, checkpoint, resume.

Everything random is drawn from (seed, step), so a resumed run goes on as if it had never stopped and no generator
needs saving.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

log = logging.getLogger("drc")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: AdamW with a linear warm-up and a cosine decay to a twentieth."""

    steps: int
    rate: float
    warm_up: int = 100
    weight_decay: float = 0.02
    gradient_norm: float = 1.0
    average: float = 0.998
    seed: int = 0
    save_every: int = 200
    log_every: int = 20

    def rate_at(self, step: int) -> float:
        decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps)))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * decay


class Trainer:
    """Trains `model` in place and keeps a running average of its weights in `average`, which is what ships.

    `batch_loss(model, step)` returns a scalar loss and a dict of numbers for the log. `folder` receives
    `state.safetensors` (weights, average, optimiser moments, step) and `log.jsonl`; a folder that already holds a
    state is resumed.
    """

    def __init__(self, model: nn.Module, schedule: Schedule, folder: Path):
        self.model, self.schedule, self.folder = model, schedule, folder
        self.named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        decayed = [p for p in self.named.values() if p.ndim > 1]
        plain = [p for p in self.named.values() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=schedule.rate,
            betas=(0.9, 0.95),
            fused=True,
        )
        self.average = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        self.step, self.seconds = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.safetensors").exists():
            self.resume()

    def run(
        self, batch_loss: Callable[[nn.Module, int], tuple[Tensor, dict]], every: dict[int, Callable] | None = None
    ):
        """Trains to the last step. `every` maps a number of steps to a function called with the trainer that often."""
        schedule, seen = self.schedule, {}
        clock = time.monotonic()
        while self.step < schedule.steps:
            torch.manual_seed(schedule.seed * 1_000_003 + self.step)
            for group in self.optimizer.param_groups:
                group["lr"] = schedule.rate_at(self.step)
            loss, numbers = batch_loss(self.model, self.step)
            self.optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(self.named.values(), schedule.gradient_norm)
            self.optimizer.step()
            self.step += 1
            self.update_average()
            for name, value in {"loss": loss.detach(), "gradient": norm, **numbers}.items():
                seen.setdefault(name, []).append(float(value))
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            if self.step % schedule.log_every == 0:
                self.write_log({name: sum(values) / len(values) for name, values in seen.items()})
                seen = {}
            if self.step % schedule.save_every == 0 or self.step == schedule.steps:
                self.save()
            for interval, function in (every or {}).items():
                if self.step % interval == 0 or self.step == schedule.steps:
                    function(self)

    @torch.no_grad()
    def update_average(self) -> None:
        keep = min(self.schedule.average, self.step / (self.step + 10))
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point():
                self.average[name].lerp_(tensor, 1 - keep)
            else:
                self.average[name].copy_(tensor)

    def write_log(self, numbers: dict) -> None:
        row = {"step": self.step, "seconds": round(self.seconds, 1), **{k: round(v, 5) for k, v in numbers.items()}}
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps(row) + "\n")
        log.info(" ".join(f"{name} {value}" for name, value in row.items()))

    def save(self) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        for name, parameter in self.named.items():
            for moment, tensor in self.optimizer.state[parameter].items():  # empty until the first gradient
                tensors[f"{moment}.{name}"] = tensor
        # Tied weights share memory and channels-last weights are strided; a file takes neither.
        tensors = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        metadata = {"step": str(self.step), "seconds": str(self.seconds)}
        write_safetensors(tensors, self.folder / "state.safetensors", metadata)

    def resume(self) -> None:
        with safe_open(self.folder / "state.safetensors", "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            self.step, self.seconds = int(file.metadata()["step"]), float(file.metadata()["seconds"])
        self.model.load_state_dict(part(tensors, "model."))
        for name, tensor in part(tensors, "average.").items():
            self.average[name].copy_(tensor)
        for name, parameter in self.named.items():
            if f"step.{name}" in tensors:
                moments = {key: tensors[f"{key}.{name}"].to(parameter) for key in ("exp_avg", "exp_avg_sq")}
                self.optimizer.state[parameter] = {"step": tensors[f"step.{name}"], **moments}
        self.cut_log()
        log.info("resumed %s at step %d", self.folder, self.step)

    def cut_log(self) -> None:
        """Forgets the rows of steps after the checkpoint: a run that was killed is about to write them again."""
        path = self.folder / "log.jsonl"
        if path.exists():
            whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
            temporary = path.with_name(path.name + ".part")
            temporary.write_text("".join(line for line in whole if json.loads(line)["step"] <= self.step))
            temporary.replace(path)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with prefix, without it."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def write_safetensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Writes to a temporary name first, so that a reader finds the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    save_file(tensors, temporary, metadata)
    temporary.replace(path)
