"""Weights of judges: what a file says of itself is held against what is in it before anything of that size is made."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from ...tensor_file import look, read_plain


def filled(path: Path, build: Callable[[dict[str, str]], nn.Module], what: str) -> nn.Module:
    """`build` makes a network from a file's metadata; it gets the file's weights. ValueError, in one sentence, for a
    file of something else; `what` is the judge."""
    try:
        with torch.device("meta"):
            network = build(look(path).metadata)
        network.load_state_dict(read_plain(path), assign=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, TypeError, KeyError) as error:
        told = " ".join(str(error).split())[:160]
        raise ValueError(
            f"'{path}' holds no weights of the judge {what} that can be read ({told}); make the file anew, or choose "
            "other --judges"
        ) from error
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
