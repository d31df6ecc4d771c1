"""DRC over a pretrained LMM, LaVIT: its own files hold towers, fusion and LoRA; the rest is read from a converted set.

Sizes of what is trained on top are ours (METHOD.md, 1 to 3).
"""

from pathlib import Path

import torch
from torch import nn

from .fusion import FusionConfig
from .lmm.lavit.converted import (
    AGAIN,
    DECODER,
    DESCRIPTION,
    EMPTY_PROMPT,
    LOW_DECODER,
    TOKENIZER,
    VISION,
    LavitSet,
    open_set,
)  # fmt: skip
from .lmm.lavit.model import TEMPLATE, LavitConfig, LavitLMM
from .lmm.lavit.text import Words, load_text_tokenizer
from .lmm.lora import is_lora
from .model import DRC, DRCConfig
from .tensor_file import read_tensors, require_shapes
from .towers import TowerConfig

ARCHITECTURE = "drc-lavit-1"
WIDTH = 1024  # of towers and fusion, where the language model is as wide or wider
INSTRUCTIONS = 32


def is_set(path: Path) -> bool:
    """Whether a path is the description of a converted set, which stands for its LMM with nothing trained on top."""
    return path.name == DESCRIPTION


def config_over(pretrained: LavitSet) -> DRCConfig:
    """Sizes of a DRC to be trained over a converted set."""
    sizes, words = pretrained.sizes, Words(load_text_tokenizer(pretrained.folder, AGAIN))
    embedding = sizes.language.hidden_size
    width = min(WIDTH, embedding)
    before, after = (tuple(words.encode(text).ids) for text in TEMPLATE)
    grid = sizes.vision.image_size // sizes.vision.patch_size
    return DRCConfig(
        LavitConfig(sizes, before, after),
        TowerConfig(width, 4, 2 * width, grid, merge=1, embedding=embedding, positions=False),
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
    drc.words = Words(load_text_tokenizer(folder, AGAIN))
    fill(lmm.language, *pretrained.language)
    fill(lmm.vision.transformer, folder / VISION)
    fill(lmm.vision.tokenizer, folder / TOKENIZER)
    codebook = lmm.vision.tokenizer.state_dict()["quantize.embedding.weight"].clone()
    lmm.decoder.codebook.load_state_dict({"weight": codebook}, assign=True)
    fill(lmm.decoder.high_resolution, folder / DECODER)
    if lmm.decoder.low_resolution is not None:
        fill(lmm.decoder.low_resolution, folder / LOW_DECODER)
        lmm.decoder.empty_prompt = nn.Parameter(read_empty_prompt(pretrained), requires_grad=False)


def fill(module: nn.Module, *paths: Path) -> None:
    """Gives a module, whose layers may have a LoRA beside them, the weights in files; ValueError for those of another
    model."""
    tensors = {name: tensor for path in paths for name, tensor in read_tensors(path, again=AGAIN).items()}
    state = {name: tensor for name, tensor in module.state_dict().items() if not is_lora(name)}
    published = {name: name.replace(".base.", ".") for name in state}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    expected = {published[name]: tuple(tensor.shape) for name, tensor in state.items()}
    require_shapes(paths[0], "the weights that its lavit.json promises", found, expected, AGAIN)
    module.load_state_dict({name: tensors[published[name]] for name in state}, strict=False, assign=True)


def read_empty_prompt(pretrained: LavitSet) -> torch.Tensor:
    """[1, n, prompt_width]; ValueError for anything else."""
    path, sizes = pretrained.folder / EMPTY_PROMPT, pretrained.sizes.low_resolution
    found = list(read_tensors(path, again=AGAIN).values())
    lengths = [one.shape[1] for one in found if one.ndim == 3 and one.shape[::2] == (1, sizes.prompt_width)]
    if len(found) != 1 or len(lengths) != 1 or not 0 < lengths[0] <= sizes.queries:
        raise ValueError(
            f"{path.name} does not hold the embedding of an empty text, 1 x at most {sizes.queries} x "
            f"{sizes.prompt_width}; {AGAIN}"
        )
    return found[0]


def initialise(drc: DRC) -> None:
    """Towers and fusion as a training begins, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drc.disentangler.initialise(drc.lmm.scale())


def is_own(name: str) -> bool:
    """Whether a weight of DRC belongs in its own file, not in the converted set."""
    return not name.startswith("lmm.") or is_lora(name)
