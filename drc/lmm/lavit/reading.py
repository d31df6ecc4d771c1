"""A converted LaVIT, opened: its sizes, its words, and its weights into a LavitLMM."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from ...progress import OnPart
from ...tensor_file import read_tensors, require_shapes
from ..fused import fused_weights
from ..lora import is_lora
from .config import DecoderConfig
from .converted import (
    AGAIN,
    DECODER,
    DESCRIPTION,
    EMPTY_PROMPT,
    LANGUAGE,
    LOW_DECODER,
    TOKENIZER,
    VISION,
    ConvertedFile,
    Sizes,
    needed,
    read_description,
)
from .model import TEMPLATE, LavitConfig, LavitLMM
from .text import LavitWords, load_text_tokenizer


@dataclass(frozen=True)
class LavitSet:
    """What lavit.json says: a `drc.lmm.PretrainedSet`. `files` lie in `folder` and are all there; `diffusion` are those
    for the host's loaders."""

    folder: Path
    sizes: Sizes
    files: dict[str, ConvertedFile]
    diffusion: list[ConvertedFile]
    licence: str

    @property
    def language(self) -> list[Path]:
        """The shards of the language model."""
        return [self.folder / name for name in sorted(self.files) if name.startswith(LANGUAGE)]

    @property
    def hash(self) -> str:
        """SHA-256 over all weights: two sets with the same hash are the same model."""
        weights = sorted(file.sha256 for name, file in self.files.items() if name.endswith(".safetensors"))
        return hashlib.sha256("".join(weights).encode()).hexdigest()

    def config(self) -> LavitConfig:
        words = self.words()
        return LavitConfig(self.sizes, *(tuple(words.encode(text)) for text in TEMPLATE))

    def words(self) -> LavitWords:
        return LavitWords(load_text_tokenizer(self.folder, AGAIN))

    def read_weights(self, lmm: LavitLMM, on_part: OnPart | None = None) -> None:
        fill = partial(fill_from, on_part=on_part)
        fill(lmm.language, *self.language)
        fill(lmm.vision.transformer, self.folder / VISION)
        fill(lmm.vision.tokenizer, self.folder / TOKENIZER)
        codebook = lmm.vision.tokenizer.state_dict()["quantize.embedding.weight"].clone()
        lmm.decoder.codebook.load_state_dict({"weight": codebook}, assign=True)
        fill(lmm.decoder.high_resolution, self.folder / DECODER)
        if lmm.has_low_resolution:
            fill(lmm.decoder.low_resolution, self.folder / LOW_DECODER)
            empty_prompt = read_empty_prompt(self.folder / EMPTY_PROMPT, self.sizes.low_resolution)
            lmm.decoder.empty_prompt = nn.Parameter(empty_prompt, requires_grad=False)


def open_set(folder: Path) -> LavitSet:
    """The set in a folder, after a look whether all of its files are there, of their sizes.

    ValueError with one sentence for a folder that is none, or lacks something. Files are not read: their hashes are
    what they were when they were written.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise ValueError(f"{folder} holds no {DESCRIPTION}, so no LaVIT was converted there to its end; {AGAIN}")
    description = read_description(path)
    inside = {file.name: file for file in description.files if file.place.startswith("drc/")}
    for name in needed(description.sizes) - inside.keys():
        raise ValueError(f"{path} does not name {name}, so this LaVIT is not whole; {AGAIN}")
    for name, file in inside.items():
        found = (folder / name).stat().st_size if (folder / name).is_file() else None
        if found != file.size:
            what = "is missing" if found is None else f"has {found} bytes, expected {file.size}"
            raise ValueError(f"{folder / name} {what}, so this LaVIT is not whole; {AGAIN}")
    diffusion = [file for file in description.files if file not in inside.values()]
    return LavitSet(folder, description.sizes, inside, diffusion, description.licence)


def fill_from(module: nn.Module, *paths: Path, on_part: OnPart | None) -> None:
    """Gives a module, whose layers may have a LoRA beside them, the weights in files; ValueError for those of another
    model."""
    found = [read_tensors(path, again=AGAIN, on_part=on_part) for path in paths]
    tensors = {name: tensor for tensors in found for name, tensor in tensors.items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items() if not is_lora(name)}
    require_shapes(paths[0], "the weights that its lavit.json promises", found, expected, AGAIN)
    for name, parts in fused_weights(module).items():
        if on_part is not None:
            on_part()
        tensors[name] = torch.cat([tensors.pop(part) for part in parts])
    module.load_state_dict(tensors, strict=False, assign=True)


def read_empty_prompt(path: Path, sizes: DecoderConfig) -> torch.Tensor:
    """[1, n, prompt_width]; ValueError for anything else."""
    found = list(read_tensors(path, again=AGAIN).values())
    lengths = [one.shape[1] for one in found if one.ndim == 3 and one.shape[::2] == (1, sizes.prompt_width)]
    if len(found) != 1 or len(lengths) != 1 or not 0 < lengths[0] <= sizes.queries:
        raise ValueError(
            f"{path.name} does not hold the embedding of an empty text, 1 x at most {sizes.queries} x "
            f"{sizes.prompt_width}; {AGAIN}"
        )
    return found[0]
