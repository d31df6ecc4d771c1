"""The tables of diffusion models against the modules of diffusers, and the layout that the host's loader recognises."""

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from drc.lmm.lavit.diffusion import unet_shapes, vae_shapes, with_newer_names

# What the configs of the published layouts say where diffusers' defaults say otherwise.
XL = {
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "block_out_channels": [320, 640, 1280],
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SD_1_5 = {"cross_attention_dim": 768}
NARROW = XL | {
    "block_out_channels": [32, 64],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "transformer_layers_per_block": [2, 1],
    "attention_head_dim": 4,
    "layers_per_block": 1,
}
VAE = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
}
NARROW_VAE = VAE | {
    "block_out_channels": [32, 64],
    "down_block_types": ["DownEncoderBlock2D"] * 2,
    "up_block_types": ["UpDecoderBlock2D"] * 2,
    "latent_channels": 8,
}


def of_diffusers(kind, config):
    """Its full config, and names and shapes of its weights."""
    with torch.device("meta"):
        module = kind.from_config(config)
    return dict(module.config), {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("config", [XL, SD_1_5, NARROW], ids=["XL", "1.5", "narrow"])
def test_unet(config):
    full, shapes = of_diffusers(UNet2DConditionModel, config)
    assert unet_shapes(full) == shapes


@pytest.mark.parametrize("config", [VAE, NARROW_VAE], ids=["true", "narrow"])
def test_autoencoder(config):
    full, shapes = of_diffusers(AutoencoderKL, config)
    assert vae_shapes(full) == shapes


def test_the_published_unet_has_the_published_size():
    full, _ = of_diffusers(UNet2DConditionModel, XL)
    shapes = unet_shapes(full)
    assert len(shapes) == 1680
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 2_567_463_684


def test_the_old_names_of_an_autoencoder_s_attention():
    full, shapes = of_diffusers(AutoencoderKL, NARROW_VAE)
    old = {}
    for name, shape in shapes.items():
        for new, before in {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}.items():
            name = name.replace(new, before)
        old[name] = shape
    assert old.keys() != shapes.keys()
    assert with_newer_names(old) == with_newer_names(shapes) == vae_shapes(full)


@pytest.mark.parametrize(("config", "family"), [(XL, "SDXL"), (SD_1_5, "SD15")], ids=["XL", "1.5"])
def test_the_host_recognises_the_published_unets_by_their_names(config, family):
    """All of their weights have a place of the same shape in the host's module, and none is left empty."""
    from comfy import model_detection, ops, utils
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    _, shapes = of_diffusers(UNet2DConditionModel, config)
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert model_detection.model_config_from_unet(weights, "") is None  # by the host's own names it is none
    found = model_detection.model_config_from_diffusers_unet(weights)
    assert type(found).__name__ == family
    places = utils.unet_to_diffusers(found.unet_config)
    module = UNetModel(**found.unet_config, device="meta", operations=ops.disable_weight_init)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert {places[name]: shape for name, shape in shapes.items()} == expected


def test_the_host_recognises_the_published_autoencoder_by_its_names():
    from comfy import diffusers_convert
    from comfy.ldm.models.autoencoder import AutoencoderKL as HostAutoencoder

    _, shapes = of_diffusers(AutoencoderKL, VAE)
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    converted = diffusers_convert.convert_vae_state_dict(weights)
    layout = {"double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128}
    layout |= {"ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0}
    with torch.device("meta"):
        module = HostAutoencoder(ddconfig=layout, embed_dim=4)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert {name: tuple(tensor.shape) for name, tensor in converted.items()} == expected
