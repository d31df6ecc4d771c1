"""What a model itself expects of a picture: how likely its codes are under a style and a meaning, and without.

Under which condition are a picture's codes c likeliest, given both, one of the two controls (history only, reference
only), or nothing? In nats per code, the log-likelihood ratios

    style   = max(log p(c | both), log p(c | history)) - max(log p(c | reference), log p(c))
    meaning = max(log p(c | both), log p(c | reference)) - max(log p(c | history), log p(c))

are above zero for what is kept and below it for what is lost, and a control costs one pass of the language model, no
drawing. No single code may say more than CENSORED, so that a few odd ones do not decide: the censored likelihood ratio
of Huber's robust test (1965). All of it is ours.
"""

from itertools import product

import torch
from torch import Tensor

from .instruction import Semantics, Style
from .model import DRC
from .progress import OnCount

CHUNK = 8  # sequences at once
CENSORED = 0.5  # nats


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
    drc: DRC, style: Style | None, semantics: Semantics | None, text: str = "", device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Instruction vectors [4, K, d] and text ids [4, T]: of both, history only, reference only, nothing.

    Text counts as semantics, as in `DRC.compose`, and may stand for them.
    """
    vectors = [drc.fuse(*pair, 0.0, device) for pair in product((style, None), (semantics, None))]
    ids = drc.encode_text(text).to(device)
    return torch.cat(vectors), torch.stack([ids, torch.zeros_like(ids)] * 2)


def log_likelihoods(
    drc: DRC, codes: Tensor, vectors: Tensor, text: Tensor, on_sequences: OnCount | None = None
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
