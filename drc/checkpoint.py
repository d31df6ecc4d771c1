"""One DRC checkpoint is one safetensors file with a header: architecture, sizes, words, stage, step, licence.

That of a model over a pretrained LMM names the converted set that it needs besides; see `drc.pretrained`.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn

from . import pretrained
from .files import file_hash, metadata_of, write_safetensors
from .lmm.lavit.converted import open_set
from .model import DRC, DRCConfig

ARCHITECTURE = "drc-mini-1"
ARCHITECTURES = (ARCHITECTURE, pretrained.ARCHITECTURE)
READ_OUT = "read_out."  # prefix of weights that only training uses


def read_header(path: Path) -> dict[str, str]:
    """What a DRC checkpoint says of itself, or would say over a converted set that `path` describes.

    ValueError with one sentence for anything else.
    """
    if pretrained.is_set(path):
        return pretrained.header_over(open_set(path.parent))
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("drc", "{}"))
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path.name} is not a readable safetensors file ({error}); copy or download it again"
        ) from error
    if header.get("architecture") not in ARCHITECTURES:
        found, expected = header.get("architecture", "no architecture entry"), " or ".join(ARCHITECTURES)
        raise ValueError(
            f"{path.name} is not a DRC model: found {found}, expected {expected}; choose a file saved by DRC"
        )
    return header


def build(header: dict[str, str], operations=nn) -> DRC:
    """An empty model of the architecture that a checkpoint's header describes."""
    words = Tokenizer.from_str(header["words"]) if "words" in header else None
    model = DRC(DRCConfig.from_json(header["config"]), words, operations)
    model.over = {name: header[name] for name in ("lmm", "lmm_name") if name in header}
    model.stage, model.step, model.licence = int(header["stage"]), int(header["step"]), header.get("licence", "")
    return model


def load(path: Path, operations=nn, lmm: Path | None = None) -> DRC:
    """The model in a checkpoint, ready to draw, on the CPU, in float32.

    A pretrained LMM is read from the folder `lmm` in the types that it has there; layers of torch that do not cast want
    them in one type, such as by `model.float()`.
    """
    model = build(read_header(path), operations)
    read_weights(model, path, lmm=lmm)
    return model


def load_own(path: Path) -> DRC:
    """What a checkpoint itself holds, to be saved again; a pretrained LMM below it stays without memory."""
    if pretrained.is_set(path):
        raise ValueError(f"'{path.parent.name}' has nothing trained on top that could be saved; train it first")
    model = build(read_header(path))
    read_own(model, path)
    return model


def read_weights(model: DRC, path: Path, assign: bool = False, lmm: Path | None = None) -> None:
    """Fills `model`, built from the same checkpoint; `assign` takes the file's tensors in place of copying them."""
    model.eval()
    if model.over:
        base = pretrained.set_of(path, model.over, lmm)
        pretrained.read_pretrained(model, base)
        if pretrained.is_set(path):
            pretrained.initialise(model)
            model.hash = base.hash
            return
    read_own(model, path, assign)


def read_own(model: DRC, path: Path, assign: bool = False) -> None:
    """Fills `model` with all that its own file holds."""
    with safe_open(path, "pt") as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name).float() for name in names}
    read_out = [name for name in tensors if name.startswith(READ_OUT)]
    model.read_out = {name[len(READ_OUT) :]: tensors.pop(name) for name in read_out}
    load_weights(model, tensors, path.name, assign)
    model.hash = file_hash(path)


def load_weights(model: DRC, tensors: dict[str, Tensor], name: str, assign: bool = False) -> None:
    expected = {key: tensor.shape for key, tensor in own_state(model).items()}
    missing = [key for key, shape in expected.items() if key not in tensors or tensors[key].shape != shape]
    unexpected = [key for key in tensors if key not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{name} does not hold the weights its header promises ({len(missing)} missing or of another size, "
            f"{len(unexpected)} unexpected, such as {(missing + unexpected)[0]}); save or download it again"
        )
    model.load_state_dict(tensors, strict=False, assign=assign or bool(model.over))


def own_state(model: DRC) -> dict[str, Tensor]:
    """The state dict without what a pretrained LMM brings."""
    return {name: tensor for name, tensor in model.state_dict().items() if not model.over or pretrained.is_own(name)}


def header_of(model: DRC) -> dict[str, str]:
    """What a checkpoint says of itself."""
    words = {} if model.over else {"words": json.dumps(json.loads(model.words.to_str()))}
    return {
        "architecture": pretrained.ARCHITECTURE if model.over else ARCHITECTURE,
        "config": model.config.to_json(),
        "stage": str(model.stage),
        "step": str(model.step),
        "licence": model.licence,
        **words,
        **model.over,
    }


def save(model: DRC, path: Path, half: bool = False) -> None:
    """Writes a checkpoint, in 16 bits if `half`; what only training uses is kept in full checkpoints alone."""
    # Tied weights share memory and channels-last weights are strided; a file takes neither.
    plain = torch.contiguous_format
    tensors = {name: tensor.cpu().clone(memory_format=plain) for name, tensor in own_state(model).items()}
    if half:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    else:
        tensors |= {READ_OUT + name: tensor for name, tensor in model.read_out.items()}
    write_safetensors(tensors, path, metadata_of(header_of(model)))
