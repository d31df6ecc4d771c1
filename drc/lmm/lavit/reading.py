"""Filling a LavitLMM with the weights of a converted set."""

from pathlib import Path

import torch
from torch import nn

from ...tensor_file import read_tensors, require_shapes
from ..lora import is_lora
from .converted import AGAIN, DECODER, EMPTY_PROMPT, LOW_DECODER, TOKENIZER, VISION, LavitSet
from .model import LavitLMM


def read_weights(lmm: LavitLMM, pretrained: LavitSet) -> None:
    """Gives an LMM that was built without memory the tensors of the files, in their own types; ValueError for files
    that hold another model."""
    folder = pretrained.folder
    fill(lmm.language, *pretrained.language)
    fill(lmm.vision.transformer, folder / VISION)
    fill(lmm.vision.tokenizer, folder / TOKENIZER)
    codebook = lmm.vision.tokenizer.state_dict()["quantize.embedding.weight"].clone()
    lmm.decoder.codebook.load_state_dict({"weight": codebook}, assign=True)
    fill(lmm.decoder.high_resolution, folder / DECODER)
    if lmm.has_low_resolution:
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
