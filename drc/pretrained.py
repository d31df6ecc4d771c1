"""DRC over a pretrained LMM, LaVIT: its own files hold towers, fusion and LoRA; the rest is read from a converted set.

Sizes of what is trained on top are ours (Q2, Q8, Q9 of the method).
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from .fusion import FusionConfig
from .lmm.lavit.converted import DECODER, DESCRIPTION, EMPTY_PROMPT, LOW_DECODER, TOKENIZER, VISION, LavitSet, open_set
from .lmm.lavit.model import TEMPLATE, LavitConfig, LavitLMM
from .lmm.lavit.text import Words, load_text_tokenizer
from .lmm.lora import is_lora
from .model import DRC, DRCConfig
from .towers import TowerConfig

ARCHITECTURE = "drc-lavit-1"
WIDTH = 1024  # of towers and fusion, where the language model is as wide or wider
INSTRUCTIONS = 32


def is_set(path: Path) -> bool:
    """Whether a path is the description of a converted set, which stands for its LMM with nothing trained on top."""
    return path.name == DESCRIPTION


def config_over(pretrained: LavitSet) -> DRCConfig:
    """Sizes of a DRC to be trained over a converted set."""
    sizes, words = pretrained.sizes, Words(load_text_tokenizer(pretrained.folder))
    embedding = sizes.language.hidden_size
    width = min(WIDTH, embedding)
    before, after = (tuple(words.encode(text).ids) for text in TEMPLATE)
    grid = sizes.vision.image_size // sizes.vision.patch_size
    return DRCConfig(
        LavitConfig(sizes, before, after),
        TowerConfig(width, 4, 2 * width, grid, merge=1, embedding=embedding, places=False),
        FusionConfig(width, 8, 4 * width, 2, INSTRUCTIONS, output=embedding),
    )


def header_over(pretrained: LavitSet) -> dict[str, str]:
    """What a file of a DRC over a converted set would say of itself before any training."""
    return {
        "architecture": ARCHITECTURE,
        "config": config_over(pretrained).to_json(),
        "stage": "0",
        "step": "0",
        "licence": pretrained.licence,
        **names_of(pretrained),
    }


def names_of(pretrained: LavitSet) -> dict[str, str]:
    return {"lmm": pretrained.hash, "lmm_name": pretrained.folder.name}


def set_of(path: Path, header: dict[str, str], folder: Path | None) -> LavitSet:
    """The converted set that the file at `path` needs: itself, or the one in `folder`.

    ValueError where there is none, or another one.
    """
    if is_set(path):
        return open_set(path.parent)
    name = header["lmm_name"]
    if folder is None:
        raise ValueError(f"{path.name} was trained over '{name}', which was not given; convert it, or name its folder")
    pretrained = open_set(folder)
    if pretrained.hash != header["lmm"]:
        raise ValueError(
            f"{path.name} was trained over another large multimodal model, '{name}', than the one in {folder}; "
            f"choose the folder of '{name}'"
        )
    return pretrained


def read_pretrained(drc: DRC, pretrained: LavitSet) -> None:
    """Fills the LMM of `drc`, which was built without memory, with the tensors of the files, in their own types."""
    lmm: LavitLMM = drc.lmm
    folder = pretrained.folder
    drc.words = Words(load_text_tokenizer(folder))
    language = {key: tensor for shard in pretrained.language for key, tensor in load_file(shard).items()}
    fill(lmm.language, {plain_name(lmm.language, key): tensor for key, tensor in language.items()})
    fill(lmm.vision.transformer, load_file(folder / VISION))
    tokenizer = load_file(folder / TOKENIZER)
    fill(lmm.vision.tokenizer, tokenizer)
    fill(lmm.decoder.codebook, {"weight": tokenizer["quantize.embedding.weight"].clone()})
    fill(lmm.decoder.high_resolution, load_file(folder / DECODER))
    if lmm.decoder.low_resolution is not None:
        fill(lmm.decoder.low_resolution, load_file(folder / LOW_DECODER))
        (empty,) = load_file(folder / EMPTY_PROMPT).values()
        lmm.decoder.empty_prompt = nn.Parameter(empty, requires_grad=False)


def plain_name(language: nn.Module, key: str) -> str:
    """The name of a published weight in a language model whose layers may have a LoRA beside them."""
    layer, _, kind = key.rpartition(".")
    return f"{layer}.base.{kind}" if hasattr(language.get_submodule(layer), "base") else key


def fill(module: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """ValueError for weights of another model."""
    missing, unexpected = module.load_state_dict(tensors, strict=False, assign=True)
    missing = [name for name in missing if not is_lora(name)]
    if missing or unexpected:
        raise ValueError(
            f"the converted files lack {len(missing)} weights and hold {len(unexpected)} others, such as "
            f"{(missing + unexpected)[0]}; run the conversion again"
        )


def initialise(drc: DRC) -> None:
    """Towers and fusion as a training begins, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drc.disentangler.initialise(drc.lmm.scale())


def is_own(name: str) -> bool:
    """Whether a weight of DRC belongs in its own file, not in the converted set."""
    return not name.startswith("lmm.") or is_lora(name)
