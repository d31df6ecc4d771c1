"""Save DRC Model."""

import logging

from . import host, paths
from .guard import guarded
from .host import io
from .sockets import ModelSocket
from .widgets import choice, line

log = logging.getLogger("drc")

PRECISIONS = ("16 bit", "32 bit")


@guarded
class DRC_SaveModel(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_SaveModel",
            display_name="Save DRC Model",
            category="DRC/training",
            description="Saves a trained model to models/drc, where Load DRC Model finds it.",
            inputs=[
                ModelSocket.Input("model", tooltip="The model to save, from a training node."),
                line(
                    "filename",
                    "my-drc-model",
                    "The name in models/drc. Nothing is overwritten: if it is taken, a number is added.",
                ),
                choice(
                    "precision",
                    PRECISIONS,
                    "16 bit is half the size and draws the same to the eye. 32 bit is exact, for training on.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "saved_as_out", display_name="saved as", tooltip="How the model is called in Load DRC Model."
                )
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
            **host.newer(search_aliases=["export model", "checkpoint save"]),
        )

    @classmethod
    def execute(cls, model, filename, precision) -> io.NodeOutput:
        from ..drc.checkpoint import load_own, save

        path, name = paths.new_model_file(filename)
        trained = load_own(model.path, host.check_interrupt)
        save(trained, path, half=precision == PRECISIONS[0], on_part=host.check_interrupt)
        log.info("saved %s", path)
        text = f"Saved as {paths.below_comfyui(path)}. Press R, then choose it in Load DRC Model."
        return io.NodeOutput(name, ui=host.show_text(cls.hidden, text))
