"""Importance sampling of the four style/semantics combinations of stage 1.

The paper samples them by difficulty and gives no formula. Ours (METHOD.md, 4): a running mean loss d of
each combination,

    p = (1 - 4 eps) softmax(d / tau) + eps

so harder combinations are drawn more often, none ever dies out, and nothing assumes which one is hard. For comparison
there are fixed chances: more for a combination the fewer of its features take their values from the anchor.
"""

import torch
from torch import Tensor, nn

COMBINATIONS = (("a", "a"), ("s", "a"), ("a", "m"), ("s", "m"))  # (style feature, semantic feature)
STATIC = (3 / 8, 2 / 8, 2 / 8, 1 / 8)

# Ours; METHOD.md gives them in its formula.
KEEP = 0.9  # of the running mean d, which so looks back over about ten batches
TEMPERATURE = 0.25  # tau in nats per code: a combination so much harder is drawn e times as often
FLOOR = 0.05  # eps: the easiest is still drawn once in twenty samples, or its d would say nothing of today


class ImportanceSampler(nn.Module):
    """Keeps its state in a buffer, so that a checkpoint of the training holds it too."""

    def __init__(
        self,
        sampling: str = "difficulty-aware",
        keep: float = KEEP,
        temperature: float = TEMPERATURE,
        floor: float = FLOOR,
        warm_up: int = 200,
    ):
        super().__init__()
        self.sampling, self.keep, self.temperature = sampling, keep, temperature
        self.floor, self.warm_up = floor, warm_up
        self.register_buffer("difficulty", torch.zeros(len(COMBINATIONS)))

    def chances(self, step: int) -> Tensor:
        """How often each combination is drawn, [4]."""
        if self.sampling == "static":
            return torch.tensor(STATIC)
        if self.sampling == "uniform" or step < self.warm_up:
            return torch.full_like(self.difficulty, 1 / len(COMBINATIONS))
        soft = (self.difficulty / self.temperature).softmax(dim=0)
        return (1 - len(COMBINATIONS) * self.floor) * soft + self.floor

    @torch.no_grad()
    def update(self, drawn: Tensor, losses: Tensor) -> None:
        """drawn [B], mean token loss of each sample [B]."""
        for index in drawn.unique().tolist():
            loss = losses[drawn == index].mean().to(self.difficulty)
            old = self.difficulty[index]
            self.difficulty[index] = loss if old == 0 else self.keep * old + (1 - self.keep) * loss
