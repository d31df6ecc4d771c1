"""Reference from Words: what open icon sets drew of a thing, in place of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..drc.instruction import HANDS
from ..drc.lmm.pictures import PICTURES
from ..drc.pixels import to_image
from . import host
from .encode import squares_of, tokenize
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import SemanticsSocket, to
from .widgets import line, model_input, whole_number

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

    from ..drc.drawings import Found


@guarded
class DRC_ReferenceFromWords(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ReferenceFromWords",
            display_name="Reference from Words",
            category="DRC/sets",
            description="Finds drawings of a thing by its name, in open icon sets, and what they show, as a reference.",
            inputs=[
                model_input(),
                line(
                    "words",
                    "bicycle",
                    "One thing in English, such as bicycle or shopping bag. Case, plural, blanks and the "
                    "order of the words do not matter.",
                ),
                whole_number(
                    "drawings",
                    HANDS,
                    1,
                    HANDS,
                    "How many drawings, each by another designer, are put together. Of several the picture copies "
                    "none; 1 follows one drawing closely.",
                ),
            ],
            outputs=[
                SemanticsSocket.Output(
                    "semantics_out",
                    display_name="semantics",
                    tooltip="What the drawings show, for ComposeInstruction. Empty where words are passed on as text.",
                ),
                io.Image.Output("image_out", display_name="IMAGE", tooltip="The drawings."),
                io.String.Output(
                    "text_out",
                    display_name="text",
                    tooltip="Empty, or several words of which there is no drawing: connect it to the text of "
                    "ComposeInstruction, and they say what to draw.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["text to reference", "icon search", "word", "keyword"]),
        )

    @classmethod
    def execute(cls, model, words, drawings) -> io.NodeOutput:
        from ..drc.drawings import Drawings, NotDrawnError, semantics

        model.drc.require_trained_towers()
        index = Drawings()
        try:
            found = index.find(words)
        except NotDrawnError as error:
            if len(words.split()) == 1:
                raise ValueError(f"words is '{words.strip()}', but {error}") from error
            host.show_text(cls.hidden, f"Passed on as text: {error}")
            return io.NodeOutput(None, *host.nothing(1).result, words)
        codes = found.codes[:drawings]
        is_own = index.is_read_by(model.drc)
        pictures = decoded(model.vision if is_own else shipped_vision(), codes)
        if not is_own:
            codes = tokenize(model, squares_of(model, list(pictures), "drawings"), Progress(len(pictures)))
        host.load([*model.seeing, model.disentangler], 0)
        made = semantics(model.drc, codes.to(model.device))
        host.show_text(cls.hidden, taken(found, len(codes)))
        return io.NodeOutput(to(made, host.intermediate_device()), pictures, "")


def shipped_vision() -> ModelPatcher:
    """The tokeniser whose codes the index holds, for models that have another. It is read anew each time: it is small,
    and so nothing has to be kept."""
    from ..drc import EMBEDDED
    from ..drc.checkpoint import load
    from ..drc.interrupt import call_between_layers

    vision = load(EMBEDDED, host.operations(host.load_device(), torch.float32)).lmm.vision
    call_between_layers(vision, host.check_interrupt)
    return host.patcher(vision)


def decoded(vision: ModelPatcher, codes: Tensor) -> Tensor:
    """IMAGE of a few codes [k, N]."""
    host.load([vision], vision.model.memory(PICTURES))
    return to_image(vision.model.decode(codes.to(vision.load_device)).to(host.intermediate_device()))


def taken(found: Found, count: int) -> str:
    """The meaning and whose drawings stand for it, with the licences of these."""
    hands = (f"{hand.set} by {hand.author} ({hand.licence})" for hand in found.hands[:count])
    return f"{found.meaning}, as drawn in {', '.join(hands)}"
