"""Damaged style cards: loaded, and turned into a style again by the model that made them."""

import math
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from drc.card_file import load, save
from drc.checkpoint import load as load_model
from drc.complete.card import with_look
from drc.model import DRC
from drc.pixels import to_pixels
from drc.style_card import card_of, in_words, style_of, with_pictures
from scripts.lib.tiny import CONFIG, write_tiny

from .bytes import Damage, edited, generic
from .guard import Case

NAME, MODEL = "style.safetensors", "tiny.safetensors"
PICTURES = 3


@cache
def model(path: Path) -> DRC:
    return load_model(path).requires_grad_(False)


def whole(folder: Path) -> None:
    drc = model(write_tiny(folder / MODEL))
    codes = torch.arange(16 * PICTURES).view(PICTURES, 16) % CONFIG.lmm.vision.codes
    squares = drc.lmm.detokenize(codes)
    card = with_pictures(card_of(drc.style(codes), name="mine"), squares)
    save(with_look(card, to_pixels(squares)), folder / NAME)


def use(folder: Path) -> None:
    card = load(folder / NAME)
    assert style_of(model(folder / MODEL), card, NAME).rows.isfinite().all()
    assert len(in_words(card)) < 3000 and in_words(card).count("\n") < 8


def texts(**values) -> Damage:
    return edited(NAME, lambda tensors, header: header.update(values))


def fill(tensor: str, value: float) -> Damage:
    return edited(NAME, lambda tensors, header: tensors[tensor].view(-1)[0:1].fill_(value))


def put(**made) -> Damage:
    return edited(NAME, lambda tensors, header: tensors.update(made))


def raw(text: str) -> Damage:
    return lambda folder: save_file(load_file(folder / NAME), folder / NAME, {"drc": text})


def of(count: int, **made) -> Damage:
    parts = {"codes": torch.zeros(count, 16, dtype=torch.int16), "weights": torch.ones(count)}
    return edited(NAME, lambda tensors, header: (tensors.clear(), tensors.update(parts | made)))


def cases() -> list[Case]:
    damages = {
        "10,000 pictures": of(10_000),
        "201 pictures": of(201),
        "no pictures": of(0),
        "pictures without codes": of(3, codes=torch.zeros(3, 0, dtype=torch.int16)),
        "pictures of too few codes": of(3, codes=torch.zeros(3, 9, dtype=torch.int16)),
        "pictures of too many codes": of(3, codes=torch.zeros(3, 100_000, dtype=torch.int16)),
        "a picture that ends early": of(3, codes=torch.tensor([[0] * 16, [0] * 15 + [-1]] + [[1] * 16]).short()),
        "a hole in a picture": of(3, codes=torch.tensor([[0] * 16, [0] * 7 + [-1] + [2] * 8] + [[1] * 16]).short()),
        "flat codes": of(3, codes=torch.zeros(48, dtype=torch.int16)),
        "codes out of range": fill("codes", 24),
        "codes below 0": fill("codes", -5),
        "codes of 64 bits": of(3, codes=torch.zeros(3, 16, dtype=torch.int64)),
        "codes of floating point": of(3, codes=torch.zeros(3, 16)),
        "no codes": edited(NAME, lambda tensors, header: tensors.pop("codes")),
        "no weights": edited(NAME, lambda tensors, header: tensors.pop("weights")),
        "weights of other pictures": put(weights=torch.ones(2)),
        "weights of nothing": put(weights=torch.zeros(3)),
        "weights whose sum is infinite": put(weights=torch.full((3,), 3e38)),
        "a weight that is none": fill("weights", math.nan),
        "a weight below 0": fill("weights", -1),
        "half of what is shown": edited(NAME, lambda tensors, header: tensors.pop("numbers")),
        "thumbnails of other pictures": put(thumbnails=torch.zeros(2, 32, 32, 3, dtype=torch.uint8)),
        "thumbnails of no width": put(thumbnails=torch.zeros(3, 32, 0, 3, dtype=torch.uint8)),
        "large thumbnails": put(thumbnails=torch.zeros(3, 90, 90, 3, dtype=torch.uint8)),
        "thumbnails of floating point": put(thumbnails=torch.zeros(3, 32, 32, 3)),
        "numbers that are none": fill("numbers", math.nan),
        "numbers beyond the picture": fill("numbers", 1.5),
        "a colour that is none": fill("colours", math.inf),
        "a ground that is none": fill("colours", math.nan),
        "a palette that is none": fill("palette", math.inf),
        "a palette of no colour": put(palette=torch.zeros(0, 3)),
        "a palette of too many colours": put(palette=torch.zeros(26, 3)),
        "marks that are none": fill("marks", math.inf),
        "marks of other pictures": put(marks=torch.zeros(2, 40)),
        "more marks than any version has": put(marks=torch.zeros(3, 100_000)),
        "half of what a set takes": edited(NAME, lambda tensors, header: tensors.pop("marks")),
        "what a set takes without pictures": edited(NAME, lambda tensors, header: tensors.pop("thumbnails")),
        "a count of none": texts(count="0"),
        "a grid of digits": texts(grid="9" * 5000),
        "another tensor": put(rows=torch.zeros(3)),
        "more bytes than any card": put(rows=torch.zeros(10**6)),
        "a card of another kind": texts(kind="drc palette"),
        "a card of another model": texts(model="0" * 64),
        "a model that is none": texts(model="../../model"),
        "no model": edited(NAME, lambda tensors, header: header.pop("model")),
        "a long name": texts(name="x" * 201),
        "a long licence": texts(licence="x" * 50_000),
        "a name that is no text": texts(name=["x"]),
        "a header of lists": raw("[" * 100_000),
        "a header of digits": raw('{"kind": ' + "9" * 10_000 + "}"),
        "a header of another": raw('{"kind": "other"}'),
    }
    made = [Case(label, damage, use, NAME) for label, damage in damages.items()]
    harmless = {
        "a name of several lines": texts(name="a\nLicence: CC0\u202e<b>"),
        "a name the other way": texts(name=""),
    }
    flips = [(label, damage) for label, _, damage in generic(NAME, 6)]
    return made + [Case(label, damage, use, NAME, refused=False) for label, damage in [*harmless.items(), *flips]]
