"""The ComfyUI side: schemas and glue. What the nodes do is written in `drc`."""

from comfy_api.latest import ComfyExtension

from . import paths
from .attention_map import DRC_AttentionMap
from .collapse_meter import DRC_CollapseMeter
from .complete_set import DRC_CompleteSet
from .compose import DRC_ComposeInstruction
from .compose_in_context import DRC_ComposeInContext
from .conditioning import DRC_TokensToConditioning
from .convert import DRC_ConvertLaVIT
from .dataset import DRC_ImageDataset
from .decode import DRC_DecodeTokens
from .drawings import DRC_ReferenceFromWords
from .evaluate import DRC_Evaluate
from .examples import DRC_ExamplePictures
from .generate import DRC_LMMGenerate
from .guidance_grid import DRC_GuidanceGrid
from .host import io
from .icon_files import DRC_LockPalette, DRC_PicturesToSVG
from .load import DRC_LoadModel
from .my_pictures import DRC_MyPictures
from .save import DRC_SaveModel
from .save_set import DRC_SaveSet
from .semantic_tower import DRC_SemanticTower
from .set_report import DRC_SetReport
from .style_card import DRC_LoadStyle, DRC_MergeStyles, DRC_SaveStyle
from .style_tower import DRC_StyleTower
from .tokenize_image import DRC_TokenizeImage
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
            DRC_ReferenceFromWords,
            DRC_MyPictures,
            DRC_SaveStyle,
            DRC_LoadStyle,
            DRC_MergeStyles,
            DRC_CompleteSet,
            DRC_SetReport,
            DRC_LockPalette,
            DRC_PicturesToSVG,
            DRC_SaveSet,
        ]
