"""Drawing a list: one picture for each item, a few at a time, so that memory does not grow with the list."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..instruction import Style
from ..lmm import OnCode
from ..lmm.generate import Sampling
from ..model import DRC
from ..seeds import seed_for
from ..tensor_file import tensors_hash
from .best import best_of, scores_of
from .cache import DrawnCache
from .meaning import Meanings
from .names import Item
from .settings import Settings, check

AT_ONCE = 16  # pictures
UNTOLD = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Asked:
    """An item as the model is asked for it: codes [k, N] of pictures that show what it means, if there are any, and the
    seed. `key` names all that its picture depends on."""

    item: Item
    shown: Tensor | None
    seed: int
    key: str


@dataclass(frozen=True)
class Drawn:
    """A picture of what was asked for: codes [N], and how much likelier style and meaning make them in nats a code [2],
    NaN where the model does not tell."""

    asked: Asked
    codes: Tensor
    scores: Tensor


class Completion:
    """Draws items in one style, away from a negative one; `cache` holds what was drawn before. ValueError for settings
    that do not serve."""

    def __init__(
        self,
        drc: DRC,
        style: Style,
        settings: Settings,
        cache: DrawnCache | None = None,
        negative_style: Style | None = None,
    ):
        check(settings, drc)
        self.drc, self.style, self.settings, self.cache, self.negative = drc, style, settings, cache, negative_style
        self.meanings, self.style_key = Meanings(drc, settings.drawings), style_key(style)
        self.unkept: dict[str, tuple[Tensor, Tensor]] = {}  # by their keys
        self.refused: OSError | None = None

    @property
    def at_once(self) -> int:
        """Items that are drawn together."""
        return max(1, AT_ONCE // self.settings.best_of) if self.drc.lmm.draws_pixels else 1

    @torch.no_grad()
    def draw(self, items: Sequence[Item], on_code: OnCode | None = None) -> Iterator[Drawn]:
        """Every item, in its order; `on_code` is told of the candidates of all items that are drawn together."""
        for first in range(0, len(items), self.at_once):
            asked = [self.ask(item) for item in items[first : first + self.at_once]]
            found = {one.key: drawn for one in asked if (drawn := self.drawn_before(one))}
            missing = [one for one in asked if one.key not in found]
            if missing:
                found |= {drawn.asked.key: drawn for drawn in self.draw_together(missing, on_code)}
            yield from (found[one.key] for one in asked)

    @torch.no_grad()
    def ask(self, item: Item) -> Asked:
        shown, settings = self.meanings.codes(item), self.settings
        seed = seed_for(settings.seed, item.text or item.name)
        how = settings.best_of, *settings.dials.strengths, settings.dials.temperature
        depends = [self.drc.hash, self.style_key, item.text, None if shown is None else shown.tolist(), seed, how]
        depends += [] if self.negative is None else [style_key(self.negative)]
        return Asked(item, shown, seed, hashlib.sha256(json.dumps(depends).encode()).hexdigest())

    def drawn_before(self, asked: Asked) -> Drawn | None:
        found = self.unkept.get(asked.key) or (self.cache and self.cache.get(asked.key, self.drc.lmm))
        return Drawn(asked, *found) if found else None

    def draw_together(self, asked: Sequence[Asked], on_code: OnCode | None) -> Iterator[Drawn]:
        """The best picture of each, which is kept at once."""
        count, settings, drc = self.settings.best_of, self.settings, self.drc
        semantics = [self.meanings.semantics(one.shown) for one in asked]
        codes = drc.draw(
            self.style,
            [one for one in semantics for _ in range(count)],
            [one.item.text for one in asked for _ in range(count)],
            *settings.dials.strengths,
            [one.seed + candidate for one in asked for candidate in range(count)],
            Sampling(settings.dials.temperature),
            on_code,
            as_codes=True,
            negative_style=self.negative,
        )
        for one, meaning, candidates in zip(asked, semantics, codes.split(count), strict=True):
            scores = torch.tensor([UNTOLD])
            if drc.lmm.draws_pixels:
                scores = scores_of(drc, candidates, self.style, meaning, one.item.text)
            best = best_of(scores)
            drawn = Drawn(one, candidates[best].cpu(), scores[best])
            self.keep(one.key, drawn.codes, drawn.scores)
            yield drawn

    def keep(self, key: str, codes: Tensor, scores: Tensor) -> None:
        """Where the disk takes no more, drawing goes on, and `refused` says why."""
        if self.cache is None:
            return
        try:
            self.cache.put(key, codes, scores)
        except OSError as error:
            self.refused, self.unkept[key] = error, (codes, scores)

    def keep_again(self) -> None:
        """What the disk did not take before."""
        unkept, self.unkept, self.refused = self.unkept, {}, None
        for key, drawn in unkept.items():
            self.keep(key, *drawn)


def style_key(style: Style) -> str:
    """The same for the same style, and where it is known what it came from, whatever computed it."""
    source = {"rows": style.rows} if style.codes is None else {"codes": style.codes}
    return tensors_hash(source | {"weights": style.weights.float()})
