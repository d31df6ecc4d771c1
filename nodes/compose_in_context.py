"""ComposeInContext: pictures and words one after another, as LaVIT itself takes them."""

from . import host
from .encode import tokenize_each
from .guard import guarded
from .host import io
from .pictures import history_and_reference, mask
from .progress import Progress
from .sockets import InstructionSocket
from .widgets import fixed_seed, lines, model_input


@guarded
class DRC_ComposeInContext(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ComposeInContext",
            display_name="ComposeInContext",
            category="DRC/LaVIT, Janus",
            description="Pictures and words one after another, as LaVIT itself takes them. Nothing here tells style "
            "from meaning: what comes out may copy either. To keep them apart, train the towers.",
            inputs=[
                model_input("It must be a LaVIT or a Janus."),
                io.Image.Input("history", optional=True, tooltip="Pictures to go on from. They come first."),
                io.Image.Input("reference", optional=True, tooltip="One more picture, after the history."),
                lines("text", "English words, as many as you like. They come last."),
                io.Float.Input(
                    "guidance",
                    default=5.0,
                    min=1.0,
                    max=20.0,
                    step=0.1,
                    tooltip="How firmly the picture holds to pictures and words. 1 is plain; LaVIT's authors take 4 "
                    "for words and 5 for pictures.",
                ),
                fixed_seed("Decides which parts of the pictures get a code."),
                mask("history"),
                mask("reference"),
            ],
            outputs=[
                InstructionSocket.Output("instruction_out", display_name="instruction", tooltip="For DRC-LMM-Generate.")
            ],
            is_input_list=True,
            **host.newer(search_aliases=["interleaved", "LaVIT prompt", "in-context"]),
        )

    @classmethod
    def execute(
        cls, model, text, guidance, seed, history=None, reference=None, history_mask=None, reference_mask=None
    ) -> io.NodeOutput:
        from ..drc.instruction import InContext

        model.require_interleaving()
        history, reference = history_and_reference(history, history_mask, reference, reference_mask)
        progress = Progress(max(1, len(history) + len(reference)))
        given = (history, "history"), (reference, "reference")
        codes = [tokenize_each(model, images, name, seed, progress) for images, name in given]
        ids = model.drc.lmm.in_context(*codes, model.drc.words.encode(text))
        return io.NodeOutput(InContext(ids.to(host.intermediate_device()), guidance, model.drc.hash))
