"""What a drawn picture shows of its history and its reference, by the model's own expectations and by plain pixels.

Guidance collapses when one of the two no longer counts. Whether it counted is a question of likelihoods, see
`drc.likelihood`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...likelihood import conditions, log_likelihood_ratios, log_likelihoods
from ...model import DRC
from ...progress import OnCount

CELLS = 16  # along a side: pictures are compared as coarsely, so that a copy may be moved a little or softened


@dataclass(frozen=True)
class CollapseScores:
    """Of n drawn pictures, [n] each: log-likelihood ratios of style and meaning in nats per code, copies as shares, at
    most 1."""

    style: Tensor
    meaning: Tensor
    copies_reference: Tensor
    copies_history: Tensor  # the most of all history pictures

    def __getitem__(self, rows) -> "CollapseScores":
        return CollapseScores(
            self.style[rows], self.meaning[rows], self.copies_reference[rows], self.copies_history[rows]
        )


def collapse_scores(drc: DRC, drawn: Tensor, history: Tensor, reference: Tensor) -> CollapseScores:
    """Pictures in 0..1 of the model's size: drawn [n, 3, S, S], history [k, 3, S, S], reference [3, S, S]."""
    pictures = torch.cat((drawn, history, reference[None]))
    return scores_of_codes(drc, pictures, drc.lmm.tokenize(pictures), len(drawn))


@torch.no_grad()
def scores_of_codes(
    drc: DRC,
    pictures: Tensor,
    codes: Tensor,
    drawn: int,
    text: str = "",
    on_sequences: OnCount | None = None,
) -> CollapseScores:
    """The same of pictures [M, 3, S, S] whose codes [M, N] are known: the drawn ones, the history, the reference.

    `on_sequences` is told how many of 4 * drawn sequences are done.
    """
    style = drc.style(codes[drawn:-1])
    vectors, ids = conditions(drc, style, drc.semantics(codes[-1]), text, codes.device)
    ratios = log_likelihood_ratios(log_likelihoods(drc, codes[:drawn], vectors, ids, on_sequences).cpu())
    copies = copying(pictures[:drawn], pictures[drawn:]).cpu()
    return CollapseScores(*ratios, copies[:, -1], copies[:, :-1].amax(dim=1))


def copying(drawn: Tensor, given: Tensor) -> Tensor:
    """How far each drawn picture [n, 3, S, S] is a copy of each given one [k, 3, S, S]: [n, k].

    1 for the same picture, 0 or less for what is no nearer to it than the empty ground of its border's colour.
    """
    drawn, given = coarse(drawn), coarse(given)
    border = torch.cat((given[:, :, 0], given[:, :, -1], given[:, :, :, 0], given[:, :, :, -1]), dim=2)
    ground = border.median(dim=2).values[:, :, None, None]
    ink = (given - ground).abs().mean(dim=(1, 2, 3))
    apart = (drawn[:, None] - given).abs().mean(dim=(2, 3, 4))
    return 1 - apart / ink.clamp(min=1e-3)


def coarse(pictures: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(pictures, CELLS)
