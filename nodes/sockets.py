"""What travels between the nodes. Every record names the model that made it, so that models cannot be mixed up.

n pictures of history, R rows a picture, K instruction vectors, S streams, T text ids, N codes a picture, width d.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .host import io

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

    from ..drc.data.augment import Augmentations
    from ..drc.data.benchmark import Benchmark
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
    lmm: Path | None = None  # the folder of the converted LMM below it
    storage: str = "automatic"  # how Load DRC Model was told to keep the language model of a LaVIT
    graph: bool = False  # whether to record a step of drawing as a CUDA graph

    @property
    def device(self) -> torch.device:
        return self.vision.load_device

    def get_models(self) -> list[ModelPatcher]:
        """Asked by newer hosts to count the weights behind a node's output."""
        parts = (self.vision, self.language, self.disentangler, self.decoder)
        return [part for part in parts if part is not None]

    def require_own_pictures(self) -> None:
        if self.decoder is not None:
            raise ValueError(
                f"model is '{self.name}', which draws through a diffusion model, expected one that draws its pictures "
                "itself; choose such a model in Load DRC Model"
            )

    def require_lavit(self) -> None:
        if self.decoder is None:
            raise ValueError(
                f"model is '{self.name}', which draws its pictures itself, expected one over LaVIT; choose a converted "
                "LaVIT in Load DRC Model"
            )


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Drawn or tokenised pictures: codes [B, N] int64 on the intermediate device, row by row from the top left, -1
    behind the last of a picture that has fewer."""

    codes: Tensor
    model: str


@io.comfytype(io_type="DRC_MODEL")
class ModelSocket(io.ComfyTypeIO):
    """`Model`"""

    if TYPE_CHECKING:
        Type = Model


@io.comfytype(io_type="DRC_STYLE")
class StyleSocket(io.ComfyTypeIO):
    """`drc.instruction.Style`: rows [n, R, d] and weights [n], float, on the intermediate device."""

    if TYPE_CHECKING:
        Type = Style


@io.comfytype(io_type="DRC_SEMANTICS")
class SemanticsSocket(io.ComfyTypeIO):
    """`drc.instruction.Semantics`: rows [R, d], float, on the intermediate device."""

    if TYPE_CHECKING:
        Type = Semantics


@io.comfytype(io_type="DRC_INSTRUCTION")
class InstructionSocket(io.ComfyTypeIO):
    """`drc.instruction.Instruction`: vectors [S, K, d] float, text ids [S, T] int64, coefficients [S] float32; or
    `InContext`: ids [T] int64. On the intermediate device."""

    if TYPE_CHECKING:
        Type = Instruction | InContext


@io.comfytype(io_type="DRC_TOKENS")
class TokensSocket(io.ComfyTypeIO):
    """`Tokens`"""

    if TYPE_CHECKING:
        Type = Tokens


@io.comfytype(io_type="DRC_DATASET")
class DatasetSocket(io.ComfyTypeIO):
    """`drc.data.folder.ImageFolder` or `drc.data.benchmark.Benchmark`: names and labels; the pixels stay on disk."""

    if TYPE_CHECKING:
        Type = ImageFolder | Benchmark


@dataclasses.dataclass(frozen=True)
class Triplets:
    """Pictures and how they go together: `dataset` as on a DRC_DATASET socket, `settings` as for a training."""

    dataset: ImageFolder | Benchmark
    settings: DataConfig


@io.comfytype(io_type="DRC_TRIPLETS")
class TripletsSocket(io.ComfyTypeIO):
    """`Triplets`"""

    if TYPE_CHECKING:
        Type = Triplets


@io.comfytype(io_type="DRC_AUGMENTATIONS")
class AugmentationsSocket(io.ComfyTypeIO):
    """`drc.data.augment.Augmentations`"""

    if TYPE_CHECKING:
        Type = Augmentations


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


@contextlib.contextmanager
def errors_of(node: str) -> Iterator[None]:
    """Puts the node's name in front of a sentence about bad input."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{node}: {error}.") from error
