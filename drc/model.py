"""DRC: a large multimodal model, the two towers and the fusion network."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .fusion import FusionConfig, FusionNetwork
from .instruction import (
    NEGATIVE,
    OPEN_TEMPERATURE,
    TEMPERATURE,
    Dials,
    Instruction,
    Semantics,
    Style,
    side_by_side,
    streams,
)
from .lmm import Config, OnCode, Words
from .lmm.generate import Sampling
from .lmm.pictures import PICTURES, codes_of
from .lmm.registry import EMBEDDED, LMMS
from .lmm.words import encode_text
from .parsing import agree, brief, parse, read, stored
from .pixels import check, to_image
from .positions import POSITION_SCALE, sine_positions
from .progress import OnCount
from .towers import Rows, SemanticTower, StyleTower, TowerConfig

# Start values of towers and fusion, all of them ours (METHOD.md, 2 and 3): sizes at which a copier comes out.
FOLD_SCALE = 2.0  # of the projection that folds codes into rows, so that content outweighs position
TOWER_SHARPNESS, TOWER_SHARE = 1.0, 1.0  # of the attention of a tower, see `pass_through`
SEMANTIC_SHARPNESS, SEMANTIC_SHARE = 2.2, 1.0  # of that of the fusion to semantic rows
STYLE_SHARPNESS, STYLE_SHARE = 1.8, 0.5  # and to style rows
TOWER_BRANCH, FUSION_BRANCH = 0.2, 0.15  # of what a feed-forward adds
TYPE_SCALE, NOTHING_SCALE = 0.3, 1.0  # of the marks of style and semantics, and of the rows in place of a dropped one


@dataclass(frozen=True)
class DRCConfig:
    lmm: Config = field(default_factory=LMMS[EMBEDDED])
    tower: TowerConfig = field(default_factory=TowerConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)

    def to_json(self) -> str:
        return json.dumps(stored(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "DRCConfig":
        """ValueError with the rest of a sentence where a size is missing, out of bounds, or does not fit the others."""
        values = parse(text)
        sizes = values.get("lmm")
        kind = sizes.get("kind", EMBEDDED) if isinstance(sizes, dict) else EMBEDDED
        if not isinstance(kind, str) or kind not in LMMS:
            raise ValueError(f"has lmm.kind {brief(repr(kind))}, expected one of {', '.join(LMMS)}")
        parts = {"lmm": LMMS[kind], "tower": TowerConfig, "fusion": FusionConfig}
        config = cls(**{name: read(part, values.get(name), name) for name, part in parts.items()})
        config.check()
        return config

    def check(self) -> None:
        """ValueError with the rest of a sentence for parts that do not fit each other."""
        model, tower, fusion = self.lmm, self.tower, self.fusion
        for part in (model, tower, fusion):
            part.check()
        agree(
            {
                "tower.grid": (tower.grid, model.grid),
                "tower.embedding": (tower.embedding or tower.width, model.width),
                "tower.merge": (tower.merge, tower.merge if tower.positions else 1),
                "fusion.width": (fusion.width, tower.width),
                "fusion.output": (fusion.output or fusion.width, model.width),
            }
        )


class Disentangler(nn.Module):
    """What DRC trains beside the LMM: both towers, the rows they read, and the fusion network."""

    def __init__(self, config: DRCConfig, operations=nn):
        super().__init__()
        self.rows = Rows(config.tower, operations)
        self.style_tower = StyleTower(config.tower, operations)
        self.semantic_tower = SemanticTower(config.tower, operations)
        self.fusion = FusionNetwork(config.fusion, operations)

    def style(self, embeddings: Tensor, weights: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """Code embeddings of histories [B, n, N, d] and weights [n] -> style rows [B, n, R, d]; mask [B, n, R]."""
        rows = self.rows(embeddings)
        return self.style_tower.of_set(rows, self.rows.positions(rows), weights, padding_mask=padding_mask)

    def semantics(self, meaning: Tensor, source: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """What references mean [B, N, d], and what the views that they attend to mean, -> semantic rows [B, R, d]; the
        views' mask [B, R]."""
        rows = self.rows(torch.stack((meaning, source), dim=1))
        return self.semantic_tower(rows[:, 0], rows[:, 1], self.rows.positions(rows), padding_mask)

    def padding_mask(self, codes: Tensor) -> Tensor | None:
        """Codes [..., N] -> where [..., R] a row has none; None for a model whose pictures all have as many."""
        return None if self.rows.config.positions else codes < 0

    def initialise(self, scale: float) -> None:
        """Start values for training: a copier, which must only learn how the style departs from the reference.

        Every attention looks at the rows that resemble its query, in content and position, and hands on what they hold;
        so an instruction vector begins as what the reference and the history show at its own spot. `scale` is the size
        of the numbers in the language model's input table.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        config = self.rows.config
        nn.init.normal_(self.rows.fold.weight, std=FOLD_SCALE * self.rows.fold.in_features**-0.5)
        if config.positions:
            self.rows.place.weight.data.copy_(POSITION_SCALE * sine_positions(config.rows, config.width))
        for tower in (self.style_tower, self.semantic_tower):
            pass_through(tower, TOWER_SHARPNESS, TOWER_SHARE)
            tower.feed_forward[-1].weight.data.mul_(TOWER_BRANCH)
        fusion = self.fusion
        if config.positions:
            fusion.queries.weight.data.copy_(sine_positions(fusion.config.instructions, fusion.config.width))
        else:
            nn.init.normal_(fusion.queries.weight)
        for layer in fusion.layers:
            pass_through(layer.semantics, SEMANTIC_SHARPNESS, SEMANTIC_SHARE)
            pass_through(layer.style, STYLE_SHARPNESS, STYLE_SHARE)
            layer.feed_forward[-1].weight.data.mul_(FUSION_BRANCH)
        nn.init.normal_(fusion.types.weight, std=TYPE_SCALE)
        nn.init.normal_(fusion.nothing.weight, std=NOTHING_SCALE)
        nn.init.constant_(fusion.norm.weight, scale)


def pass_through(attention: nn.Module, sharpness: float, share: float) -> None:
    """Start values of a cross-attention that finds its like and adds `share` of it unchanged."""
    attention.query.weight.data.mul_(sharpness)
    attention.key.weight.data.copy_(attention.query.weight)
    nn.init.eye_(attention.value.weight)
    nn.init.eye_(attention.out.weight)
    attention.out.weight.data.mul_(share)


@dataclass(frozen=True)
class About:
    """What the file of a model says of it.

    `hash` names the weights on every record. `stage` is the stage of training that was last, 0 where the towers were
    never trained, after `step` steps. `base_lmm` holds hash and name, as a file's header has them, of the files that
    the LMM is read from; it is empty for an LMM whose weights are in the file. `auxiliary_head` holds the weights of
    the head that only training uses, where they were kept. `learned` are the words that trainings taught it, None
    where that is not known, see `drc.lmm.learned`.
    """

    hash: str = ""
    stage: int = 2
    step: int = 0
    licence: str = ""
    base_lmm: dict[str, str] = field(default_factory=dict)
    auxiliary_head: dict[str, Tensor] = field(default_factory=dict)
    learned: frozenset[str] | None = None


class DRC(nn.Module):
    """`lmm` draws, `disentangler` tells it what; `words` reads text, `about` says where the weights are from."""

    def __init__(self, config: DRCConfig, words: Words | None = None, operations=nn, about: About | None = None):
        super().__init__()
        self.config, self.words, self.about = config, words, about or About()
        self.lmm = config.lmm.build(operations)
        self.disentangler = Disentangler(config, operations)

    @property
    def hash(self) -> str:
        return self.about.hash

    @property
    def stage(self) -> int:
        return self.about.stage

    def parts(self) -> dict[str, nn.Module]:
        """What works at different times, for a host that moves weights: vision, language, disentangler, and a decoder
        where that is not part of vision."""
        return self.lmm.parts() | {"disentangler": self.disentangler}

    def encode_text(self, text: str) -> Tensor:
        """Text -> ids [T]; ValueError when it does not fit."""
        return encode_text(self.words, text, self.lmm.text_slots)

    def unknown_words(self, text: str) -> list[str]:
        """The words that no training taught, or that are read as nothing known; of the first it can tell none where
        the file does not list what was learned, and there are none at all over an LMM that reads any text."""
        return self.words.unknown(text, self.about.learned)

    def style(self, codes: Tensor, weights: Tensor | None = None, on_pictures: OnCount | None = None) -> Style:
        """Codes of the history [n, N] and weights [n], all 1 where left out, -> Style; `on_pictures` is told how many
        pictures are done."""
        self.require_trained_towers()
        weights = torch.ones(len(codes), device=codes.device) if weights is None else weights
        codes, to_rows, tower = trimmed(codes), self.disentangler.rows, self.disentangler.style_tower
        padding = self.disentangler.padding_mask(codes)
        rows = torch.cat([to_rows(self.lmm.embed(some)[None]) for some in codes.split(PICTURES)], dim=1)
        batch_padding = None if padding is None else padding[None]
        rows = tower.of_set(rows, to_rows.positions(rows), weights, on_pictures, batch_padding)
        return Style(rows[0], weights, self.hash, padding, codes)

    def semantics(self, codes: Tensor) -> Semantics:
        """Codes of the reference [N] -> Semantics; the reference attends to itself (METHOD.md, 2)."""
        self.require_trained_towers()
        meaning = self.lmm.meaning(trimmed(codes))[None]
        return Semantics(self.disentangler.semantics(meaning, meaning)[0], self.hash)

    @torch.no_grad()
    def draw(
        self,
        history: Tensor | Sequence[Tensor] | Style | list[Style] | None = None,
        reference: Tensor | Sequence[Tensor] | Semantics | list[Semantics] | None = None,
        text: str | list[str] = "",
        style_strength: float | list[float] = Dials.style_strength,
        semantic_strength: float | list[float] = Dials.semantic_strength,
        seeds: Sequence[int] = (0,),
        sampling: Sampling | None = None,
        on_code: OnCode | None = None,
        as_codes: bool = False,
        negative_style: Style | None = None,
    ) -> Tensor:
        """A picture for each seed, in the style of the history and with the meaning of reference and text.

        Pictures are float [H, W, 3 or 4] in 0..1 and of any size; the history is a batch or a list of them, the
        reference a batch or a list of one. What `style` and `semantics` made of them serves as well. A list of such, or
        of texts or strengths, has one for each seed. From a negative style, one for all, the style guidance leads away.
        Returns [seeds, size, size, 3]; `as_codes` leaves out the last step, for a model whose vision is elsewhere, and
        returns the codes [seeds, N]. ValueError for what is no picture, for text that does not fit, for towers that
        were never trained, and where a model that draws no pixels is asked for some.
        """
        if not as_codes:
            self.require_pixels()
        given = {"history": self.styles_of(history), "reference": self.semantics_of(reference), "text": text}
        given |= {"style_strength": style_strength, "semantic_strength": semantic_strength}
        each_given = zip(*(each(*named, len(seeds)) for named in given.items()), strict=True)
        made = [self.compose(*one, negative_style=negative_style) for one in each_given]
        instruction = made[0] if len(made) == 1 else side_by_side(made)
        sampling = (sampling or Sampling(Dials.temperature)).of(instruction)
        codes = self.lmm.draw(instruction, list(seeds), sampling, on_code)
        return codes if as_codes else to_image(self.lmm.detokenize(codes))

    def styles_of(self, history) -> Style | list[Style] | None:
        return history if is_made(history, Style) else self.style(self.tokenize(history, "history"))

    def semantics_of(self, reference) -> Semantics | list[Semantics] | None:
        if is_made(reference, Semantics):
            return reference
        if len(reference) != 1:
            raise ValueError(f"reference has {len(reference)} pictures, expected 1; give one of them")
        return self.semantics(self.tokenize(reference, "reference")[0])

    def tokenize(self, pictures: Tensor | Sequence[Tensor], name: str) -> Tensor:
        """Pictures [H, W, 3 or 4] in 0..1, called `name` in a ValueError -> codes [n, N]."""
        for picture in pictures:
            check(picture[None], name)
        squares = (self.lmm.prepare(picture, f"picture {n} of {name}") for n, picture in enumerate(pictures, 1))
        return codes_of(self.lmm, squares, self.device)

    @property
    def device(self) -> torch.device:
        """Where the towers are."""
        return next(self.disentangler.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the rows of towers, and of instruction vectors."""
        return next(self.disentangler.parameters()).dtype

    def require_pixels(self) -> None:
        if not self.lmm.draws_pixels:
            raise ValueError(
                "this model draws codes for a diffusion model, which gives the pictures; draw with the workflow "
                "lavit_personalise, or choose a model that draws pixels"
            )

    def require_trained_towers(self) -> None:
        if self.stage == 0:
            raise ValueError(
                "the towers of this model were never trained; run the workflow train_disentanglement, then "
                "train_personalisation, or load a model of stage 1 or 2"
            )

    def compose(
        self,
        style: Style | None,
        semantics: Semantics | None,
        text: str = "",
        style_strength: float = 1.0,
        semantic_strength: float = 1.0,
        semantic_mask: float = 0.0,
        device: torch.device | str | None = None,
        negative_style: Style | None = None,
    ) -> Instruction:
        """Style and semantics on `device`, which is theirs or the towers' where left out, -> one instruction. Text
        counts as semantics: it comes and goes with them. From a negative style the style guidance leads away.

        ValueError for text that does not fit, and where the fusion network was never trained.
        """
        self.require_trained_towers()
        given = {True: style, NEGATIVE: negative_style, False: None}
        device = device or next((one.rows.device for one in (style, semantics) if one is not None), self.device)
        ids = self.encode_text(text).to(device)
        has_semantics = semantics is not None or bool(text.strip())
        exist = style is not None, has_semantics, negative_style is not None
        chain = streams(style_strength, semantic_strength, *exist)
        vectors, texts = [], []
        for which_style, with_semantics in chain:
            meaning = semantics if with_semantics else None
            vectors.append(self.fuse(given[which_style], meaning, semantic_mask, device))
            texts.append(ids if with_semantics else torch.zeros_like(ids))
        coefficients = torch.tensor(list(chain.values()), device=device)
        temperature = OPEN_TEMPERATURE if semantics is None or semantic_strength == 0 else TEMPERATURE
        return Instruction(torch.cat(vectors), torch.stack(texts), coefficients, self.hash, temperature)

    def fuse(
        self, style: Style | None, semantics: Semantics | None, semantic_mask: float, device: torch.device | str
    ) -> Tensor:
        """Instruction vectors [1, K, d] of what is given."""
        # Through the layer, not its weight: a host may keep the weight on another device.
        blank = torch.zeros_like(self.disentangler.fusion.types(torch.zeros(1, 1, dtype=torch.long, device=device)))
        hidden = blank.new_full((1, 1), float("-inf"))
        style_rows, style_bias = blank, hidden
        if style is not None:
            style_rows, style_bias = style.rows.flatten(0, 1)[None], style.bias()[None]
        semantic_rows, semantic_bias = blank, hidden
        if semantics is not None:
            semantic_rows = semantics.rows[None]
            semantic_bias = semantics.bias(semantic_mask).to(semantic_rows)[None]
        return self.disentangler.fusion(style_rows, semantic_rows, style_bias, semantic_bias)


def is_made(given: object, kind: type) -> bool:
    """Whether it is of that kind, None, or a list of such, and so needs no making."""
    some = given if isinstance(given, list) and given else [given]
    return all(one is None or isinstance(one, kind) for one in some)


def each(name: str, given: object, count: int) -> list:
    """One for each of `count` pictures, where one is given for all, or a list of as many."""
    if not isinstance(given, list):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"{name} is a list of {len(given)}, expected one for each of {count} seeds; give as many")
    return given


def trimmed(codes: Tensor) -> Tensor:
    """Codes [..., N], negative behind the last of a picture, without what no picture has."""
    return codes[..., : int((codes >= 0).sum(dim=-1).max())]
