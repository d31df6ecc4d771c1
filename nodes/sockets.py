"""What travels between the nodes. Every record names the model that made it, so that models cannot be mixed up.

n pictures of history, R rows a picture, K instruction vectors, S streams, T text ids, N codes a picture, width d.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import torch
from torch import Tensor

from . import host
from .errors import told
from .host import io

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

    from ..drc.data.augment import Augmentations
    from ..drc.data.built import Built
    from ..drc.data.folder import ImageFolder
    from ..drc.instruction import InContext, Instruction, Semantics, Style
    from ..drc.model import DRC
    from ..drc.train.config import DataConfig


@dataclasses.dataclass(frozen=True)
class Model:
    """A DRC model whose weights belong to the host, in parts that come to the device when they work."""

    drc: DRC
    vision: ModelPatcher  # pictures -> codes, and codes -> pictures where there is no decoder
    language: ModelPatcher  # code embeddings, next-code logits
    disentangler: ModelPatcher  # towers and fusion
    name: str
    path: Path  # the file that the weights are in
    decoder: ModelPatcher | None = None  # codes -> what a diffusion model is conditioned on
    understanding: ModelPatcher | None = None  # pictures -> what they mean, where codes do not tell it
    lmm_folder: Path | None = None  # the folder of the large model below it
    storage: str = "automatic"  # how Load DRC Model was told to keep the language model of a large one
    graph: bool = False  # whether to record a step of drawing as a CUDA graph
    compiles: bool = False  # whether such a step is compiled before

    @property
    def device(self) -> torch.device:
        return self.vision.load_device

    def get_models(self) -> list[ModelPatcher]:
        """Asked by newer hosts to count the weights behind a node's output."""
        parts = (self.vision, self.language, self.disentangler, self.decoder, self.understanding)
        return [part for part in parts if part is not None]

    @property
    def seeing(self) -> list[ModelPatcher]:
        """The parts that tell from its codes how a picture looks and what it means."""
        return [self.language, *([self.vision, self.understanding] if self.drc.lmm.encodes_meaning else [])]

    def require_own_pictures(self) -> None:
        if not self.drc.lmm.draws_pixels:
            raise ValueError(
                f"model is '{self.name}', which draws through a diffusion model, expected one that draws its pictures "
                "itself; choose such a model in Load DRC Model"
            )

    def require_diffusion(self) -> None:
        if self.drc.lmm.draws_pixels:
            raise self.refused("which draws its pictures itself", "one over LaVIT; choose a converted LaVIT")

    def require_interleaving(self) -> None:
        if not self.drc.lmm.interleaves:
            raise self.refused(
                "which takes no pictures and words in one prompt",
                "a LaVIT or a Janus, or one over it; choose one",
            )

    def refused(self, what: str, expected: str) -> ValueError:
        return ValueError(f"model is '{self.name}', {what}, expected {expected} in Load DRC Model")


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Drawn or tokenised pictures: codes [B, N] int64 on the intermediate device, row by row from the top left, -1
    behind the last of a picture that has fewer."""

    codes: Tensor
    model: str


class Part(NamedTuple):
    """What a part of a record is called in messages, and whether a value is one."""

    expected: str
    holds: Callable[[object], bool]


def tensor(expected: str, dimensions: int, fits: Callable[[Tensor], bool]) -> Part:
    def holds(value: object) -> bool:
        from ..drc.pixels import is_dense

        return isinstance(value, Tensor) and is_dense(value) and value.ndim == dimensions and fits(value)

    return Part(f"{expected} in {dimensions} dimension{'s' * (dimensions > 1)}", holds)


def numbers(dimensions: int) -> Part:
    return tensor(
        "finite numbers", dimensions, lambda value: value.is_floating_point() and bool(value.float().isfinite().all())
    )


def whole_numbers(dimensions: int) -> Part:
    return tensor("whole numbers", dimensions, lambda value: value.dtype in WHOLE)


def marks(dimensions: int) -> Part:
    return tensor("marks", dimensions, lambda value: value.dtype == torch.bool)


def optional(part: Part) -> Part:
    return Part(part.expected, lambda value: value is None or part.holds(value))


WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
TEXT = Part("a text", lambda value: isinstance(value, str))
NUMBER = Part("a number", lambda value: isinstance(value, Real) and not isinstance(value, bool))
FOLDER = Part("a path", lambda value: isinstance(value, Path))
FILLED = Part("a list of pictures", lambda value: isinstance(value, list) and value and None not in value)
THERE = Part("one", lambda value: value is not None)
NETWORK = Part("a network", lambda value: isinstance(value, torch.nn.Module))
PATCHER = Part("weights that belong to the host", host.is_patcher)


@io.comfytype(io_type="DRC_MODEL")
class ModelSocket(io.ComfyTypeIO):
    """`Model`"""

    expected = "the model of Load DRC Model"
    parts: ClassVar = {"drc": NETWORK, "vision": PATCHER, "language": PATCHER, "disentangler": PATCHER, "name": TEXT}

    @staticmethod
    def kinds() -> tuple[type, ...]:
        return (Model,)

    if TYPE_CHECKING:
        Type = Model


@io.comfytype(io_type="DRC_STYLE")
class StyleSocket(io.ComfyTypeIO):
    """`drc.instruction.Style`: rows [n, R, d] and weights [n], float, and codes [n, N] int64, on the intermediate
    device."""

    expected = "the style of StyleTower"
    parts: ClassVar = {
        "rows": numbers(3),
        "weights": numbers(1),
        "model": TEXT,
        "padding_mask": optional(marks(2)),
        "codes": optional(whole_numbers(2)),
    }
    alike = "pictures"  # of which every tensor has a row

    @staticmethod
    def kinds() -> tuple[type, ...]:
        from ..drc.instruction import Style

        return (Style,)

    if TYPE_CHECKING:
        Type = Style


@io.comfytype(io_type="DRC_SEMANTICS")
class SemanticsSocket(io.ComfyTypeIO):
    """`drc.instruction.Semantics`: rows [R, d], float, on the intermediate device."""

    expected = "the semantics of SemanticTower"
    parts: ClassVar = {"rows": numbers(2), "model": TEXT}

    @staticmethod
    def kinds() -> tuple[type, ...]:
        from ..drc.instruction import Semantics

        return (Semantics,)

    if TYPE_CHECKING:
        Type = Semantics


@io.comfytype(io_type="DRC_INSTRUCTION")
class InstructionSocket(io.ComfyTypeIO):
    """`drc.instruction.Instruction`: vectors [S, K, d] float, text ids [S, T] int64, coefficients [S] float32; or
    `InContext`: ids [T] int64. On the intermediate device."""

    expected = "the instruction of ComposeInstruction"
    parts: ClassVar = {
        "vectors": numbers(3),
        "text": whole_numbers(2),
        "coefficients": numbers(1),
        "ids": whole_numbers(1),
        "guidance": NUMBER,
        "model": TEXT,
    }
    alike = "streams"

    @staticmethod
    def kinds() -> tuple[type, ...]:
        from ..drc.instruction import InContext, Instruction

        return Instruction, InContext

    if TYPE_CHECKING:
        Type = Instruction | InContext


@io.comfytype(io_type="DRC_TOKENS")
class TokensSocket(io.ComfyTypeIO):
    """`Tokens`"""

    expected = "the tokens of DRC-LMM-Generate"
    parts: ClassVar = {"codes": whole_numbers(2), "model": TEXT}

    @staticmethod
    def kinds() -> tuple[type, ...]:
        return (Tokens,)

    if TYPE_CHECKING:
        Type = Tokens


@io.comfytype(io_type="DRC_DATASET")
class DatasetSocket(io.ComfyTypeIO):
    """`drc.data.folder.ImageFolder` or `drc.data.built.Built`: names and labels; the pixels stay on disk."""

    expected = "the dataset of Image Dataset"
    parts: ClassVar = {"root": FOLDER, "entries": FILLED, "report": THERE, "pattern": TEXT, "folder": FOLDER}

    @staticmethod
    def kinds() -> tuple[type, ...]:
        from ..drc.data.built import Built
        from ..drc.data.folder import ImageFolder

        return ImageFolder, Built

    if TYPE_CHECKING:
        Type = ImageFolder | Built


@dataclasses.dataclass(frozen=True)
class Triplets:
    """Pictures and how they go together: `dataset` as on a DRC_DATASET socket, `settings` as for a training."""

    dataset: ImageFolder | Built
    settings: DataConfig


@io.comfytype(io_type="DRC_TRIPLETS")
class TripletsSocket(io.ComfyTypeIO):
    """`Triplets`"""

    expected = "the triplets of DRC Triplets"
    parts: ClassVar = {
        "dataset": Part("pictures", lambda value: isinstance(value, DatasetSocket.kinds())),
        "settings": Part("settings", lambda value: isinstance(value, TripletsSocket.settings())),
    }

    @staticmethod
    def kinds() -> tuple[type, ...]:
        return (Triplets,)

    @staticmethod
    def settings() -> type:
        from ..drc.train.config import DataConfig

        return DataConfig

    if TYPE_CHECKING:
        Type = Triplets


@io.comfytype(io_type="DRC_AUGMENTATIONS")
class AugmentationsSocket(io.ComfyTypeIO):
    """`drc.data.augment.Augmentations`"""

    expected = "the augmentations of Augmentations"

    @staticmethod
    def kinds() -> tuple[type, ...]:
        from ..drc.data.augment import Augmentations

        return (Augmentations,)

    if TYPE_CHECKING:
        Type = Augmentations


def record(one: io.Input, value: object):
    """The value at an input of a DRC_* socket; ValueError unless it is what travels there, its parts in place."""
    socket = one.Parent
    if not isinstance(value, socket.kinds()):
        raise ValueError(f"{one.id} is {told(value)}, expected {socket.expected}; connect it")
    names = {part.name for part in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    given = {name: getattr(value, name, None) for name in getattr(socket, "parts", {}) if name in names}
    for name, part in given.items():
        if not socket.parts[name].holds(part):
            raise ValueError(
                f"{one.id} has {told(part)} as {name}, expected {socket.parts[name].expected}; connect "
                f"{socket.expected}"
            )
    counts = {len(part) for part in given.values() if isinstance(part, Tensor)}
    if len(counts) > 1 and hasattr(socket, "alike"):
        raise ValueError(
            f"{one.id} holds tensors for {' and '.join(map(str, sorted(counts)))} {socket.alike}, expected as many in "
            f"each; connect {socket.expected}"
        )
    return value


def usable(model: Model, one: io.Input, value: object):
    """What a model made, in the types that it computes in; any other value as it is. ValueError where it was another
    model than this one, or can have been none."""
    from ..drc.records import check, check_codes

    socket = one.Parent
    if "model" not in getattr(socket, "parts", ()):
        return value
    if value.model != model.drc.hash:
        raise ValueError(
            f"{one.id} was made by another model than '{model.name}' at the input model; "
            "connect the same Load DRC Model to both nodes"
        )
    types = {
        "rows": model.drc.dtype,
        "vectors": model.drc.dtype,
        "weights": torch.float32,
        "coefficients": torch.float32,
    }
    types |= dict.fromkeys(("codes", "text", "ids"), torch.long)
    given = {name: part for name in types if (part := getattr(value, name, None)) is not None}
    value = dataclasses.replace(value, **{name: part.to(types[name]) for name, part in given.items()})
    try:
        if isinstance(value, Tokens):
            check_codes(value.codes, model.drc.lmm, empty=True)  # as a seed may draw it
        else:
            check(value, model.drc)
    except ValueError as error:
        raise ValueError(f"{one.id} {error}; connect {socket.expected}") from error
    return value


def to(record, device: torch.device):
    """The record with its tensors on `device`."""
    tensors = {name: value.to(device) for name, value in vars(record).items() if isinstance(value, Tensor)}
    return dataclasses.replace(record, **tensors)
