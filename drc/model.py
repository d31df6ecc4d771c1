"""DRC: a large multimodal model, the two towers and the fusion network. One checkpoint is one safetensors file."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn

from .fusion import FusionConfig, FusionNetwork, plane
from .instruction import Instruction, Semantics, Style, streams
from .lmm.mini.model import MiniConfig, MiniLMM
from .lmm.mini.text import encode_text
from .lmm.mini.tokenizer import TokenizerConfig
from .towers import Rows, SemanticTower, StyleTower, TowerConfig

ARCHITECTURE = "drc-mini-1"


@dataclass(frozen=True)
class DRCConfig:
    lmm: MiniConfig = field(default_factory=MiniConfig)
    tower: TowerConfig = field(default_factory=TowerConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "DRCConfig":
        values = json.loads(text)
        lmm = values["lmm"] | {"vision": TokenizerConfig(**values["lmm"]["vision"])}
        return cls(MiniConfig(**lmm), TowerConfig(**values["tower"]), FusionConfig(**values["fusion"]))


class Disentangler(nn.Module):
    """The trained heart of DRC: both towers, the rows they read, and the fusion network."""

    def __init__(self, config: DRCConfig, operations=nn):
        super().__init__()
        self.rows = Rows(config.tower, operations)
        self.style_tower = StyleTower(config.tower, operations)
        self.semantic_tower = SemanticTower(config.tower, operations)
        self.fusion = FusionNetwork(config.fusion, operations)

    def style(self, embeddings: Tensor, weights: Tensor) -> Tensor:
        """Code embeddings of histories [B, n, N, d] and weights [n] -> style rows [B, n, R, d]."""
        rows = self.rows(embeddings)
        return self.style_tower.of_set(rows, self.rows.places(rows), weights)

    def semantics(self, embeddings: Tensor, partners: Tensor) -> Tensor:
        """Code embeddings of references [B, N, d], and of their partners, -> semantic rows [B, R, d]."""
        rows = self.rows(torch.stack((embeddings, partners), dim=1))
        return self.semantic_tower(rows[:, 0], rows[:, 1], self.rows.places(rows))

    def initialise(self) -> None:
        """Start values for training: rows and instruction vectors lie on one plane, and look where they lie."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
            if hasattr(module, "query") and hasattr(module, "key"):
                module.key.weight.data.copy_(module.query.weight)
        config = self.rows.config
        self.rows.place.weight.data.copy_(plane(config.grid // config.merge, config.width))
        fusion = self.fusion
        fusion.queries.weight.data.copy_(plane(round(fusion.config.instructions**0.5), fusion.config.width))
        nn.init.normal_(fusion.types.weight, std=0.3)
        nn.init.normal_(fusion.nothing.weight, std=1.0)
        nn.init.constant_(fusion.norm.weight, 0.3)


class DRC(nn.Module):
    """`lmm` draws, `disentangler` tells it what; `words` reads text. `hash` names the weights on every record."""

    def __init__(self, config: DRCConfig, words: Tokenizer | None = None, operations=nn):
        super().__init__()
        self.config, self.words, self.hash = config, words, ""
        self.lmm = MiniLMM(config.lmm, operations)
        self.disentangler = Disentangler(config, operations)

    def encode_text(self, text: str) -> Tensor:
        """Text -> ids [T]; ValueError when it does not fit."""
        return encode_text(self.words, text, self.config.lmm.text_slots)

    def style(self, codes: Tensor, weights: Tensor) -> Style:
        """Codes of the history [n, N] and weights [n] -> Style."""
        rows = self.disentangler.style(self.lmm.embed(codes)[None], weights)
        return Style(rows[0], weights, self.hash)

    def semantics(self, codes: Tensor) -> Semantics:
        """Codes of the reference [N] -> Semantics; the reference is its own partner (Q7)."""
        embeddings = self.lmm.embed(codes)[None]
        return Semantics(self.disentangler.semantics(embeddings, embeddings)[0], self.hash)

    def compose(
        self,
        style: Style | None,
        semantics: Semantics | None,
        text: str = "",
        style_strength: float = 1.0,
        semantic_strength: float = 1.0,
        semantic_mask: float = 0.0,
    ) -> Instruction:
        """Style and semantics -> one instruction. Text counts as semantics: it comes and goes with them."""
        ids = self.encode_text(text)
        has_semantics = semantics is not None or bool(text.strip())
        chain = streams(style_strength, semantic_strength, style is not None, has_semantics)
        vectors, texts = [], []
        for with_style, with_semantics in chain:
            vectors.append(self.fuse(style if with_style else None, semantics if with_semantics else None, semantic_mask))
            texts.append(ids if with_semantics else torch.zeros_like(ids))
        device = vectors[0].device
        coefficients = torch.tensor(list(chain.values()), device=device)
        return Instruction(torch.cat(vectors), torch.stack(texts).to(device), coefficients, self.hash)

    def fuse(self, style: Style | None, semantics: Semantics | None, semantic_mask: float) -> Tensor:
        """Instruction vectors [1, K, d] of what is given."""
        blank = self.disentangler.rows.place.weight.new_zeros(1, 1, self.config.tower.width)
        hidden = blank.new_full((1, 1), float("-inf"))
        style_rows, style_bias = blank, hidden
        if style is not None:
            style_rows, style_bias = style.rows.flatten(0, 1)[None], style.bias()[None]
        semantic_rows, semantic_bias = blank, hidden
        if semantics is not None:
            semantic_rows = semantics.rows[None]
            semantic_bias = semantics.bias(semantic_mask).to(semantic_rows)[None]
        return self.disentangler.fusion(style_rows, semantic_rows, style_bias, semantic_bias)


def file_hash(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_header(path: Path) -> dict[str, str]:
    """Metadata of a DRC checkpoint; ValueError with one sentence for anything else."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is not a readable safetensors file ({error}); copy or download it again") from error
    if metadata.get("architecture") != ARCHITECTURE:
        found = metadata.get("architecture", "no architecture entry")
        raise ValueError(f"{path.name} is not a DRC model: found {found}, expected {ARCHITECTURE}; choose a file saved by DRC")
    return metadata


def build(metadata: dict[str, str], operations=nn) -> DRC:
    """An empty model of the architecture that a checkpoint's metadata describes."""
    return DRC(DRCConfig.from_json(metadata["config"]), Tokenizer.from_str(metadata["words"]), operations)


def load(path: Path, operations=nn) -> DRC:
    """The model in a checkpoint, ready to draw, on the CPU in float32."""
    metadata = read_header(path)
    model = build(metadata, operations)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    load_weights(model, tensors, path.name)
    model.hash = file_hash(path)
    return model.eval()


def load_weights(model: DRC, tensors: dict[str, Tensor], name: str) -> None:
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if missing or unexpected:
        odd = (missing or unexpected)[0]
        raise ValueError(
            f"{name} does not hold the weights its header promises ({len(missing)} missing, {len(unexpected)} unexpected, "
            f"such as {odd}); save or download it again"
        )
