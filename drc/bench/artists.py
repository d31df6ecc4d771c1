"""Whoever draws a picture from a history and a reference: DRC, or what it is compared with."""

from typing import Protocol

import torch
from torch import Tensor

from ..lmm import LMM
from ..lmm.generate import Sampling, generate
from ..model import DRC
from ..train.batches import Batch
from ..train.entangled import EntangledDRC
from .judges import Judge


class Artist(Protocol):
    def draw(self, history: Tensor, reference: Tensor, seeds: list[int]) -> Tensor:
        """Histories [B, n, 3, S, S] and references [B, 3, S, S] in 0..1 -> one picture each [B, 3, S, S]."""


class LMMArtist:
    """Draws with a large multimodal model what `instruct` asks it to."""

    def __init__(self, lmm: LMM, sampling: Sampling):
        self.lmm, self.sampling = lmm, sampling

    def instruct(self, history: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes [B, n, N] and [B, N] -> text [B, S, T], vectors [B, S, K, d] and coefficients [S]."""
        raise NotImplementedError

    @torch.no_grad()
    def draw(self, history: Tensor, reference: Tensor, seeds: list[int]) -> Tensor:
        codes = self.lmm.tokenize(torch.cat((history, reference[:, None]), dim=1).flatten(0, 1))
        codes = codes.unflatten(0, (len(reference), -1))
        instructions = self.instruct(codes[:, :-1], codes[:, -1])
        return self.lmm.detokenize(generate(self.lmm, *instructions, seeds, self.sampling))


class DRCArtist(LMMArtist):
    def __init__(self, drc: DRC, style_strength: float, semantic_strength: float, sampling: Sampling):
        super().__init__(drc.lmm, sampling)
        self.drc, self.strengths = drc, (style_strength, semantic_strength)

    def instruct(self, history: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weights = torch.ones(history.shape[1])
        made = [
            self.drc.compose(self.drc.style(pictures, weights), self.drc.semantics(picture), "", *self.strengths)
            for pictures, picture in zip(history, reference, strict=True)
        ]
        texts, vectors = torch.stack([one.text for one in made]), torch.stack([one.vectors for one in made])
        return texts, vectors, made[0].coefficients


class EntangledArtist(LMMArtist):
    """The comparison has no dials: one stream, plain conditional drawing."""

    def __init__(self, entangled: EntangledDRC, sampling: Sampling):
        super().__init__(entangled.lmm, sampling)
        self.entangled = entangled

    def instruct(self, history: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        vectors = self.entangled.instruct(history, reference)[:, None]
        text = torch.zeros(len(reference), 1, self.lmm.config.text_slots, dtype=torch.long)
        return text, vectors, torch.ones(1)


class Chooser:
    """Lets an artist draw several candidates and keeps the one that a judge finds likest to history and reference.

    The judge that chooses must not score.
    """

    def __init__(self, artist: Artist, judge: Judge, candidates: int):
        self.artist, self.judge, self.candidates = artist, judge, candidates

    def draw(self, history: Tensor, reference: Tensor, seeds: list[int]) -> Tensor:
        style = self.judge(history.flatten(0, 1)).style.unflatten(0, history.shape[:2]).mean(dim=1)
        meaning = self.judge(reference).meaning
        drawn, likeness = [], []
        for candidate in range(self.candidates):
            drawn.append(self.artist.draw(history, reference, [seed + candidate for seed in seeds]))
            found = self.judge(drawn[-1])
            likeness.append((found.style * style).sum(dim=1) + (found.meaning * meaning).sum(dim=1))
        best = torch.stack(likeness).argmax(dim=0)
        return torch.stack(drawn)[best, torch.arange(len(seeds))]


@torch.no_grad()
def as_batch(drc: DRC, target: Tensor, history: Tensor, reference: Tensor) -> Batch:
    """Pictures of cases -> what `drc.train.validation.gaps` measures, without text."""
    lmm = drc.lmm
    codes = lmm.tokenize(torch.cat((target[:, None], reference[:, None], history), dim=1).flatten(0, 1))
    codes = codes.unflatten(0, (len(target), -1))
    text = torch.zeros(len(target), drc.config.lmm.text_slots, dtype=torch.long)
    return Batch(codes[:, 0], codes[:, 2:], codes[:, 1], codes[:, 1], text)
