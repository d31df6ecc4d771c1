"""ComposeInContext: pictures and words one after another, as LaVIT itself takes them."""

from . import host
from .encode import look
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of, require_one
from .progress import Progress
from .sockets import InstructionSocket, ModelSocket
from .widgets import MODEL_TOOLTIP, fixed_seed


@guarded
class DRC_ComposeInContext(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ComposeInContext",
            display_name="ComposeInContext",
            category="DRC/LaVIT",
            description="Pictures and words one after another, as LaVIT itself takes them. Nothing here tells style "
            "from meaning: what comes out may copy either. To keep them apart, train the towers.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP + " It must be a LaVIT."),
                io.Image.Input("history", optional=True, tooltip="Pictures to go on from. They come first."),
                io.Image.Input("reference", optional=True, tooltip="One more picture, after the history."),
                io.String.Input(
                    "text", multiline=True, default="", tooltip="English words, as many as you like. They come last."
                ),
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
                InstructionSocket.Output(
                    "instruction_made", display_name="instruction", tooltip="For DRC-LMM-Generate."
                )
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
        given = {"history": (history, history_mask), "reference": (reference, reference_mask)}
        given = {name: pictures_of(*some, name) for name, some in given.items() if some[0] is not None}
        require_one(given.get("reference", []))
        progress = Progress(max(1, sum(map(len, given.values()))))
        codes = {name: look(model, images, name, seed, progress) for name, images in given.items()}
        ids = model.drc.lmm.in_context(
            codes.get("history", []), codes.get("reference", []), model.drc.words.encode(text).ids
        )
        return io.NodeOutput(InContext(ids.to(host.intermediate_device()), guidance, model.drc.hash))
