"""SemanticTower: from a reference picture to its meaning."""

from . import host
from .encode import Unfamiliar, squares_of, tokenize
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of, require_one
from .progress import Progress
from .sockets import SemanticsSocket, to
from .widgets import SQUARE_TOOLTIP, model_input


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
                model_input(),
                io.Image.Input(
                    "reference",
                    tooltip="One picture of what you want to see, in any style. Transparent parts count as white. "
                    + SQUARE_TOOLTIP,
                ),
                mask("reference"),
            ],
            outputs=[
                SemanticsSocket.Output(
                    "semantics_out", display_name="semantics", tooltip="The meaning, for ComposeInstruction."
                )
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["content reference", "semantic reference", "subject"]),
        )

    @classmethod
    def execute(cls, model, reference, reference_mask=None) -> io.NodeOutput:
        model.drc.require_trained_towers()
        reference = pictures_of(reference, reference_mask, "reference")
        require_one(reference)
        unfamiliar = Unfamiliar(model, "reference")
        codes = tokenize(model, unfamiliar.look(squares_of(model, reference, "reference")), Progress(1))
        host.load([*model.seeing, model.disentangler], model.drc.lmm.vision.memory(1))
        semantics = model.drc.semantics(codes[0])
        shown = host.show_lines(cls.hidden, *unfamiliar.sentences())
        return io.NodeOutput(to(semantics, host.intermediate_device()), ui=shown)
