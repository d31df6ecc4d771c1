"""Example Pictures: a history and a reference to try the graph with."""

import torch
from torch import Tensor

from . import host, paths
from .guard import guarded
from .host import io
from .widgets import choice

SETS = ("icons 1", "icons 2", "icons 3", "example 1", "example 2", "example 3")


@guarded
class DRC_ExamplePictures(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ExamplePictures",
            display_name="Example Pictures",
            category="DRC",
            description="Pictures that come with this pack: a history in one style and a reference in another.",
            inputs=[choice("example", SETS, "Which set of pictures: icons, or emoji.")],
            outputs=[
                io.Image.Output(
                    "history_out", display_name="history", tooltip="Pictures in one style, for StyleTower."
                ),
                io.Image.Output(
                    "reference_out",
                    display_name="reference",
                    tooltip="One picture in another style, for SemanticTower.",
                ),
            ],
            **host.newer(search_aliases=["sample images", "demo", "icon", "emoji"]),
        )

    @classmethod
    def execute(cls, example) -> io.NodeOutput:
        folder = paths.EXAMPLES / example.replace(" ", "-")
        reference = folder / "reference.png"
        history = [read(path) for path in sorted(folder.glob("*.png")) if path != reference]
        return io.NodeOutput(torch.stack(history), read(reference)[None])


def read(path) -> Tensor:
    """[H, W, 3] in 0..1"""
    import numpy
    from PIL import Image

    return host.as_images([numpy.array(Image.open(path).convert("RGB"))])[0]
