"""Low-rank adaptation (Hu et al., "LoRA", 2021): a pretrained language model learns without its own weights changing.

The query and value projections of every layer get a product of two small matrices beside them (METHOD.md, 4). We
leave out the dropout on its input, so that a step does not depend on how it is cut into micro-batches.
"""

import torch
from torch import Tensor, nn

from ..progress import OnPart

PROJECTIONS = ("q_proj", "v_proj")


class LoRA(nn.Module):
    """alpha / rank * up(down(x)), beside a layer of such rows; `up` starts at zero, so at first nothing is added."""

    def __init__(self, width: int, rows: int, rank: int, alpha: float, operations=nn):
        super().__init__()
        self.scale = alpha / rank
        self.down = operations.Linear(width, rank, bias=False)
        self.up = operations.Linear(rank, rows, bias=False)
        if not self.down.weight.is_meta:
            self.initialise()

    def initialise(self) -> None:
        nn.Linear.reset_parameters(self.down)  # those of a host, and of `drc.shapes`, leave their weights as they are
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.up(self.down(x))

    @torch.no_grad()
    def merged(self, base: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """The weight [out, in] of the one linear layer that computes what the layer of weight `base` does with one of
        this kind with such weights beside it."""
        return base + self.scale * up @ down


def is_lora(name: str) -> bool:
    """Whether a parameter's name is that of one of a LoRA's small matrices."""
    return name.endswith((".down.weight", ".up.weight"))


def add_lora(language: nn.Module, rank: int, alpha: float, operations=nn) -> None:
    """Freezes the language model and puts a LoRA beside the projections of each of its layers."""
    language.requires_grad_(False)
    for layer in language.model.layers:
        attention = layer.self_attn
        for name in PROJECTIONS:
            lora = LoRA(attention.qkv_proj.in_features, attention.rows[name], rank, alpha, operations)
            setattr(attention, name, lora)


@torch.no_grad()
def merge_into(language: nn.Module, on_part: OnPart | None = None) -> None:
    """Makes every LoRA part of the layer that it stands beside, whose type it then has, and leaves none. `on_part` is
    called before each layer and may raise to stop."""
    for layer in language.model.layers:
        if on_part is not None:
            on_part()
        attention, first = layer.self_attn, 0
        for name, rows in attention.rows.items():
            if (lora := getattr(attention, name)) is not None:
                weight = attention.qkv_proj.weight.data.narrow(0, first, rows)
                weight.copy_(lora.merged(weight.float(), lora.down.weight.float(), lora.up.weight.float()))
                setattr(attention, name, None)
            first += rows


def merge_lora(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The state dict of `module` with every LoRA merged into the layer that it stands beside."""
    for name, inner in module.named_modules():
        if isinstance(inner, LoRA):
            down, up = (state.pop(f"{name}.{part}.weight") for part in ("down", "up"))
            state[f"{name}.weight"] = inner.merged(state[f"{name}.weight"], down, up)
    return state
