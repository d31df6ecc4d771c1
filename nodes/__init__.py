"""The ComfyUI side: schemas and glue. What the nodes do is written in `drc`."""

from comfy_api.latest import ComfyExtension

from . import paths
from .convert import DRC_ConvertLaVIT
from .dataset import DRC_ImageDataset
from .evaluate import DRC_Evaluate
from .examples import DRC_ExamplePictures
from .host import io
from .inspect import DRC_AttentionMap, DRC_GuidanceGrid
from .lavit import DRC_ComposeInContext, DRC_TokenizeImage, DRC_TokensToConditioning
from .load import DRC_LoadModel
from .meter import DRC_CollapseMeter
from .personalize import DRC_ComposeInstruction, DRC_SemanticTower, DRC_StyleTower
from .save import DRC_SaveModel
from .tokens import DRC_DecodeTokens, DRC_LMMGenerate
from .train import DRC_TrainDisentanglement, DRC_TrainPersonalisation
from .triplets import DRC_Augmentations, DRC_Triplets


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
            DRC_ImageDataset,
            DRC_Triplets,
            DRC_Augmentations,
            DRC_TrainDisentanglement,
            DRC_TrainPersonalisation,
            DRC_SaveModel,
            DRC_GuidanceGrid,
            DRC_AttentionMap,
            DRC_CollapseMeter,
            DRC_Evaluate,
            DRC_ConvertLaVIT,
            DRC_TokenizeImage,
            DRC_ComposeInContext,
            DRC_TokensToConditioning,
        ]
