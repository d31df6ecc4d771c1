"""DRC over a pretrained LMM, LaVIT: its own files hold towers, fusion and LoRA; the rest is read from a converted set.

Sizes of what is trained on top are ours (METHOD.md, 1 to 3).
"""

from pathlib import Path

import torch

from .fusion import FusionConfig
from .lmm.lavit.converted import AGAIN, DESCRIPTION, LavitSet, open_set
from .lmm.lavit.model import TEMPLATE, LavitConfig
from .lmm.lavit.reading import read_weights
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
    drc.words = Words(load_text_tokenizer(pretrained.folder, AGAIN))
    read_weights(drc.lmm, pretrained)


def initialise(drc: DRC) -> None:
    """Towers and fusion as a training begins, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drc.disentangler.initialise(drc.lmm.embedding_scale())


def is_own(name: str) -> bool:
    """Whether a weight of DRC belongs in its own file, not in the converted set."""
    return not name.startswith("lmm.") or is_lora(name)
