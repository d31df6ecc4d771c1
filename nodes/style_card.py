"""Style cards: a style saved, found again, and mixed with another."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..drc.interrupt import heard
from ..drc.lmm.pictures import PICTURES
from . import host, paths
from .encode import squares_of, tower_bytes
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .sockets import Model, StyleSocket, to
from .widgets import line, model_input, share

if TYPE_CHECKING:
    import numpy

    from ..drc.instruction import Style
    from ..drc.style_card import StyleCard

log = logging.getLogger("drc")

NO_CARD = "none yet: Save Style Card makes one"


@guarded
class DRC_SaveStyle(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_SaveStyle",
            display_name="Save Style Card",
            category="DRC/sets",
            description="Keeps a style as a small file in models/drc_styles, with a small picture and the measured "
            "numbers of each of its pictures. Load Style Card draws from it exactly what the history drew.",
            inputs=[
                model_input(),
                StyleSocket.Input("style", tooltip="The style to keep, from StyleTower or Merge Styles."),
                line(
                    "name",
                    "my-style",
                    "What the style is called, and its file in models/drc_styles. Nothing is overwritten: if "
                    "another card has that name, a number is added to that of the file.",
                ),
                line(
                    "licence",
                    "",
                    "Who may use the style and who drew its pictures, in one line, such as CC0-1.0, Ann Ray.",
                ),
                io.Image.Input(
                    "history",
                    optional=True,
                    tooltip="The pictures that the style came from, as they were given to StyleTower. A model that "
                    "draws its own pictures needs none: it draws them again from their codes. Over LaVIT they are what "
                    "is shown and measured; without them the card has no pictures.",
                ),
                mask("history"),
            ],
            outputs=[
                io.String.Output(
                    "saved_as_out", display_name="saved as", tooltip="How the card is called in Load Style Card."
                ),
                StyleSocket.Output(
                    "style_out", display_name="style", tooltip="The style as the card has it, for ComposeInstruction."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            is_output_node=True,
            **host.newer(search_aliases=["style preset", "export style", "icon set"]),
        )

    @classmethod
    def execute(cls, model, style, name, licence, history=None, history_mask=None) -> io.NodeOutput:
        from ..drc.card_file import load, save
        from ..drc.complete.card import with_look
        from ..drc.pixels import to_pixels
        from ..drc.style_card import card_of, with_pictures

        path, saved_as = paths.new_style_file(name)
        stem, maker = name.removesuffix(".safetensors"), paths.without_place(model.name)
        card, progress = card_of(style, name=stem, licence=licence, model_name=maker), Progress(2 * len(style.weights))
        pictures = [] if history is None else pictures_of(history, history_mask, "history")
        squares = list(squares_of(model, pictures, "history")) or drawn_again(model, style.codes, progress)
        if squares:
            done, squares = iter(range(len(card.codes), progress.total)), torch.stack(squares)
            card = with_pictures(card, squares, lambda: progress.step_to(next(done)))
            card = with_look(card, seen(pictures) if pictures else to_pixels(squares), host.check_interrupt)
            card = replace(card, drawn_again=not pictures)
        save(card, path)
        log.info("saved %s", path)
        if (same := paths.same_before(path)) is not None:
            path.unlink()
            path, saved_as = same
        style = style_on(model, load(path), f"the style card {saved_as}")
        text = f"Saved as {paths.below_comfyui(path)}. Press R, then choose it in Load Style Card."
        return io.NodeOutput(saved_as, style, ui=host.show_text(cls.hidden, text))


def seen(pictures: list[Tensor]) -> Iterator[numpy.ndarray]:
    """Pictures [H, W, 3 or 4] as squares of their own size, uint8 [S, S, 3], S at most 512."""
    from ..drc.complete.sizes import prepared
    from ..drc.pixels import to_pixels

    for row, picture in enumerate(pictures, 1):
        work = partial(prepared, picture, f"picture {row} of history")
        yield to_pixels(heard(work, host.check_interrupt))[0]


def drawn_again(model: Model, codes: Tensor, progress: Progress) -> list[Tensor]:
    """Squares [3, S, S] of codes [n, N]; none of a model that draws no pixels."""
    lmm, squares = model.drc.lmm, []
    if not lmm.draws_pixels:
        return []
    host.load([model.vision], lmm.vision.memory(PICTURES))
    for some in codes.split(PICTURES):
        squares += lmm.detokenize(some.to(model.device)).cpu()
        progress.step_to(len(squares))
    return squares


def style_on(model: Model, card: StyleCard, what: str) -> Style:
    """As `style_of`, where the host wants it."""
    from ..drc.style_card import style_of

    host.load([model.language, model.disentangler], tower_bytes(model, len(card.codes)))
    return to(style_of(model.drc, card, what), host.intermediate_device())


@guarded
class DRC_LoadStyle(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_LoadStyle",
            display_name="Load Style Card",
            category="DRC/sets",
            description="Takes a style from its card and shows what is on it: its pictures and their numbers.",
            inputs=[
                model_input("A card draws only with the model that made it."),
                io.Combo.Input(
                    "style_name",
                    options=paths.style_names() or [NO_CARD],
                    tooltip="A card in the folder models/drc_styles, or in one that extra_model_paths.yaml lists as "
                    "drc_styles.",
                ),
            ],
            outputs=[
                StyleSocket.Output("style_out", display_name="style", tooltip="The style, for ComposeInstruction.")
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # so that it can be run alone, to look at the card before anything else
            **host.newer(search_aliases=["style preset", "style library", "icon set"]),
        )

    @classmethod
    def fingerprint_inputs(cls, model, style_name):
        """Of the file; the model is told apart by where it comes from."""
        path = paths.style_file(style_name)
        return str(path), path.stat().st_mtime_ns, path.stat().st_size

    @classmethod
    def execute(cls, model, style_name) -> io.NodeOutput:
        from ..drc.card_file import load
        from ..drc.plots.sheet import numbered_sheet
        from ..drc.style_card import in_words, labels

        model.drc.require_trained_towers()
        card = load(paths.style_file(style_name))
        style = style_on(model, card, f"style_name is '{style_name}', which")
        shown = host.show_text(cls.hidden, in_words(card)).as_dict()
        if card.thumbnails is not None:
            shown |= host.show_picture(numbered_sheet(card.thumbnails, labels(card.weights))).as_dict()
        return io.NodeOutput(style, ui=shown)


@guarded
class DRC_MergeStyles(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_MergeStyles",
            display_name="Merge Styles",
            category="DRC/sets",
            description="Mixes two styles: that of the pictures of both, each side with its share of the weight.",
            inputs=[
                model_input(),
                StyleSocket.Input("first", tooltip="A style, from StyleTower or Load Style Card."),
                StyleSocket.Input("second", tooltip="Another style of the same model."),
                share("ratio", 0.5, "The share of the second. 0 is the first alone, 1 the second alone, exactly."),
            ],
            outputs=[
                StyleSocket.Output("style_out", display_name="style", tooltip="The mixed style, to draw with or save.")
            ],
            **host.newer(search_aliases=["blend styles", "mix styles", "interpolate"]),
        )

    @classmethod
    def execute(cls, model, first, second, ratio) -> io.NodeOutput:
        from ..drc.style_card import merge

        pictures = len(first.weights) + len(second.weights)
        host.load([model.language, model.disentangler], tower_bytes(model, pictures))
        return io.NodeOutput(to(merge(model.drc, first, second, ratio), host.intermediate_device()))
