"""StyleTower, SemanticTower and ComposeInstruction: from pictures and words to one instruction."""

import torch
from torch import Tensor

from ..drc.instruction import SEMANTIC_STRENGTH, STYLE_STRENGTH
from . import host
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .sockets import (
    InstructionSocket,
    Model,
    ModelSocket,
    SemanticsSocket,
    StyleSocket,
    made_by,
    to,
)

CHUNK = 16  # pictures turned into codes at once
MEMORY_PER_PIXEL = 512  # bytes: three times what the visual tokeniser takes on a CPU, for the workspace of a GPU
MEMORY_PER_NUMBER = 32  # bytes for each number of the rows of a history: keys, values, questions and answers
TOLD_WORDS, TOLD_LETTERS = 5, 40  # of a text, in a message
MODEL_TOOLTIP = "The model from Load DRC Model. Use the same one in all nodes of a graph."
SQUARE_TOOLTIP = "A picture that is not square is centred on the colour of its own border."


def style_strength(tooltip: str) -> io.WidgetInput:
    return strength("style_strength", STYLE_STRENGTH, tooltip)


def semantic_strength(tooltip: str) -> io.WidgetInput:
    return strength("semantic_strength", SEMANTIC_STRENGTH, tooltip)


def strength(name: str, default: float, tooltip: str) -> io.WidgetInput:
    return io.Float.Input(name, default=default, min=0.0, max=5.0, step=0.05, tooltip=tooltip)


@guarded
class DRC_StyleTower(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_StyleTower",
            display_name="StyleTower",
            category="DRC",
            description="Finds the style that the pictures of a history have in common.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                io.Image.Input(
                    "history",
                    tooltip="Pictures in the style you like, as one batch or one list of any length. Their order does "
                    "not matter. " + SQUARE_TOOLTIP,
                ),
                io.String.Input(
                    "weights",
                    optional=True,
                    default="",
                    tooltip="How much each picture counts, one number per picture, for example 1, 0.5, 2. "
                    "0 leaves a picture out. Empty: all count the same.",
                ),
                mask("history"),
            ],
            outputs=[
                StyleSocket.Output("style_found", display_name="style", tooltip="The style, for ComposeInstruction.")
            ],
            is_input_list=True,
            **host.newer(search_aliases=["style reference", "style transfer", "IP adapter", "history"]),
        )

    @classmethod
    def execute(cls, model, history, weights="", history_mask=None) -> io.NodeOutput:
        model.drc.require_trained_towers()
        history = pictures_of(history, history_mask, "history")
        numbers = read_weights(weights, len(history))
        kept = numbers.nonzero().flatten().tolist()
        progress = host.Progress(2 * len(kept))  # every picture is looked at, then asks the others
        codes = tokenize(model, history, kept, "history", progress)
        tower = model.drc.config.tower
        host.load([model.language, model.disentangler], len(kept) * tower.rows * tower.width * MEMORY_PER_NUMBER)
        shares = numbers[kept].to(model.device)
        style = model.drc.style(codes, shares, lambda asked: progress.step_to(len(kept) + asked))
        return io.NodeOutput(to(style, host.intermediate_device()))


@guarded
class DRC_SemanticTower(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_SemanticTower",
            display_name="SemanticTower",
            category="DRC",
            description="Finds what a reference picture shows, apart from how it is drawn.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                io.Image.Input(
                    "reference",
                    tooltip="One picture of what you want to see, in any style. Transparent parts count as white. "
                    + SQUARE_TOOLTIP,
                ),
                mask("reference"),
            ],
            outputs=[
                SemanticsSocket.Output(
                    "semantics_found", display_name="semantics", tooltip="The meaning, for ComposeInstruction."
                )
            ],
            **host.newer(search_aliases=["content reference", "semantic reference", "subject"]),
        )

    @classmethod
    def execute(cls, model, reference, reference_mask=None) -> io.NodeOutput:
        model.drc.require_trained_towers()
        reference = pictures_of(reference, reference_mask, "reference")
        require_one(reference)
        codes = tokenize(model, reference, [0], "reference", host.Progress(1))
        host.load([model.language, model.disentangler], 0)
        semantics = model.drc.semantics(codes[0])
        return io.NodeOutput(to(semantics, host.intermediate_device()))


@guarded
class DRC_ComposeInstruction(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ComposeInstruction",
            display_name="ComposeInstruction",
            category="DRC",
            description="Joins a style, a meaning and words into one instruction. Leave out what you do not need.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                StyleSocket.Input("style", optional=True, tooltip="From StyleTower. Without it the style is free."),
                SemanticsSocket.Input(
                    "semantics",
                    optional=True,
                    tooltip="From SemanticTower. Without it only the text says what to draw.",
                ),
                io.String.Input(
                    "text",
                    multiline=True,
                    default="",
                    tooltip="A few English words for what to draw, such as red apple. They add to the reference or "
                    "stand in for it.",
                ),
                style_strength(
                    "How firmly the picture follows the style. 0 ignores the history, 1 is plain, more exaggerates."
                ),
                semantic_strength(
                    "How firmly the picture follows the reference and the text. 0 ignores both, 1 is plain, more "
                    "exaggerates."
                ),
                host.advanced(
                    io.Float.Input(
                        "semantic_mask",
                        default=0.0,
                        min=0.0,
                        max=1.0,
                        step=0.05,
                        tooltip="The share of the reference that is hidden: more leaves more freedom in shape. "
                        "1 hides it all.",
                    )
                ),
            ],
            outputs=[
                InstructionSocket.Output(
                    "instruction_made",
                    display_name="instruction",
                    tooltip="What to draw and how, for DRC-LMM-Generate.",
                )
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["prompt", "conditioning", "style strength"]),
        )

    @classmethod
    def execute(
        cls, model, text, style_strength, semantic_strength, semantic_mask, style=None, semantics=None
    ) -> io.NodeOutput:
        made_by(model, style=style, semantics=semantics)
        host.load([model.disentangler], 0)
        instruction = model.drc.compose(
            None if style is None else to(style, model.device),
            None if semantics is None else to(semantics, model.device),
            text,
            style_strength,
            semantic_strength,
            semantic_mask,
            model.device,
        )
        tell_unknown_words(cls.hidden, model, text)
        return io.NodeOutput(to(instruction, host.intermediate_device()))


def tell_unknown_words(hidden, model: Model, text: str) -> None:
    """Says on the node which words of a text the model never saw; it draws as if they were not there."""
    words = model.drc.unknown_words(text)
    if words:
        more = f" and {len(words) - TOLD_WORDS} more words" if len(words) > TOLD_WORDS else ""
        shown = ", ".join(word[:TOLD_LETTERS] for word in words[:TOLD_WORDS])
        host.show_text(hidden, f"The model never saw {shown}{more}, and draws as if that were not there")


def require_one(reference: list[Tensor]) -> None:
    if len(reference) > 1:
        raise ValueError(f"reference has {len(reference)} pictures, expected 1; pick one of them with Image From Batch")


def read_weights(text: str, count: int) -> Tensor:
    """One number per picture -> [count]; empty text counts all the same."""
    words = text.replace(",", " ").replace(";", " ").split()
    if not words:
        return torch.ones(count)
    try:
        weights = torch.tensor([float(word) for word in words])
    except ValueError:
        raise ValueError(
            f"weights is '{text}', expected numbers such as 1, 0.5, 2; correct it or leave it empty"
        ) from None
    if len(weights) != count:
        raise ValueError(
            f"weights has {len(weights)} numbers, but history has {count} pictures; "
            "give one number per picture or leave it empty"
        )
    if not (weights.isfinite() & (weights >= 0)).all():
        raise ValueError(f"weights is '{text}', expected numbers of 0 or more; use 0 to leave a picture out")
    if not weights.any():
        raise ValueError(
            f"weights is '{text}', which leaves every picture out; give one picture at least a number above 0"
        )
    return weights


def tokenize(model: Model, images: list[Tensor], rows: list[int], name: str, progress: host.Progress) -> Tensor:
    """Codes [len(rows), N], on the load device, of some of the images [H, W, C], a chunk at a time."""
    lmm = model.drc.lmm
    host.load([model.vision], CHUNK * lmm.image_size**2 * MEMORY_PER_PIXEL)
    codes = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        pictures = []
        for row in chunk:
            host.check_interrupt()
            pictures.append(lmm.prepare(images[row], f"picture {row + 1} of {name}"))
        codes.append(lmm.tokenize(torch.stack(pictures).to(model.device)))
        progress.step_to(start + len(chunk))
    return torch.cat(codes)
