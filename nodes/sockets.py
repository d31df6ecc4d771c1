"""What travels between the nodes. Every record names the model that made it, so that models cannot be mixed up.

n pictures of history, R rows a picture, K instruction vectors, S streams, T text ids, N codes a picture, width d.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

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
    lmm: Path | None = None  # the folder of the large model below it
    storage: str = "automatic"  # how Load DRC Model was told to keep the language model of a large one
    graph: bool = False  # whether to record a step of drawing as a CUDA graph

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


@io.comfytype(io_type="DRC_MODEL")
class ModelSocket(io.ComfyTypeIO):
    """`Model`"""

    expected = "the model of Load DRC Model"

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
    tensors: ClassVar = {"rows": 3, "weights": 1, "codes": 2}
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
    tensors: ClassVar = {"rows": 2}

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
    tensors: ClassVar = {"vectors": 3, "text": 2, "coefficients": 1, "ids": 1}
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
    tensors: ClassVar = {"codes": 2}

    @staticmethod
    def kinds() -> tuple[type, ...]:
        return (Tokens,)

    if TYPE_CHECKING:
        Type = Tokens


@io.comfytype(io_type="DRC_DATASET")
class DatasetSocket(io.ComfyTypeIO):
    """`drc.data.folder.ImageFolder` or `drc.data.built.Built`: names and labels; the pixels stay on disk."""

    expected = "the dataset of Image Dataset"

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

    @staticmethod
    def kinds() -> tuple[type, ...]:
        return (Triplets,)

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


INTEGERS = ("text", "ids", "codes")  # of the tensors that records hold


def record(one: io.Input, value: object):
    """The value at an input of a DRC_* socket; ValueError unless it is what travels there, its numbers in place."""
    socket = one.Parent
    if not isinstance(value, socket.kinds()):
        raise ValueError(f"{one.id} is {told(value)}, expected {socket.expected}; connect it")
    sizes = getattr(socket, "tensors", {})
    tensors = {name: tensor for name in sizes if (tensor := getattr(value, name, None)) is not None}
    for name, tensor in tensors.items():
        if not is_whole(tensor, sizes[name], name in INTEGERS):
            kind = "whole numbers" if name in INTEGERS else "finite numbers"
            raise ValueError(
                f"{one.id} has {name} that are {told(tensor)}, expected {kind} in {sizes[name]} dimensions; connect "
                f"{socket.expected}"
            )
    counts = {len(tensor) for tensor in tensors.values()}
    if len(counts) > 1 and hasattr(socket, "alike"):
        raise ValueError(
            f"{one.id} holds tensors for {' and '.join(map(str, sorted(counts)))} {socket.alike}, expected as many in "
            f"each; connect {socket.expected}"
        )
    return value


def is_whole(tensor: object, dimensions: int, integers: bool) -> bool:
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return False
    kind = not tensor.is_floating_point() and not tensor.is_complex() if integers else tensor.is_floating_point()
    return kind and tensor.ndim == dimensions and bool(tensor.isfinite().all())


def to(record, device: torch.device):
    """The record with its tensors on `device`."""
    tensors = {name: value.to(device) for name, value in vars(record).items() if isinstance(value, Tensor)}
    return dataclasses.replace(record, **tensors)


def made_by(model: Model, **records) -> None:
    """Raises ValueError when a record, named by its input, was made by another model."""
    for name, record in records.items():
        if record is not None and record.model != model.drc.hash:
            raise ValueError(
                f"{name} was made by another model than '{model.name}' at the input model; "
                "connect the same Load DRC Model to both nodes"
            )
        codes = getattr(record, "codes", None)
        if codes is not None and codes.numel() and not -1 <= codes.min() <= codes.max() < model.drc.lmm.codebook_size:
            raise ValueError(
                f"{name} has codes from {codes.min()} to {codes.max()}, expected at most "
                f"{model.drc.lmm.codebook_size - 1}, the last of '{model.name}'; connect what a node of DRC made"
            )
