"""Pictures at the inputs of a node: as a batch or as a list, with the masks that Load Image hands on beside, and made
sharp."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..drc.interrupt import heard
from . import host
from .host import io

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

PICTURES = ("IMAGE", "MASK")


class Several(list):
    """The batches of pictures, or of masks, of one list."""


def mask(of: str) -> io.Input:
    """The input for the masks of the pictures at the input `of`."""
    return io.Mask.Input(
        f"{of}_mask",
        optional=True,
        tooltip=f"For pictures with transparent parts: the MASK of the Load Image that {of} comes from. What it covers "
        "becomes white; without it colours show that nobody was meant to see.",
    )


def out_of_lists(declared: list[io.Input], inputs: dict) -> dict:
    """The inputs of a node of `is_input_list`, to which the host hands over a list at every one: all pictures of a
    list at once, all files, texts as the lines of one, and of everything else the one that is there; ValueError where
    there are several."""
    known = {one.id: one for one in declared}
    return {name: out_of_list(name, value, known.get(name)) for name, value in inputs.items()}


def out_of_list(name: str, value: object, declared: io.Input | None) -> object:
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) == 1:
        return value[0]
    if getattr(declared, "upload", None):
        return value
    pictures = declared is not None and declared.get_io_type() in PICTURES
    if pictures and value:
        return Several(value)
    if value and getattr(declared, "multiline", False) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    raise ValueError(f"{name} is a list of {len(value)}, expected one{' or more' * pictures}; choose what it gets")


def pictures_of(images: Tensor | Several, masks: Tensor | Several | None, name: str) -> list[Tensor]:
    """All pictures [H, W, 3 or 4] at the input `name`, each of its own size, with an alpha channel where a mask covers
    some of them; ValueError for masks of other pictures."""
    from ..drc.data.folder import counted
    from ..drc.pixels import masked

    found, covers = in_a_row(images), [] if masks is None else in_a_row(masks)
    if not any(cover.any() for cover in covers):  # such as the host's for pictures without transparency
        return found
    if len(covers) != len(found):
        masks, pictures = counted(len(covers), "mask"), counted(len(found), "picture")
        raise ValueError(
            f"{name}_mask has {masks}, but {name} has {pictures}; give each picture its own, or "
            "put Join Image with Alpha behind each Load Image"
        )
    pairs = zip(found, covers, strict=True)
    return [heard(partial(masked, picture, cover), host.check_interrupt) for picture, cover in pairs]


def history_and_reference(
    history: Tensor | Several | None,
    history_mask: Tensor | Several | None,
    reference: Tensor | Several | None,
    reference_mask: Tensor | Several | None,
) -> tuple[list[Tensor], list[Tensor]]:
    """The pictures at these two inputs, none at one that nothing is connected to, and one reference at most."""
    given = (history, history_mask, "history"), (reference, reference_mask, "reference")
    history, reference = ([] if images is None else pictures_of(images, masks, name) for images, masks, name in given)
    require_one(reference)
    return history, reference


def in_a_row(batches: Tensor | Several) -> list[Tensor]:
    return [one for batch in batches for one in batch] if isinstance(batches, Several) else list(batches)


def require_one(reference: list[Tensor]) -> None:
    if len(reference) > 1:
        raise ValueError(f"reference has {len(reference)} pictures, expected 1; pick one of them with ImageFromBatch")


def sharpening(device: torch.device) -> ModelPatcher:
    """The network that makes pictures four times as large. It is read anew each time: it is small, and so nothing has
    to be kept."""
    from ..drc import sharpener
    from ..drc.interrupt import call_between_layers

    network = sharpener.load_sharpener(sharpener.WEIGHTS, host.operations(device, torch.float32))
    call_between_layers(network, host.check_interrupt)
    return host.patcher(network)
