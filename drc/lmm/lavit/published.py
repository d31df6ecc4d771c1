"""The published folder of LaVIT-7B-v2: what is converted of it, checked whole before anything is written.

    language_model/             config.json, tokenizer.model, the shards and their index
    visual_tokenizer/           eva_vitg_psz14.bin, tokenizer_encoder.bin, highres_tokenizer_decoder.bin
    highres_pixel_decoding/     unet and vae of Stable Diffusion XL
    visual_tokenizer/tokenizer_decoder.bin and pixel_decoding/   the low resolution, which may be absent

Sizes are read off config.json and the shapes of the weights, so a small LaVIT converts like the true one. Numbers of
heads and epsilons are in neither and are always those of `config.py`. No other file of the folder is ever opened.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import isqrt
from pathlib import Path

from torch import nn

from ...parsing import brief, read
from ...shapes import Shapes, shapes_of
from ..llama import LlamaConfig, LlamaForCausalLM
from .archive import AGAIN, REPOSITORY
from .config import DecoderConfig, TokenizerConfig, VisionConfig
from .converted import CONFIG, DECODER, EMPTY_PROMPT, LANGUAGE, LOW_DECODER, TOKENIZER, VISION, Sizes
from .decoder import HighResolutionDecoder, LowResolutionDecoder
from .diffusion import read_unet, read_vae, unet_shapes, vae_shapes, with_newer_names
from .language import FIRST_CODE
from .text import WORDS, load_text_tokenizer
from .tokenizer import VisualTokenizer
from .vision import VisionTransformer
from .weights import File, check, from_config, look, read_json

INDEX = "language_model/pytorch_model.bin.index.json"
HIGH, LOW = "highres_pixel_decoding", "pixel_decoding"
LISTED = 20  # names in a message
UNCONDITIONAL = f"{LOW}/uncond_embeddings.bin"


@dataclass(frozen=True)
class Published:
    """All sizes, and what is to be written. `left_out` says what of the low resolution is absent, or nothing."""

    sizes: Sizes
    files: list[File]
    left_out: str


Visual = VisionConfig | TokenizerConfig | DecoderConfig


@dataclass(frozen=True)
class Part:
    """A file of the visual side."""

    source: str
    target: str
    what: str
    module: type[nn.Module]
    sizes: Callable[[Shapes], Visual]


def vision_sizes(shapes: Shapes) -> VisionConfig:
    patch = shapes["patch_embed.proj.weight"][-1]
    return VisionConfig(
        image_size=isqrt(shapes["pos_embed"][1] - 1) * patch,
        patch_size=patch,
        width=shapes["cls_token"][-1],
        feed_forward=shapes["blocks.0.mlp.fc1.weight"][0],
        layers=numbered(shapes, "blocks."),
        head_outputs=shapes["head.weight"][0],
    )


def tokenizer_sizes(shapes: Shapes) -> TokenizerConfig:
    codes, code_size = shapes["quantize.embedding.weight"]
    return TokenizerConfig(
        width=shapes["causal_encoder.norm.weight"][0],
        feed_forward=shapes["causal_encoder.blocks.0.mlp.fc1.weight"][0],
        layers=numbered(shapes, "causal_encoder.blocks."),
        codes=codes,
        code_size=code_size,
    )


def decoder_sizes(shapes: Shapes, **widths: int) -> DecoderConfig:
    return DecoderConfig(
        queries=shapes["query_embed"][1],
        width=shapes["query_embed"][2],
        feed_forward=shapes["blocks.0.mlp.fc1.weight"][0],
        layers=numbered(shapes, "blocks."),
        code_size=shapes["in_proj.weight"][1],
        **widths,
    )


def high_sizes(shapes: Shapes) -> DecoderConfig:
    prompt, pooled = shapes["unet_proj_1.weight"][0], shapes["unet_proj_2.weight"][0]
    return decoder_sizes(shapes, prompt_width=prompt, pooled_width=pooled)


def low_sizes(shapes: Shapes) -> DecoderConfig:
    return decoder_sizes(shapes, prompt_width=shapes["unet_proj.weight"][0])


def bounded(config: Visual) -> Visual:
    """The same sizes; ValueError where one is out of bounds."""
    return read(type(config), asdict(config))


def numbered(shapes: Shapes, prefix: str) -> int:
    """How many numbers follow the prefix in the names."""
    return len({name[len(prefix) :].split(".")[0] for name in shapes if name.startswith(prefix)})


PARTS = (
    Part("visual_tokenizer/eva_vitg_psz14.bin", VISION, "vision transformer", VisionTransformer, vision_sizes),
    Part("visual_tokenizer/tokenizer_encoder.bin", TOKENIZER, "visual tokeniser", VisualTokenizer, tokenizer_sizes),
    Part("visual_tokenizer/highres_tokenizer_decoder.bin", DECODER, "token decoder", HighResolutionDecoder, high_sizes),
)
LOW_PART = Part(
    "visual_tokenizer/tokenizer_decoder.bin",
    LOW_DECODER,
    "token decoder of the low resolution",
    LowResolutionDecoder,
    low_sizes,
)


def read_published(folder: Path, name: str) -> Published:
    """Checks the whole folder; `name` is what the converted set will be called.

    ValueError with one sentence: files missing, cut short, of another model, or holding more than tensors.
    """
    check_present(folder)
    language, files = read_language(folder / "language_model", name)
    configs = []
    for part in PARTS:
        config, file = read_part(folder, part, name)
        configs.append(config)
        files.append(file)
    sizes = Sizes(language, *configs)
    check_agreement(folder, sizes)
    files += read_high(folder, name, sizes)
    left_out = ", ".join(absent(folder, [LOW_PART.source, UNCONDITIONAL, *diffusion_names(LOW)]))
    if left_out:
        return Published(sizes, files, left_out)
    low, more = read_low(folder, name, sizes)
    return Published(Sizes(language, *configs, low), files + more, "")


def check_present(folder: Path) -> None:
    language = [f"language_model/{name}" for name in (CONFIG, WORDS)] + [INDEX]
    names = [*language, *(part.source for part in PARTS), *diffusion_names(HIGH)]
    missing = absent(folder, names)
    if len(missing) == len(names):
        raise ValueError(
            f"{folder} is not the folder of {REPOSITORY}: there is no {names[0]}, no {PARTS[0].source} and no {HIGH} "
            f"in it; give the folder that language_model, visual_tokenizer and {HIGH} lie in"
        )
    if INDEX not in missing:
        missing += absent(folder, [f"language_model/{shard}" for shard in shards_of(folder / INDEX)])
    if missing:
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        raise ValueError(
            f"{folder} lacks {', '.join(missing[:LISTED])}{more}; download what is missing from {REPOSITORY}"
        )


def absent(folder: Path, names: Iterable[str]) -> list[str]:
    """The names that are no file; weights of a diffusion model may also be safetensors."""
    return [name for name in names if not as_present(folder / name).is_file()]


def diffusion_names(folder: str) -> list[str]:
    return [f"{folder}/{part}/{file}" for part in ("unet", "vae") for file in (CONFIG, "diffusion_pytorch_model.bin")]


def as_present(path: Path) -> Path:
    """The safetensors file in place of a .bin, where there is one."""
    safe = path.with_suffix(".safetensors")
    return safe if path.suffix == ".bin" and safe.is_file() else path


def read_language(folder: Path, name: str) -> tuple[LlamaConfig, list[File]]:
    path, index = folder / CONFIG, folder / Path(INDEX).name
    config = from_config(LlamaConfig.read, path, "a LLaMA")
    expected = shapes_of(LlamaForCausalLM, config)
    weight_map, shards = weight_map_of(index), shards_of(index)
    check(index, "language model", dict.fromkeys(weight_map), dict.fromkeys(expected))
    load_text_tokenizer(folder, AGAIN)
    files = [
        File(f"drc/{name}/{CONFIG}", path, path.stat().st_size, "", "sizes of the language model"),
        File(f"drc/{name}/{WORDS}", folder / WORDS, (folder / WORDS).stat().st_size, "", "words of the language model"),
    ]
    for number, shard in enumerate(shards, 1):
        weights = look(folder / shard)
        here = {key: shape for key, shape in expected.items() if weight_map[key] == shard}
        check(weights.path, f"part {number} of {len(shards)} of the language model", weights.shapes, here)
        target = f"drc/{name}/{LANGUAGE}{number:05d}-of-{len(shards):05d}.safetensors"
        files.append(weights.becomes(target, f"language model, part {number} of {len(shards)}"))
    return config, files


def weight_map_of(index: Path) -> dict[str, str]:
    """Which shard holds which weight."""
    found = read_json(index).get("weight_map")
    if not isinstance(found, dict) or not found or not all(map(is_shard, found.values())):
        raise ValueError(f"{index} does not say which file holds which weights; {AGAIN}")
    return found


def is_shard(name: object) -> bool:
    """Whether it is a name that a file can have anywhere, without a folder."""
    return isinstance(name, str) and bool(re.fullmatch(r"[\w-][\w.-]{0,99}", name, re.ASCII))


def shards_of(index: Path) -> list[str]:
    return sorted(set(weight_map_of(index).values()))


def read_part(folder: Path, part: Part, name: str) -> tuple[Visual, File]:
    weights = look(folder / part.source)
    try:
        config = bounded(part.sizes(weights.shapes))
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{weights.path} does not hold LaVIT's {part.what} ({brief(repr(error))}); {AGAIN}") from error
    check(weights.path, part.what, weights.shapes, shapes_of(part.module, config))
    return config, weights.becomes(f"drc/{name}/{part.target}", part.what)


def check_agreement(folder: Path, sizes: Sizes) -> None:
    """The parts are of one model."""
    tokenizer, decoder = (folder / part.source for part in PARTS[1:])
    agree(tokenizer, "the width of the features", sizes.tokenizer.width, sizes.vision.width)
    agree(decoder, "the number of queries", sizes.decoder.queries, sizes.vision.patches)
    agree(decoder, "the size of a code", sizes.decoder.code_size, sizes.tokenizer.code_size)
    vocabulary = FIRST_CODE + sizes.tokenizer.codes
    agree(folder / "language_model" / CONFIG, "vocab_size", sizes.language.vocab_size, vocabulary)


def agree(path: Path, what: str, found: int | None, expected: int) -> None:
    if found != expected:
        raise ValueError(f"{path} is of another model than the other files: {what} is {found}, not {expected}; {AGAIN}")


def read_high(folder: Path, name: str, sizes: Sizes) -> list[File]:
    """The host's loader of diffusion models takes the UNet with the names of diffusers and asks for no metadata: it
    tells Stable Diffusion XL by the depths of the transformers and the widths of prompt, pooled prompt and first layer
    (comfy/model_detection.py, unet_config_from_diffusers_unet), and renames the weights itself. So do its loader of
    autoencoders (comfy/sd.py, VAE) and its loaders for Stable Diffusion 1.5. All names are therefore kept.
    """
    prompt, pooled = sizes.decoder.prompt_width + sizes.decoder.pooled_width, sizes.decoder.pooled_width
    path = folder / HIGH / "unet" / CONFIG
    config = from_config(read_unet, path, "a UNet")
    agree(path, "cross_attention_dim", config["cross_attention_dim"], prompt)
    widths = pooled + 6 * (config.get("addition_time_embed_dim") or 0)  # six numbers of picture sizes
    agree(path, "projection_class_embeddings_input_dim", config.get("projection_class_embeddings_input_dim"), widths)
    return read_diffusion(folder / HIGH, name, "")


def read_low(folder: Path, name: str, sizes: Sizes) -> tuple[DecoderConfig, list[File]]:
    config, file = read_part(folder, LOW_PART, name)
    agree(folder / LOW_PART.source, "the number of queries", config.queries, sizes.vision.patches)
    agree(folder / LOW_PART.source, "the size of a code", config.code_size, sizes.tokenizer.code_size)
    unet = folder / LOW / "unet" / CONFIG
    width = config.prompt_width
    agree(unet, "cross_attention_dim", from_config(read_unet, unet, "a UNet")["cross_attention_dim"], width)
    empty = look(folder / UNCONDITIONAL)
    found = list(empty.shapes.values())
    if [shape[:1] + shape[2:] for shape in found] != [(1, width)] or not 0 < found[0][1] <= config.queries:
        raise ValueError(
            f"{empty.path} holds {brief(found)}, expected the embedding of an empty text, 1 x at most "
            f"{config.queries} x {width}; {AGAIN}"
        )
    nothing = empty.becomes(f"drc/{name}/{EMPTY_PROMPT}", "empty prompt of the low resolution")
    return config, [file, nothing, *read_diffusion(folder / LOW, name, "low-resolution-")]


def read_diffusion(folder: Path, name: str, which: str) -> list[File]:
    unet, vae = (look(as_present(folder / part / "diffusion_pytorch_model.bin")) for part in ("unet", "vae"))
    of_unet = from_config(read_unet, folder / "unet" / CONFIG, "a UNet")
    of_vae = from_config(read_vae, folder / "vae" / CONFIG, "an autoencoder")
    check(unet.path, "UNet", unet.shapes, unet_shapes(of_unet))
    check(vae.path, "autoencoder", with_newer_names(vae.shapes), vae_shapes(of_vae))
    of = " of the low resolution" if which else ""
    return [
        unet.becomes(f"diffusion_models/{name}-{which}unet.safetensors", f"UNet{of}, for Load Diffusion Model"),
        vae.becomes(f"vae/{name}-{which}vae.safetensors", f"autoencoder{of}, for Load VAE"),
    ]
