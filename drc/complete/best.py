"""The best of several pictures of one thing, by what the model itself expects of one with this style and this meaning.

A judge that chooses could not score what it chose; a model's own likelihoods are nobody's measure. Four passes of the
language model over all codes at once tell them, and take about a third of the time that drawing takes.
"""

import torch
from torch import Tensor

from ..instruction import Semantics, Style
from ..likelihood import conditions, log_likelihood_ratios, log_likelihoods
from ..model import DRC


@torch.no_grad()
def scores_of(drc: DRC, codes: Tensor, style: Style, semantics: Semantics | None, text: str) -> Tensor:
    """Of pictures [n, N] of one thing how much likelier style and meaning make them: [n, 2], in nats a code."""
    given = conditions(drc, style, semantics, text, codes.device)
    return torch.stack(log_likelihood_ratios(log_likelihoods(drc, codes, *given)), dim=1).cpu()


def best_of(scores: Tensor) -> int:
    """Which of n pictures, by their scores [n, 2]: the one of the greatest sum, as the sum of both is what style and
    meaning together say; the first of equals."""
    return int(scores.sum(dim=1).argmax())
