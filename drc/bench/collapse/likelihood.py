"""What a drawn picture shows of its history and its reference, by the model's own expectations and by plain pixels.

Guidance collapses when one of the two no longer counts. Whether it counted is a question of likelihoods: under which
condition are a picture's codes c likeliest, given both, one of the two controls (history only, reference only), or
nothing? In nats per code, the log-likelihood ratios

    style   = max(log p(c | both), log p(c | history)) - max(log p(c | reference), log p(c))
    meaning = max(log p(c | both), log p(c | reference)) - max(log p(c | history), log p(c))

are above zero for what is kept and below it for what is lost, and a control costs one pass of the language model, no
drawing. No single code may say more than CENSORED, so that a few odd ones do not decide: the censored likelihood ratio
of Huber's robust test (1965). All of it is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...instruction import Semantics, Style
from ...model import DRC

CHUNK = 8  # sequences at once
CENSORED = 0.5  # nats
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
    on_sequences: Callable[[int], None] | None = None,
) -> CollapseScores:
    """The same of pictures [M, 3, S, S] whose codes [M, N] are known: the drawn ones, the history, the reference.

    `on_sequences` is told how many of 4 * drawn sequences are done.
    """
    style = drc.style(codes[drawn:-1])
    vectors, ids = conditions(drc, style, drc.semantics(codes[-1]), text, codes.device)
    ratios = log_likelihood_ratios(log_likelihoods(drc, codes[:drawn], vectors, ids, on_sequences).cpu())
    copies = copying(pictures[:drawn], pictures[drawn:]).cpu()
    return CollapseScores(*ratios, copies[:, -1], copies[:, :-1].amax(dim=1))


def log_likelihood_ratios(log_likelihoods: Tensor) -> tuple[Tensor, Tensor]:
    """Log likelihoods of codes [4, n, N] under the conditions, in their order -> those of style and meaning [n]."""
    both, history, reference, nothing = log_likelihoods
    style = better(both, history) - better(reference, nothing)
    meaning = better(both, reference) - better(history, nothing)
    return tuple(ratio.clamp(-CENSORED, CENSORED).mean(dim=1) for ratio in (style, meaning))


def better(first: Tensor, second: Tensor) -> Tensor:
    """Of two conditions [n, N] the one under which the whole picture is likelier."""
    return torch.where((first.mean(dim=1) > second.mean(dim=1))[:, None], first, second)


def conditions(
    drc: DRC, style: Style, semantics: Semantics, text: str = "", device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Instruction vectors [4, K, d] and text ids [4, T]: of both, history only, reference only, nothing.

    Text counts as semantics, as in `DRC.compose`.
    """
    given = ((style, semantics), (style, None), (None, semantics), (None, None))
    ids = drc.encode_text(text).to(device)
    vectors = torch.cat([drc.fuse(*pair, 0.0, device) for pair in given])
    return vectors, torch.stack([ids if its_semantics else torch.zeros_like(ids) for _, its_semantics in given])


def log_likelihoods(
    drc: DRC, codes: Tensor, vectors: Tensor, text: Tensor, on_sequences: Callable[[int], None] | None = None
) -> Tensor:
    """Of every code of pictures [n, N] under each of c conditions, [c, n, N], in nats; 0 or less.

    `on_sequences` is told how many of the c * n are done.
    """
    lmm, found = drc.lmm, []
    pairs = torch.cartesian_prod(torch.arange(len(vectors)), torch.arange(len(codes)))
    for condition, picture in (some.unbind(1) for some in pairs.split(CHUNK)):
        its_codes, its_vectors = codes[picture], vectors[condition]
        found.append(lmm.log_likelihoods(text[condition], its_vectors, its_codes))
        if on_sequences is not None:
            on_sequences(sum(map(len, found)))
    return torch.cat(found).view(len(vectors), *codes.shape)


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
