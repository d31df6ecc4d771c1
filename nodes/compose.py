"""ComposeInstruction: a style, a meaning and words in one instruction."""

from . import host
from .encode import tell_unknown_words
from .guard import guarded
from .host import io
from .sockets import InstructionSocket, SemanticsSocket, StyleSocket, to
from .widgets import lines, model_input, negative_style, semantic_strength, share, style_strength


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
                model_input(),
                StyleSocket.Input("style", optional=True, tooltip="From StyleTower. Without it the style is free."),
                SemanticsSocket.Input(
                    "semantics",
                    optional=True,
                    tooltip="From SemanticTower. Without it only the text says what to draw.",
                ),
                lines(
                    "text",
                    "A few English words, such as red apple. They add to the reference. By themselves they "
                    "hardly shape a picture: for a word alone take Reference from Words.",
                ),
                style_strength(
                    "How firmly the picture follows the style. 0 ignores the history, 1 is plain, more exaggerates."
                ),
                semantic_strength(
                    "How firmly the picture follows the reference and the text. 0 ignores both, 1 is plain, more "
                    "exaggerates."
                ),
                host.advanced(
                    share(
                        "semantic_mask",
                        0.0,
                        "The share of the reference that is hidden: more leaves more freedom in shape. 1 hides it all.",
                    )
                ),
                negative_style(),
            ],
            outputs=[
                InstructionSocket.Output(
                    "instruction_out",
                    display_name="instruction",
                    tooltip="What to draw and how, for DRC-LMM-Generate.",
                )
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["prompt", "conditioning", "style strength"]),
        )

    @classmethod
    def execute(
        cls,
        model,
        text,
        style_strength,
        semantic_strength,
        semantic_mask,
        style=None,
        semantics=None,
        negative_style=None,
    ) -> io.NodeOutput:
        host.load([model.disentangler], 0)
        instruction = model.drc.compose(
            None if style is None else to(style, model.device),
            None if semantics is None else to(semantics, model.device),
            text,
            style_strength,
            semantic_strength,
            semantic_mask,
            model.device,
            None if negative_style is None else to(negative_style, model.device),
        )
        tell_unknown_words(cls.hidden, model, text)
        return io.NodeOutput(to(instruction, host.intermediate_device()))
