"""AdamW (Loshchilov and Hutter, 2019) on one process: torch's own fused step, called directly.

torch's optimiser classes import torch's compiler with them: 150 MB more for `python -m drc.train`, and a slower start.
A ComfyUI of 0.3.75 has imported it anyway.
"""

from collections import defaultdict

import torch
from torch import Tensor
from torch.optim.adamw import adamw


class AdamW:
    """What the training asks of `torch.optim.AdamW`, with the same results: `param_groups` and `state` are alike."""

    def __init__(self, groups: list[dict], betas: tuple[float, float], eps: float = 1e-8):
        self.param_groups, self.betas, self.eps = groups, betas, eps
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)

    def zero_grad(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            learning = [parameter for parameter in group["params"] if parameter.grad is not None]
            states = [self.state[parameter] or self.begin(parameter) for parameter in learning]
            adamw(
                learning,
                [parameter.grad for parameter in learning],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"] for state in states],
                fused=True,
                amsgrad=False,
                beta1=self.betas[0],
                beta2=self.betas[1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=self.eps,
                maximize=False,
            )

    def begin(self, parameter: Tensor) -> dict[str, Tensor]:
        self.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
        return self.state[parameter]
