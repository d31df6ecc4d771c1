"""Torch's compiler, which fuses what a training computes most of, where a machine has what it needs."""

from collections.abc import Callable

import torch

from ...parsing import brief_error
from ..errors import TrainingError


def compiled(function: Callable, dynamic: bool = False) -> Callable:
    """`function`, compiled when it is called with sizes that are new, or once for all sizes."""
    torch.compiler.reset()  # every model is compiled anew, and without a reset torch does that a few times only
    return torch.compile(function, dynamic=dynamic)


def require_compiler(device: torch.device) -> None:
    """TrainingError where no code can be built for `device`, as without a C++ compiler."""
    try:
        compiled(lambda numbers: numbers.sin() + 1)(torch.zeros(8, device=device))
    except Exception as error:  # torch has many, and no common one
        raise TrainingError(
            f"compile is on, but torch cannot build code on this machine ({brief_error(error)}); install a C++ "
            "compiler, or turn compile off"
        ) from error
