"""DRC: a large multimodal model, the two towers and the fusion network. One checkpoint is one safetensors file."""

import hashlib
import json
from collections.abc import Callable
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
PICTURES = 16  # embedded at once, so that working memory does not grow with the history


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
        """Start values for training: a copier, which must only learn how the style departs from the reference.

        Every attention looks at the rows that resemble its query, in content and place, and hands on what they hold;
        so an instruction vector begins as what the reference and the history show at its own spot.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        config = self.rows.config
        nn.init.normal_(self.rows.fold.weight, std=2 * self.rows.fold.in_features**-0.5)
        self.rows.place.weight.data.copy_(0.5 * plane(config.grid // config.merge, config.width))
        for tower in (self.style_tower, self.semantic_tower):
            pass_through(tower, sharpness=1.0, share=1.0)
            tower.feed_forward[-1].weight.data.mul_(0.2)
        fusion = self.fusion
        fusion.queries.weight.data.copy_(plane(round(fusion.config.instructions**0.5), fusion.config.width))
        for layer in fusion.layers:
            pass_through(layer.semantics, sharpness=2.2, share=1.0)
            pass_through(layer.style, sharpness=1.8, share=0.5)
            layer.feed_forward[-1].weight.data.mul_(0.15)
        nn.init.normal_(fusion.types.weight, std=0.3)
        nn.init.normal_(fusion.nothing.weight, std=1.0)
        nn.init.constant_(fusion.norm.weight, 0.3)


def pass_through(attention: nn.Module, sharpness: float, share: float) -> None:
    """Start values of a cross-attention that finds its like and adds `share` of it unchanged."""
    attention.query.weight.data.mul_(sharpness)
    attention.key.weight.data.copy_(attention.query.weight)
    nn.init.eye_(attention.value.weight)
    nn.init.eye_(attention.out.weight)
    attention.out.weight.data.mul_(share)


class DRC(nn.Module):
    """`lmm` draws, `disentangler` tells it what; `words` reads text.

    `hash` names the weights on every record; `stage` is 0 in a checkpoint whose towers were never trained.
    """

    def __init__(self, config: DRCConfig, words: Tokenizer | None = None, operations=nn):
        super().__init__()
        self.config, self.words, self.hash, self.stage = config, words, "", 2
        self.lmm = MiniLMM(config.lmm, operations)
        self.disentangler = Disentangler(config, operations)

    def parts(self) -> dict[str, nn.Module]:
        """What works at different times, for a host that moves weights: vision, language, disentangler."""
        language = nn.ModuleDict({"language": self.lmm.language, "places": self.lmm.places})
        return {"vision": self.lmm.vision, "language": language, "disentangler": self.disentangler}

    def encode_text(self, text: str) -> Tensor:
        """Text -> ids [T]; ValueError when it does not fit."""
        return encode_text(self.words, text, self.config.lmm.text_slots)

    def style(self, codes: Tensor, weights: Tensor, on_pictures: Callable[[int], None] | None = None) -> Style:
        """Codes of the history [n, N] and weights [n] -> Style; `on_pictures` is told how many pictures are done."""
        self.require_trained_towers()
        heart = self.disentangler
        rows = torch.cat([heart.rows(self.lmm.embed(some)[None]) for some in codes.split(PICTURES)], dim=1)
        rows = heart.style_tower.of_set(rows, heart.rows.places(rows), weights, on_pictures)
        return Style(rows[0], weights, self.hash)

    def semantics(self, codes: Tensor) -> Semantics:
        """Codes of the reference [N] -> Semantics; the reference is its own partner (Q7)."""
        self.require_trained_towers()
        embeddings = self.lmm.embed(codes)[None]
        return Semantics(self.disentangler.semantics(embeddings, embeddings)[0], self.hash)

    def require_trained_towers(self) -> None:
        if self.stage == 0:
            raise ValueError("the towers of this model were never trained; train them or load a model of stage 1 or 2")

    def compose(
        self,
        style: Style | None,
        semantics: Semantics | None,
        text: str = "",
        style_strength: float = 1.0,
        semantic_strength: float = 1.0,
        semantic_mask: float = 0.0,
        device: torch.device | str = "cpu",
    ) -> Instruction:
        """Style and semantics on `device` -> one instruction. Text counts as semantics: it comes and goes with them."""
        ids = self.encode_text(text).to(device)
        has_semantics = semantics is not None or bool(text.strip())
        chain = streams(style_strength, semantic_strength, style is not None, has_semantics)
        vectors, texts = [], []
        for with_style, with_semantics in chain:
            given = style if with_style else None, semantics if with_semantics else None
            vectors.append(self.fuse(*given, semantic_mask, device))
            texts.append(ids if with_semantics else torch.zeros_like(ids))
        coefficients = torch.tensor(list(chain.values()), device=device)
        return Instruction(torch.cat(vectors), torch.stack(texts), coefficients, self.hash)

    def fuse(
        self, style: Style | None, semantics: Semantics | None, semantic_mask: float, device: torch.device | str
    ) -> Tensor:
        """Instruction vectors [1, K, d] of what is given."""
        # Through the layer, not its weight: a host may keep the weight on another device.
        blank = torch.zeros_like(self.disentangler.rows.place(torch.zeros(1, 1, dtype=torch.long, device=device)))
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


def metadata_of(header: dict[str, str]) -> dict[str, str]:
    """A checkpoint's header as metadata of safetensors, which keeps no order: one entry, so equal files stay equal."""
    return {"drc": json.dumps(header, sort_keys=True)}


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
    model.stage = int(header["stage"])
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
