"""One DRC checkpoint is one safetensors file with a header: architecture, sizes, words, stage, step, licence, and
the words that it learned where that is known.

That of a model over a pretrained LMM names the files that it needs besides; see `drc.pretrained`.
"""

import re
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from . import pretrained
from .files import file_hash
from .lmm import Words
from .lmm.fused import apart, fused_weights, names_of_parameters
from .lmm.learned import listed, read_learned
from .lmm.registry import LMMS
from .model import DRC, About, DRCConfig
from .parsing import brief
from .progress import OnPart
from .shapes import Shapes, shapes_of
from .tensor_file import (
    AGAIN,
    header_in,
    look,
    metadata_of,
    read_tensors,
    require_floating,
    require_shapes,
    write_safetensors,
)

AUXILIARY_HEAD = "read_out"  # as files call the head that only training uses
OF_AUXILIARY_HEAD = f"{AUXILIARY_HEAD}."  # how the names of its weights begin
PROMISED = "the weights its header promises"
LONGEST = 1000  # letters of a licence or a name


def read_header(path: Path) -> dict[str, str]:
    """What a DRC checkpoint says of itself, or would say over a pretrained LMM that `path` describes.

    All of it is checked: what `build` makes of it has no more numbers than the file. ValueError with one sentence for
    anything else.
    """
    if pretrained.is_set(path):
        return pretrained.header_over(pretrained.set_at(path))
    if path.is_dir():
        description = pretrained.description_in(path)
        instead = f"'{description}', or one that was trained over it" if description else "one of those that lie in it"
        raise ValueError(f"{path} is a folder, expected the file of a DRC model; give {instead}")
    contents = look(path)
    header = header_in(path, contents.metadata)
    if header.get("architecture") not in (known := pretrained.architectures()):
        if pretrained.description_in(path.parent):
            raise ValueError(
                f"{path.name} is a part of the large multimodal model in '{path.parent}'; choose that folder, right in "
                "a folder of models, or a file that was trained over it"
            )
        found, expected = header.get("architecture", "no architecture entry"), " or ".join(known)
        raise ValueError(
            f"{path.name} is not a DRC model: found {brief(found)}, expected {expected}; choose a file saved by DRC"
        )
    try:
        check_header(header)
        config = DRCConfig.from_json(header["config"])
        words_of(header, config)
    except ValueError as error:
        raise ValueError(f"{path.name} does not describe a DRC model: it {error}; {AGAIN}") from error
    require_floating(path, contents.dtypes)
    shapes = {name: shape for name, shape in contents.shapes.items() if not name.startswith(OF_AUXILIARY_HEAD)}
    require_shapes(path, PROMISED, shapes, own_shapes(config))
    return header


def check_header(header: dict[str, str]) -> None:
    """ValueError with the rest of a sentence for entries that are missing or say nothing."""
    has_files = is_pretrained(header)
    needed = {"config", "stage", "step", *(("lmm", "lmm_name") if has_files else ("words",))}
    missing = sorted(needed - header.keys())
    if missing:
        raise ValueError(f"lacks {missing[0]}")
    if ("lmm" in header) != has_files or ("words" in header) == has_files or (has_files and "learned" in header):
        raise ValueError(f"has parts that do not belong to {header['architecture']}")
    for name, expected in {"stage": "[012]", "step": "[0-9]{1,12}", "lmm": "[0-9a-f]{64}"}.items():
        if name in header and not re.fullmatch(expected, header[name]):
            raise ValueError(f"has the {name} {brief(repr(header[name]))}, which is none")
    for name in ("licence", "lmm_name"):
        if len(header.get(name, "")) > LONGEST:
            raise ValueError(f"has {name} of {len(header[name])} letters, expected at most {LONGEST}")
    learned_in(header)


def kind_of(header: dict[str, str]) -> str:
    """That of its LMM."""
    return pretrained.architectures()[header["architecture"]]


def is_pretrained(header: dict[str, str]) -> bool:
    """Whether its LMM has files of its own."""
    return LMMS[kind_of(header)].pretrained


def takes_lmm(path: Path) -> bool:
    """Whether the model in a file was trained over an LMM whose folder is to be given."""
    return not pretrained.is_set(path) and is_pretrained(read_header(path))


def learned_in(header: dict[str, str]) -> frozenset[str] | None:
    """The words that a training taught; None where the file does not say."""
    return read_learned(header["learned"]) if "learned" in header else None


def words_of(header: dict[str, str], config: DRCConfig) -> Words | None:
    """The words of an embedded model; those of a pretrained one lie beside it."""
    if kind_of(header) != config.lmm.kind:
        raise ValueError("has the sizes of another architecture")
    return None if config.lmm.pretrained else config.lmm.read_words(header["words"])


def own_shapes(config: DRCConfig) -> Shapes:
    """Of the weights that the file of such a model holds itself."""
    shapes = shapes_of(DRC, config)
    return {name: shape for name, shape in shapes.items() if not config.lmm.pretrained or pretrained.is_own(name)}


def build(header: dict[str, str], operations=nn) -> DRC:
    """An empty model of the architecture that a checkpoint's header describes, as `read_header` gives it."""
    config = DRCConfig.from_json(header["config"])
    base = {name: header[name] for name in ("lmm", "lmm_name") if name in header}
    licence, learned = header.get("licence", ""), learned_in(header)
    about = About("", int(header["stage"]), int(header["step"]), licence, base, learned=learned)
    return DRC(config, words_of(header, config), operations, about)


def load(path: Path, operations=nn, lmm: Path | None = None) -> DRC:
    """The model in a checkpoint, ready to draw, on the CPU, in float32.

    A pretrained LMM is read from the folder `lmm` in the types that it has there; layers of torch that do not cast want
    them in one type, such as by `model.float()`.
    """
    model = build(read_header(path), operations)
    read_weights(model, path, lmm=lmm)
    return model


def load_to_draw(path: Path, lmm: Path | None = None) -> DRC:
    """The same, all of it in float32. ValueError, before any weight is read, for a model that cannot draw pictures from
    a history: one without towers, or one that leaves pixels to a diffusion model."""
    model = build(read_header(path))
    model.require_pixels()
    model.require_trained_towers()
    read_weights(model, path, lmm=lmm)
    return model.float()


def load_own(path: Path, on_part: OnPart | None = None) -> DRC:
    """What a checkpoint itself holds, to be saved again; a pretrained LMM below it stays without memory. `on_part` is
    called before each tensor and may raise to stop."""
    if pretrained.is_set(path):
        raise ValueError(f"'{path.parent.name}' has nothing trained on top that could be saved; train it first")
    model = build(read_header(path))
    read_own(model, path, on_part=on_part)
    return model


def read_weights(
    model: DRC,
    path: Path,
    assign: bool = False,
    lmm: Path | None = None,
    on_part: OnPart | None = None,
) -> None:
    """Fills `model`, built from the same checkpoint; `assign` takes the file's tensors in place of copying them.
    `on_part` is called before each tensor and may raise to stop."""
    pretrained.require_use(path, model.lmm.pretrained, lmm)
    model.eval()
    if model.lmm.pretrained:
        base = pretrained.set_of(path, model.config.lmm.kind, model.about.base_lmm, lmm)
        pretrained.read_pretrained(model, base, on_part)
        if pretrained.is_set(path):
            pretrained.initialise(model)
            model.about = replace(model.about, hash=base.hash)
            return
    read_own(model, path, assign, on_part)


def read_own(model: DRC, path: Path, assign: bool = False, on_part: OnPart | None = None) -> None:
    """Fills `model` with all that its own file holds."""
    tensors = {name: tensor.float() for name, tensor in read_tensors(path, on_part=on_part).items()}
    kept = [name for name in tensors if name.startswith(OF_AUXILIARY_HEAD)]
    head = {name[len(OF_AUXILIARY_HEAD) :]: tensors.pop(name) for name in kept}
    found, expected = ({name: tuple(one.shape) for name, one in state.items()} for state in (tensors, own_state(model)))
    require_shapes(path, PROMISED, found, expected)
    model.load_state_dict(tensors, strict=False, assign=assign or model.lmm.pretrained)
    model.about = replace(model.about, hash=file_hash(path), auxiliary_head=head)


def own_state(model: DRC) -> dict[str, Tensor]:
    """The state dict without what a pretrained LMM brings, which is not touched: it may be spread over processes."""
    with names_of_parameters(model):
        state = model.state_dict()
    own = {name: one for name, one in state.items() if not model.lmm.pretrained or pretrained.is_own(name)}
    return apart(own, fused_weights(model))


def header_of(model: DRC) -> dict[str, str]:
    """What a checkpoint says of itself."""
    words = {} if model.lmm.pretrained else {"words": model.words.to_json()}
    learned = {} if model.about.learned is None else {"learned": listed(model.about.learned)}
    return {
        "architecture": pretrained.architecture_of(model.config.lmm.kind),
        "config": model.config.to_json(),
        "stage": str(model.stage),
        "step": str(model.about.step),
        "licence": model.about.licence,
        **words,
        **learned,
        **model.about.base_lmm,
    }


def save(model: DRC, path: Path, half: bool = False, on_part: OnPart | None = None) -> None:
    """Writes a checkpoint, in 16 bits if `half`; what only training uses is kept in full checkpoints alone.
    `on_part` is called before each tensor and each piece of the file and may raise to stop."""
    # Tied weights share memory and channels-last weights are strided; a file takes neither.
    plain = torch.contiguous_format
    tensors = {}
    for name, tensor in own_state(model).items():
        if on_part is not None:
            on_part()
        kept = tensor.cpu().clone(memory_format=plain)
        tensors[name] = kept.half() if half else kept
    if not half:
        tensors |= {OF_AUXILIARY_HEAD + name: tensor for name, tensor in model.about.auxiliary_head.items()}
    write_safetensors(tensors, path, metadata_of(header_of(model)), on_part)
