"""The comparison: the embedded language model fed entangled features, as DRC's predecessors feed them.

History and reference enter the prompt as they are, one run of rows each: no tower, no fusion, no K vectors. The rows
are folded like those of the towers, or the prompt would be four times as long. Parameters saved go into more layers.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...model import DRCConfig
from ...positions import sine_positions
from ...towers import Rows
from ..data.conditioning import TrainingBatch
from ..machine.compiler import compiled
from ..machine.precision import autocast
from .stages import Losses, token_losses

EXTRA_LAYERS = 4  # about the parameters of towers and fusion


class EntangledDRC(nn.Module):
    """`instruct(history codes [B, n, N], reference codes [B, N])` -> prompt vectors [B, (n + 1) * R, d]."""

    def __init__(self, config: DRCConfig):
        super().__init__()
        sizes = replace(config.lmm, layers=config.lmm.layers + EXTRA_LAYERS, local_conditioning=False)
        self.lmm = sizes.build()
        self.rows = Rows(config.tower)
        self.roles = nn.Embedding(2, config.tower.width)

    def initialise(self) -> None:
        """Start values for training."""
        config = self.rows.config
        self.lmm.initialise()
        self.rows.place.weight.data.copy_(0.3 * sine_positions(config.rows, config.width))
        nn.init.normal_(self.roles.weight, std=0.3)

    def instruct(self, history: Tensor, reference: Tensor) -> Tensor:
        rows = self.rows(self.lmm.embed(torch.cat((history, reference[:, None]), dim=1)))
        role = torch.zeros(rows.shape[1], dtype=torch.long, device=rows.device)
        role[-1] = 1
        return (rows + self.roles(role)[:, None]).flatten(1, 2)


class EntangledObjective(nn.Module):
    """Stage 2 for the entangled model: the same data and blanking; nothing is dropped, it has no dials to train for."""

    def __init__(self, model: EntangledDRC, precision: torch.dtype = torch.float32, fuse: bool = False):
        super().__init__()
        self.model, self.precision = model, precision
        self.token_losses = compiled(token_losses) if fuse else token_losses

    def forward(self, batch: TrainingBatch) -> Losses:
        with autocast(batch.target.device, self.precision):
            vectors = self.model.instruct(batch.history, batch.reference)
            no_text = torch.zeros_like(batch.text)
            losses = self.token_losses(self.model, no_text, vectors, batch.fed, batch.target)
        return Losses(losses, torch.zeros_like(losses))
