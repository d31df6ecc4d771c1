"""DRC over a pretrained LMM: its own file holds towers, fusion and LoRA; the rest is read from a folder of its own.

Sizes of what is trained on top are ours (METHOD.md, 1 to 3).
"""

from itertools import chain
from pathlib import Path

import torch

from .fusion import FusionConfig
from .lmm import Config, PretrainedSet
from .lmm.lora import is_lora
from .lmm.registry import LMMS
from .model import DRC, DRCConfig
from .progress import OnPart
from .towers import TowerConfig

WIDTH = 1024  # of towers and fusion, where the language model is as wide or wider
INSTRUCTIONS = 32


def descriptions() -> dict[str, str]:
    """The names of files that describe sets, and the kind of LMM of each."""
    return {LMMS[kind].description: kind for kind in LMMS if LMMS[kind].pretrained}


def description_in(folder: Path) -> Path | None:
    """The file that describes the set in a folder, if it holds one."""
    found = ((folder / name, LMMS[kind]) for name, kind in descriptions().items())
    return next((path for path, config in found if path.is_file() and config.is_description(path)), None)


def is_set(path: Path) -> bool:
    """Whether a path is the description of a set, which stands for its LMM with nothing trained on top."""
    return path.name in descriptions()


def set_at(path: Path) -> PretrainedSet:
    """The set of such a description."""
    return LMMS[descriptions()[path.name]].open_set(path.parent)


def architecture_of(kind: str) -> str:
    """What a file calls a DRC over an LMM of that kind."""
    return f"drc-{kind}-1"


def architectures() -> dict[str, str]:
    """All of them, and the kind of each."""
    return {architecture_of(kind): kind for kind in LMMS}


def config_over(pretrained: PretrainedSet) -> DRCConfig:
    """Sizes of a DRC to be trained over it."""
    return config_of_sizes(pretrained.config())


def config_of_sizes(sizes: Config) -> DRCConfig:
    """Of a DRC over an LMM of such sizes."""
    width = min(WIDTH, sizes.width)
    positions = not sizes.variable_length  # codes that may be missing tell no place
    return DRCConfig(
        sizes,
        TowerConfig(width, 4, 2 * width, sizes.grid, merge=1, embedding=sizes.width, positions=positions),
        FusionConfig(width, 8, 4 * width, 2, INSTRUCTIONS, output=sizes.width),
    )


def header_over(pretrained: PretrainedSet) -> dict[str, str]:
    """What a file of a DRC over it would say of itself before any training."""
    config = config_over(pretrained)
    return {
        "architecture": architecture_of(config.lmm.kind),
        "config": config.to_json(),
        "stage": "0",
        "step": "0",
        "licence": pretrained.licence,
        **names_of(pretrained),
    }


def names_of(pretrained: PretrainedSet) -> dict[str, str]:
    return {"lmm": pretrained.hash, "lmm_name": pretrained.folder.name}


def set_of(path: Path, kind: str, header: dict[str, str], folder: Path | None) -> PretrainedSet:
    """The set of that kind that the file at `path` needs: itself, or the one in `folder`.

    ValueError where there is none, or another one.
    """
    if is_set(path):
        return set_at(path)
    name = header["lmm_name"]
    if folder is None:
        raise ValueError(f"{path.name} was trained over '{name}', which was not given; give its folder as lmm")
    require_set_in(folder, LMMS[kind], name)
    pretrained = LMMS[kind].open_set(folder)
    if pretrained.hash != header["lmm"]:
        if folder.absolute().name == name:
            raise ValueError(
                f"{path.name} was trained over '{name}', but the folder of that name, {folder}, holds other weights "
                "now; put its own back there, or give the folder that holds them"
            )
        raise ValueError(
            f"{path.name} was trained over another large multimodal model, '{name}', than the one in {folder}; "
            f"choose the folder of '{name}'"
        )
    return pretrained


def require_use(path: Path, over: bool, folder: Path | None) -> None:
    """ValueError for a `folder` of a set that the model at `path`, which lies `over` one or not, would not read."""
    if folder is None or (over and not is_set(path)):
        return
    if not over:
        raise ValueError(f"lmm is '{folder}', which is not used, as {path.name} holds its whole model; leave lmm out")
    if not (folder.exists() and folder.samefile(path.parent)):
        raise ValueError(
            f"lmm is '{folder}', which is not used, as {path.name} stands for the model in its own folder, "
            f"'{path.parent}'; leave lmm out"
        )


def require_set_in(folder: Path, kind: type[Config], name: str) -> None:
    """ValueError for a folder that does not hold the set called `name`, of a kind; it says which does, where that lies
    a level away or is the snapshot of a download."""
    here = kind.description
    if (folder / here).is_file():
        return
    fault = f"holds no {here}" if folder.is_dir() else "is a file" if folder.is_file() else "is not there"
    above = [folder.parent / here]
    below = chain.from_iterable(map(folder.glob, (f"*/{here}", f"snapshots/*/{here}", f"*/snapshots/*/{here}")))
    near = next((path.parent for path in chain(above, below) if path.is_file() and kind.is_description(path)), None)
    raise ValueError(
        f"lmm is '{folder}', which {fault}, expected the folder of '{name}'; give "
        f"{'the one that holds it' if near is None else repr(str(near))}"
    )


def read_pretrained(drc: DRC, pretrained: PretrainedSet, on_part: OnPart | None = None) -> None:
    """Fills the LMM of `drc`, which was built without memory, with the tensors of the files, in their own types.
    `on_part` is called before each and may raise to stop."""
    drc.words = pretrained.words()
    pretrained.read_weights(drc.lmm, on_part)


def initialise(drc: DRC) -> None:
    """Towers and fusion as a training begins, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drc.disentangler.initialise(drc.lmm.embedding_scale())


def is_own(name: str) -> bool:
    """Whether a weight of DRC belongs in its own file, not in the files of its LMM."""
    return not name.startswith("lmm.") or is_lora(name)
