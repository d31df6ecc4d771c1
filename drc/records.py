"""What travels from node to node, held against the model that is to use it, as anybody may have made it.

Shapes are those of `drc.instruction`; that every tensor has its number of dimensions and finite numbers is known
before. Every check raises ValueError with the rest of a sentence, such as "has 7 numbers in a row, expected 256".
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .instruction import HANDS, MOST_STREAMS, InContext, Instruction, Semantics, Style

if TYPE_CHECKING:
    from .lmm import LMM
    from .model import DRC

LARGEST = 2.0**15  # of rows and vectors, which float16 holds; those of a model are below a hundred


@singledispatch
def check(record: Style | Semantics | Instruction | InContext, model: DRC) -> None:
    """ValueError for what no model of these sizes makes."""
    raise TypeError(type(record))


@check.register(Style)
def _(style: Style, model: DRC) -> None:
    check_weights(style.weights)
    check_rows(style.rows, model)
    mask, known = style.padding_mask, None
    if style.codes is not None:
        check_codes(style.codes, model.lmm)
        known = model.disentangler.padding_mask(style.codes)
    elif mask is not None:
        known = mask & ~mask.all(dim=1, keepdim=True)  # every picture has a row
    alike = mask is known if mask is None or known is None else torch.equal(mask, known.to(mask.device))
    if not alike or mask is not None and mask.shape != style.rows.shape[:2]:
        raise ValueError("has a padding_mask that is not that of its pictures")


@check.register(Semantics)
def _(semantics: Semantics, model: DRC) -> None:
    check_rows(semantics.rows, model, HANDS)


@check.register(Instruction)
def _(instruction: Instruction, model: DRC) -> None:
    fusion, lmm = model.config.fusion, model.lmm
    streams, count, width = instruction.vectors.shape
    within("streams", streams, range(1, MOST_STREAMS + 1))
    within("vectors in a stream", count, exactly(fusion.instructions))
    within("numbers in a vector", width, exactly(fusion.output or fusion.width))
    within("ids of text in a stream", instruction.text.shape[1], exactly(lmm.text_slots))
    check_size("vectors", instruction.vectors)
    check_size("coefficients", instruction.coefficients)
    check_ids("ids of text", instruction.text, lmm.text_ids)
    total = float(instruction.coefficients.double().sum())
    if abs(total - 1) > 1e-3:
        raise ValueError(f"has coefficients that add up to {total:g}, expected 1")


@check.register(InContext)
def _(prompt: InContext, model: DRC) -> None:
    lmm = model.lmm
    if not lmm.interleaves:
        raise ValueError("is pictures and words in one prompt, which its model does not read")
    within("ids", len(prompt.ids), lmm.prompt_lengths)
    check_ids("ids", prompt.ids, lmm.prompt_ids)
    if not abs(prompt.guidance) <= LARGEST:
        raise ValueError(f"has a guidance of {prompt.guidance}, expected a number up to {LARGEST:g}")


def check_codes(codes: Tensor, lmm: LMM | None = None, empty: bool = False) -> None:
    """Codes [n, N] of pictures, -1 behind the last of one that has fewer, and all of it only where one may be `empty`;
    those of an LMM where that is given."""
    if not codes.numel():
        raise ValueError("has no codes")
    least, most, drawn = int(codes.min()), int(codes.max()), codes >= 0
    if least < -1 or (drawn[:, 1:] & ~drawn[:, :-1]).any() or not (empty or drawn[:, 0].all()):
        raise ValueError("has codes that are none of a picture, expected some from 0 on, and -1 only behind them")
    if lmm is None:
        return
    whole = exactly(lmm.picture_codes)
    within("codes in a picture", codes.shape[1], range(1, whole.stop) if lmm.variable_length else whole)
    if most >= lmm.codebook_size or least < 0 and not lmm.variable_length:
        raise ValueError(f"has codes from {least} to {most}, expected 0 to {lmm.codebook_size - 1}, as its model has")


def check_weights(weights: Tensor) -> None:
    """Weights of the pictures of a history."""
    if not (weights >= 0).all() or not weights.any() or not weights.sum().isfinite():
        raise ValueError("has weights that are none, expected numbers of 0 or more, and one above 0")


def check_rows(rows: Tensor, model: DRC, pictures: int = 1) -> None:
    """Rows [..., R, d] of a tower, of up to so many pictures side by side."""
    tower = model.config.tower
    step = tower.rows if tower.positions else 1
    within("rows", rows.shape[-2], range(step, pictures * tower.rows + 1, step))
    within("numbers in a row", rows.shape[-1], exactly(tower.width))
    check_size("rows", rows)


def check_size(name: str, numbers: Tensor) -> None:
    if (largest := float(numbers.abs().max())) > LARGEST:
        raise ValueError(f"has {name} with numbers up to {largest:g}, expected at most {LARGEST:g}")


def check_ids(name: str, ids: Tensor, count: int) -> None:
    if ids.numel() and not 0 <= ids.min() <= ids.max() < count:
        raise ValueError(f"has {name} from {ids.min()} to {ids.max()}, expected 0 to {count - 1}")


def exactly(count: int) -> range:
    return range(count, count + 1)


def within(what: str, found: int, allowed: range) -> None:
    if found not in allowed:
        expected = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 1 else allowed[0]
        raise ValueError(f"has {found} {what}, expected {expected}")
