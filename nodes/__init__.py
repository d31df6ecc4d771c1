"""The ComfyUI side: schemas and glue. What the nodes do is written in `drc`."""

from comfy_api.latest import ComfyExtension

from . import paths
from .examples import DRC_ExamplePictures
from .host import io
from .load import DRC_LoadModel
from .personalize import DRC_ComposeInstruction, DRC_SemanticTower, DRC_StyleTower
from .tokens import DRC_DecodeTokens, DRC_LMMGenerate


class DRCExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        paths.register()
        return [
            DRC_LoadModel,
            DRC_StyleTower,
            DRC_SemanticTower,
            DRC_ComposeInstruction,
            DRC_LMMGenerate,
            DRC_DecodeTokens,
            DRC_ExamplePictures,
        ]
