"""What a training computes in. bfloat16 is the faster only where the machine has it in hardware."""

import torch


def precision_of(name: str, device: torch.device | str) -> torch.dtype:
    """One of `config.PRECISIONS` as a type; automatic is bfloat16 where the device multiplies matrices in it."""
    if name != "automatic":
        return getattr(torch, name)
    device = torch.device(device)
    if device.type == "cpu":
        fast = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()  # torch has no public name for it
    else:
        fast = device.type != "cuda" or torch.cuda.is_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def autocast(device: torch.device | str, precision: torch.dtype) -> torch.autocast:
    """The context that computes in `precision`."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == torch.bfloat16)
