"""The smallest UNet and autoencoder that the host's own loaders take for those of Stable Diffusion XL; random, so they
draw noise, but prompt, pooled prompt and picture sizes condition it.

The host tells the family by the width of the first layer (320), of the prompt (2048), of pooled prompt and sizes
together (2816) and by the depths of the transformers on the way down; widths further in and the way up it reads off the
weights. KOALA-700M's depths [0, 2, 5] need the fewest. Here every level has the first width, and there is no middle and
no transformer on the way up: 60.6 million weights, 121 MB. With the names of diffusers the host expects one of the
full sizes. The autoencoder has the layout of TAESD, 2.4 million weights: of the usual layout the host knows one size.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from drc.lmm.lavit.diffusion import Shapes, conv, flatten, linear, norm, transformer

WIDTH, TIME, SIZES, LATENTS = 320, 1280, 2816, 4
AUTOENCODER_WIDTH = 64


def write_tiny_sdxl(models: Path, name: str = "tiny", seed: int = 0) -> tuple[Path, Path]:
    """Writes both into the folders of the host's loaders, named as a conversion names them."""
    unet, vae = models / "diffusion_models" / f"{name}-unet.safetensors", models / "vae" / f"{name}-vae.safetensors"
    scale = {"vae_scale": torch.tensor(0.13025), "vae_shift": torch.tensor(0.0)}  # of latents of this family
    for path, tensors in (unet, random_weights(unet_shapes(), seed)), (vae, random_weights(vae_shapes(), seed) | scale):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path)
    return unet, vae


def random_weights(shapes: Shapes, seed: int = 0, dtype: torch.dtype = torch.float16) -> dict[str, Tensor]:
    """Numbers that neither grow nor vanish from layer to layer; those of norms are near 1."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            noise /= torch.Size(shape[1:]).numel() ** 0.5
        else:
            noise = 0.02 * noise + name.endswith(".weight")
        tensors[name] = noise.to(dtype)
    return tensors


def unet_shapes() -> Shapes:
    """With the host's own names."""
    attend = {"cross_attention_dim": 2048, "use_linear_projection": True}
    down, up, block = {"op": conv(WIDTH, WIDTH)}, {"conv": conv(WIDTH, WIDTH)}, residual(2 * WIDTH)
    return flatten(
        {
            "time_embed": {"0": linear(WIDTH, TIME), "2": linear(TIME, TIME)},
            "label_emb": [{"0": linear(SIZES, TIME), "2": linear(TIME, TIME)}],
            "input_blocks": [
                [conv(LATENTS, WIDTH)],
                [residual(WIDTH)],
                [down],
                [residual(WIDTH), transformer(WIDTH, 2, attend)],
                [down],
                [residual(WIDTH), transformer(WIDTH, 5, attend)],
            ],
            "output_blocks": [[block], [block, up], [block], [block, up], [block], [block]],
            "out": {"0": norm(WIDTH), "2": conv(WIDTH, LATENTS)},
        }
    )


def residual(inputs: int) -> dict:
    block = {
        "in_layers": {"0": norm(inputs), "2": conv(inputs, WIDTH)},
        "emb_layers": {"1": linear(TIME, WIDTH)},
        "out_layers": {"0": norm(WIDTH), "3": conv(WIDTH, WIDTH)},
    }
    if inputs != WIDTH:
        block["skip_connection"] = conv(inputs, WIDTH, 1)
    return block


def vae_shapes() -> Shapes:
    wide = conv(AUTOENCODER_WIDTH, AUTOENCODER_WIDTH)
    block, resample = {"conv": {"0": wide, "2": wide, "4": wide}}, {"weight": wide["weight"]}
    three = [block] * 3
    first, last = conv(3, AUTOENCODER_WIDTH), conv(AUTOENCODER_WIDTH, 3)
    # An empty branch stands for a layer without weights.
    encoder = [first, block, resample, *three, resample, *three, resample, *three, conv(AUTOENCODER_WIDTH, LATENTS)]
    grow = [*three, {}, resample]
    decoder = [{}, conv(LATENTS, AUTOENCODER_WIDTH), {}, *grow, *grow, *grow, block, last]
    return flatten({"taesd_encoder": encoder, "taesd_decoder": decoder})
