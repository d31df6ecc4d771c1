"""Small diffusion models of the host's own kinds; its loaders know one size of each."""

import comfy.model_patcher
import torch

UNET = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 32, "num_res_blocks": [1, 1],
    "channel_mult": [1, 2], "transformer_depth": [1, 1], "transformer_depth_output": [1] * 4,
    "transformer_depth_middle": 1, "context_dim": 768, "num_heads": 4, "num_head_channels": -1, "legacy": False,
    "use_spatial_transformer": True, "use_linear_in_transformer": False, "use_temporal_attention": False,
    "adm_in_channels": None, "dtype": torch.float32,
}  # fmt: skip


def small_unet(kind, **settings) -> comfy.model_patcher.ModelPatcher:
    """A MODEL of a class of `comfy.supported_models`, with random weights."""
    config = kind(UNET | settings)
    config.set_inference_dtype(torch.float32, None)
    model, generator = config.get_model({}), torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = 0.05 * torch.randn(parameter.shape, generator=generator)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))
