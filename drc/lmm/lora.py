"""Low-rank adaptation (Hu et al., "LoRA", 2021): a pretrained language model learns without its own weights changing.

The query and value projections of every layer get a product of two small matrices beside them (METHOD.md, 4). We
leave out the dropout on its input, so that a step does not depend on how it is cut into micro-batches.
"""

import torch
from torch import Tensor, nn

PROJECTIONS = ("q_proj", "v_proj")
PARTS = ("base", "down", "up")


class LoRALinear(nn.Module):
    """base(x) + alpha / rank * up(down(x)); `up` starts at zero, so at first nothing is added."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, operations=nn):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.down = operations.Linear(base.in_features, rank, bias=False)
        self.up = operations.Linear(rank, base.out_features, bias=False)
        self.initialise()

    def initialise(self) -> None:
        self.down.reset_parameters()
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.scale * self.up(self.down(x))

    @torch.no_grad()
    def merged(self, base: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """The weight [out, in] of the one linear layer that computes the same as one of this kind with such weights."""
        return base + self.scale * up @ down


def is_lora(name: str) -> bool:
    """Whether a parameter's name is that of one of a LoRA's small matrices."""
    return name.endswith((".down.weight", ".up.weight"))


def add_lora(language: nn.Module, rank: int, alpha: float, operations=nn) -> None:
    """Freezes the language model and puts a LoRA beside the projections of each of its layers."""
    language.requires_grad_(False)
    for layer in language.model.layers:
        for name in PROJECTIONS:
            setattr(layer.self_attn, name, LoRALinear(getattr(layer.self_attn, name), rank, alpha, operations))


def merge_lora(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The state dict of `module` with every LoRA merged into its layer, under the names of a module without any."""
    for name, inner in module.named_modules():
        if isinstance(inner, LoRALinear):
            state[f"{name}.weight"] = inner.merged(*(state.pop(f"{name}.{part}.weight") for part in PARTS))
    return state
