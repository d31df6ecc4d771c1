"""StyleTower: from the pictures of a history to their style."""

from . import host
from .encode import read_weights, squares_of, tokenize
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .sockets import StyleSocket, to
from .widgets import SQUARE_TOOLTIP, model_input

MEMORY_PER_NUMBER = 32  # bytes for each number of the rows of a history: keys, values, queries and what is read


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
                model_input(),
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
                StyleSocket.Output("style_out", display_name="style", tooltip="The style, for ComposeInstruction.")
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
        progress = Progress(2 * len(kept))  # every picture becomes codes, then attends to the others
        codes = tokenize(model, squares_of(model, history, "history", kept), progress)
        tower = model.drc.config.tower
        host.load([model.language, model.disentangler], len(kept) * tower.rows * tower.width * MEMORY_PER_NUMBER)
        shares = numbers[kept].to(model.device)
        style = model.drc.style(codes, shares, lambda done: progress.step_to(len(kept) + done))
        return io.NodeOutput(to(style, host.intermediate_device()))
