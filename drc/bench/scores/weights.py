"""Networks of others, with their weights from a file that a user has."""

from pathlib import Path

from safetensors import SafetensorError
from torch import nn

from ...tensor_file import read_plain

COUNTER = "num_batches_tracked"  # of a batch norm, which nothing but training reads


def filled(network: nn.Module, path: Path, whose: str, expected: str) -> nn.Module:
    """The network with its weights in a safetensors file, which may hold more. ValueError, in one sentence, for a file
    that is none: it asks for the weights of `whose`, and says what was `expected`."""
    try:
        weights = read_plain(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"'{path}' is no safetensors file that can be read ({error}); give the weights of {whose}"
        ) from error
    wanted = network.state_dict()
    for name, weight in wanted.items():
        if not name.endswith(COUNTER) and (name not in weights or weights[name].shape != weight.shape):
            raise ValueError(
                f"'{path}' has no {name} of the right shape, expected {expected} into one safetensors file"
            )
    network.load_state_dict({name: weights.get(name, weight) for name, weight in wanted.items()})
    return network.eval()
