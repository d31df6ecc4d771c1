"""One DRC checkpoint is one safetensors file with a header: architecture, sizes, words, stage, step, licence."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn

from .files import file_hash, metadata_of, write_safetensors
from .model import DRC, DRCConfig

ARCHITECTURE = "drc-mini-1"
READ_OUT = "read_out."  # prefix of weights that only training uses


def read_header(path: Path) -> dict[str, str]:
    """What a DRC checkpoint says of itself; ValueError with one sentence for anything else."""
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("drc", "{}"))
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path.name} is not a readable safetensors file ({error}); copy or download it again"
        ) from error
    if header.get("architecture") != ARCHITECTURE:
        found = header.get("architecture", "no architecture entry")
        raise ValueError(
            f"{path.name} is not a DRC model: found {found}, expected {ARCHITECTURE}; choose a file saved by DRC"
        )
    return header


def build(header: dict[str, str], operations=nn) -> DRC:
    """An empty model of the architecture that a checkpoint's header describes."""
    model = DRC(DRCConfig.from_json(header["config"]), Tokenizer.from_str(header["words"]), operations)
    model.stage, model.step, model.licence = int(header["stage"]), int(header["step"]), header.get("licence", "")
    return model


def load(path: Path, operations=nn) -> DRC:
    """The model in a checkpoint, ready to draw, on the CPU in float32."""
    model = build(read_header(path), operations)
    read_weights(model, path)
    return model


def read_weights(model: DRC, path: Path, assign: bool = False) -> None:
    """Fills `model`, built from the same checkpoint; `assign` takes the file's tensors in place of copying them."""
    with safe_open(path, "pt") as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name).float() for name in names}
    read_out = [name for name in tensors if name.startswith(READ_OUT)]
    model.read_out = {name[len(READ_OUT) :]: tensors.pop(name) for name in read_out}
    load_weights(model, tensors, path.name, assign)
    model.hash = file_hash(path)
    model.eval()


def load_weights(model: DRC, tensors: dict[str, Tensor], name: str, assign: bool = False) -> None:
    expected = {key: tensor.shape for key, tensor in model.state_dict().items()}
    missing = [key for key, shape in expected.items() if key not in tensors or tensors[key].shape != shape]
    unexpected = [key for key in tensors if key not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{name} does not hold the weights its header promises ({len(missing)} missing or of another size, "
            f"{len(unexpected)} unexpected, such as {(missing + unexpected)[0]}); save or download it again"
        )
    model.load_state_dict(tensors, assign=assign)


def header_of(model: DRC) -> dict[str, str]:
    """What a checkpoint says of itself."""
    return {
        "architecture": ARCHITECTURE,
        "config": model.config.to_json(),
        "words": json.dumps(json.loads(model.words.to_str())),
        "stage": str(model.stage),
        "step": str(model.step),
        "licence": model.licence,
    }


def save(model: DRC, path: Path, half: bool = False) -> None:
    """Writes a checkpoint, in 16 bits if `half`; what only training uses is kept in full checkpoints alone."""
    # Tied weights share memory and channels-last weights are strided; a file takes neither.
    plain = torch.contiguous_format
    tensors = {name: tensor.cpu().clone(memory_format=plain) for name, tensor in model.state_dict().items()}
    if half:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    else:
        tensors |= {READ_OUT + name: tensor for name, tensor in model.read_out.items()}
    write_safetensors(tensors, path, metadata_of(header_of(model)))
