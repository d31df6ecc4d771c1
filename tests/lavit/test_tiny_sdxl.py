"""The host's own loaders, sampler and decoder on the tiny models that stand in for Stable Diffusion XL."""

import logging
import re

import pytest
import torch
from safetensors.torch import load_file

from scripts.lib.tiny_sdxl import write_tiny_sdxl


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    import folder_paths

    models = tmp_path_factory.mktemp("models")
    for folder in ("diffusion_models", "vae"):
        folder_paths.add_model_folder_path(folder, str(models / folder))
    return write_tiny_sdxl(models, "tiny-sdxl")


@pytest.fixture(scope="module")
def loaded(stock, written):
    unet, vae = (path.name for path in written)
    with torch.inference_mode():
        model = stock["UNETLoader"]().load_unet(unet, "default")[0]
        return model, stock["VAELoader"]().load_vae(vae)[0]


def conditioning(seed, width=64, height=64):
    """What the host's text encoding nodes for Stable Diffusion XL give."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {"width": width, "height": height, "crop_w": 0, "crop_h": 0, "target_width": width, "target_height": height}
    pooled = torch.randn(1, 1280, generator=generator)
    return [[torch.randn(1, 25, 2048, generator=generator), {"pooled_output": pooled, **sizes}]]


def sample(stock, model, positive, negative, steps=2):
    with torch.inference_mode():
        latent = stock["EmptyLatentImage"]().generate(64, 64)[0]
        sampler = stock["KSampler"]()
        return sampler.sample(model, 3, steps, 5.0, "euler", "normal", positive, negative, latent, 1.0)[0]


def test_the_host_takes_it_for_stable_diffusion_xl(loaded):
    from comfy import latent_formats, model_base

    model, vae = loaded
    assert type(model.model) is model_base.SDXL
    assert isinstance(model.model.latent_format, latent_formats.SDXL)
    assert vae.latent_channels == 4


def test_every_weight_finds_its_place(stock, written, caplog):
    unet, vae = written
    with caplog.at_level(logging.DEBUG), torch.inference_mode():
        stock["UNETLoader"]().load_unet(unet.name, "default")
        stock["VAELoader"]().load_vae(vae.name)
    assert "model weight dtype" in caplog.text
    assert not [line for line in caplog.messages if re.search("missing|unexpected|left ?over", line.lower())]


def test_files_are_small(written):
    assert sum(path.stat().st_size for path in written) < 130e6
    assert sum(tensor.numel() for tensor in load_file(written[0]).values()) == 60_594_884


def test_two_steps_of_the_host_s_sampler(stock, loaded):
    model, vae = loaded
    latent = sample(stock, model, conditioning(1), conditioning(2))
    assert latent["samples"].shape == (1, 4, 8, 8) and latent["samples"].isfinite().all()
    with torch.inference_mode():
        pictures = stock["VAEDecode"]().decode(vae, latent)[0]
    assert pictures.shape == (1, 64, 64, 3)
    assert pictures.std() > 0.05


def test_prompt_pooled_prompt_and_sizes_condition_it(stock, loaded):
    model, _ = loaded
    ((prompt, extra),) = conditioning(1)
    base = sample(stock, model, [[prompt, extra]], conditioning(2), steps=1)["samples"]
    others = {
        "prompt": [[prompt.flip(1) * 2, extra]],
        "pooled": [[prompt, extra | {"pooled_output": -extra["pooled_output"]}]],
        "sizes": [[prompt, extra | {"target_width": 1024}]],
    }
    assert torch.equal(sample(stock, model, [[prompt, extra]], conditioning(2), steps=1)["samples"], base)
    for name, positive in others.items():
        assert (sample(stock, model, positive, conditioning(2), steps=1)["samples"] - base).abs().max() > 1e-3, name
