"""Names and shapes of the weights of a UNet and of an autoencoder of Stable Diffusion, as `diffusers` names them.

`config` is the config.json that diffusers keeps beside the weights. The pixel decoders of LaVIT are the layouts of
Stable Diffusion XL (high resolution) and 1.5 (low resolution).
"""

from typing import Annotated, TypedDict

from ...parsing import Size, agree, read
from ...shapes import Shapes

LEVELS = 8  # of resolution, at most
Few = Annotated[int, range(1, 8 + 1)]
Depth = Annotated[int, range(1, 32 + 1)]


class VAEConfig(TypedDict):
    """What an AutoencoderKL's config.json says of its weights."""

    in_channels: Size
    out_channels: Size
    block_out_channels: tuple[Size, ...]
    layers_per_block: Few
    latent_channels: Size


class RequiredUNetConfig(TypedDict):
    in_channels: Size
    out_channels: Size
    block_out_channels: tuple[Size, ...]
    down_block_types: tuple[str, ...]
    up_block_types: tuple[str, ...]
    layers_per_block: Few
    cross_attention_dim: Size


class UNetConfig(RequiredUNetConfig, total=False):
    """What a UNet2DConditionModel's config.json says of its weights."""

    transformer_layers_per_block: Depth | tuple[Depth, ...]
    use_linear_projection: bool | None
    addition_embed_type: str | None
    addition_time_embed_dim: Size | None
    projection_class_embeddings_input_dim: Size | None


def read_unet(values: dict) -> UNetConfig:
    """ValueError with the rest of a sentence for what does not describe one."""
    config = read(UNetConfig, values)
    levels, depths = check_levels(config["block_out_channels"]), config.get("transformer_layers_per_block", 1)
    lists = {name: len(config[name]) for name in ("down_block_types", "up_block_types")}
    if not isinstance(depths, int):
        lists["transformer_layers_per_block"] = len(depths)
    agree({f"entries in {name}:": (length, levels) for name, length in lists.items()})
    if config.get("addition_embed_type") and not config.get("projection_class_embeddings_input_dim"):
        raise ValueError("lacks projection_class_embeddings_input_dim")
    return config


def read_vae(values: dict) -> VAEConfig:
    """ValueError with the rest of a sentence for what does not describe one."""
    config = read(VAEConfig, values)
    check_levels(config["block_out_channels"])
    return config


def check_levels(widths: tuple[int, ...]) -> int:
    if not 1 <= len(widths) <= LEVELS:
        raise ValueError(f"has {len(widths)} block_out_channels, expected 1 to {LEVELS}")
    return len(widths)


def unet_shapes(config: UNetConfig) -> Shapes:
    """Of a UNet2DConditionModel."""
    widths, layers = config["block_out_channels"], config["layers_per_block"]
    first, last, time = widths[0], widths[-1], 4 * widths[0]
    tree = {
        "conv_in": conv(config["in_channels"], first),
        "time_embedding": {"linear_1": linear(first, time), "linear_2": linear(time, time)},
        "down_blocks": [],
        "up_blocks": [],
        "conv_norm_out": norm(first),
        "conv_out": conv(first, config["out_channels"]),
    }
    if config.get("addition_embed_type"):
        sizes = config["projection_class_embeddings_input_dim"]  # of the pooled prompt and the embedded picture sizes
        tree["add_embedding"] = {"linear_1": linear(sizes, time), "linear_2": linear(time, time)}

    depths = config.get("transformer_layers_per_block", 1)
    depths = [depths] * len(widths) if isinstance(depths, int) else depths

    def attentions(level: int, count: int) -> list[dict]:
        return [transformer(widths[level], depths[level], config) for _ in range(count)]

    width, skips = first, [first]
    for level, kind in enumerate(config["down_block_types"]):
        block = {"resnets": []}
        for _ in range(layers):
            block["resnets"].append(residual(width, widths[level], time))
            width = widths[level]
            skips.append(width)
        if kind.startswith("CrossAttn"):
            block["attentions"] = attentions(level, layers)
        if level < len(widths) - 1:
            block["downsamplers"] = [{"conv": conv(width, width)}]
            skips.append(width)
        tree["down_blocks"].append(block)
    tree["mid_block"] = {"resnets": [residual(last, last, time)] * 2, "attentions": attentions(len(widths) - 1, 1)}
    for level, kind in zip(reversed(range(len(widths))), config["up_block_types"], strict=True):
        block = {"resnets": []}
        for _ in range(layers + 1):
            block["resnets"].append(residual(width + skips.pop(), widths[level], time))
            width = widths[level]
        if kind.startswith("CrossAttn"):
            block["attentions"] = attentions(level, layers + 1)
        if level > 0:
            block["upsamplers"] = [{"conv": conv(width, width)}]
        tree["up_blocks"].append(block)
    return flatten(tree)


def vae_shapes(config: VAEConfig) -> Shapes:
    """Of an AutoencoderKL."""
    widths, layers, latents = config["block_out_channels"], config["layers_per_block"], config["latent_channels"]
    first, last = widths[0], widths[-1]
    square = linear(last, last)
    attention = {"group_norm": norm(last), "to_q": square, "to_k": square, "to_v": square, "to_out": [square]}
    middle = {"resnets": [residual(last, last)] * 2, "attentions": [attention]}

    def blocks(widths: list[int], layers: int, resample: str) -> list[dict]:
        made, width = [], widths[0]
        for level, wide in enumerate(widths):
            block = {"resnets": [residual(width if layer == 0 else wide, wide) for layer in range(layers)]}
            if level < len(widths) - 1:
                block[resample] = [{"conv": conv(wide, wide)}]
            made.append(block)
            width = wide
        return made

    return flatten(
        {
            "encoder": {
                "conv_in": conv(config["in_channels"], first),
                "down_blocks": blocks(widths, layers, "downsamplers"),
                "mid_block": middle,
                "conv_norm_out": norm(last),
                "conv_out": conv(last, 2 * latents),
            },
            "decoder": {
                "conv_in": conv(latents, last),
                "up_blocks": blocks(widths[::-1], layers + 1, "upsamplers"),
                "mid_block": middle,
                "conv_norm_out": norm(first),
                "conv_out": conv(first, config["out_channels"]),
            },
            "quant_conv": conv(2 * latents, 2 * latents, 1),
            "post_quant_conv": conv(latents, latents, 1),
        }
    )


def with_newer_names(shapes: Shapes) -> Shapes:
    """The same with the names that newer diffusers gives an autoencoder's attention."""
    renamed = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    return {".".join(renamed.get(part, part) for part in name.split(".")): shape for name, shape in shapes.items()}


def residual(inputs: int, outputs: int, time: int = 0) -> dict:
    block = {
        "norm1": norm(inputs),
        "conv1": conv(inputs, outputs),
        "norm2": norm(outputs),
        "conv2": conv(outputs, outputs),
    }
    if time:
        block["time_emb_proj"] = linear(time, outputs)
    if inputs != outputs:
        block["conv_shortcut"] = conv(inputs, outputs, 1)
    return block


def transformer(width: int, depth: int, config: dict) -> dict:
    project = linear(width, width) if config.get("use_linear_projection") else conv(width, width, 1)
    block = {
        "norm1": norm(width),
        "attn1": attention(width, width),
        "norm2": norm(width),
        "attn2": attention(width, config["cross_attention_dim"]),
        "norm3": norm(width),
        "ff": {"net": {"0": {"proj": linear(width, 8 * width)}, "2": linear(4 * width, width)}},
    }
    return {"norm": norm(width), "proj_in": project, "transformer_blocks": [block] * depth, "proj_out": project}


def attention(width: int, context: int) -> dict:
    return {
        "to_q": {"weight": (width, width)},
        "to_k": {"weight": (width, context)},
        "to_v": {"weight": (width, context)},
        "to_out": [linear(width, width)],
    }


def linear(inputs: int, outputs: int) -> dict:
    return {"weight": (outputs, inputs), "bias": (outputs,)}


def conv(inputs: int, outputs: int, size: int = 3) -> dict:
    return {"weight": (outputs, inputs, size, size), "bias": (outputs,)}


def norm(width: int) -> dict:
    return {"weight": (width,), "bias": (width,)}


def flatten(tree: dict | list | tuple, prefix: str = "") -> Shapes:
    """Branches joined by dots; a list is numbered."""
    if isinstance(tree, tuple):
        return {prefix: tree}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {
        name: shape
        for branch, rest in branches
        for name, shape in flatten(rest, f"{prefix}.{branch}" if prefix else str(branch)).items()
    }
