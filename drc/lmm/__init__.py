"""Large multimodal models behind one interface: all that DRC, its training, the benchmark and the nodes ask of one.

Another LMM is a class that has these members, a Config, Words, and a line in `drc.lmm.registry`. What only some can do
is said by a property, and stands in a protocol of its own:

    Config          the sizes of an LMM; Vision: the part that sees; Words: what it reads text with
    Embedded-       not `pretrained`: Config and Words of one whose weights lie in the file of the DRC
    Pretrained-     `pretrained`: Config and Set of one that has files of its own
    LMM             every one
    PixelLMM        `draws_pixels`: it turns codes into pictures itself
    DiffusionLMM    not `draws_pixels`: a diffusion model of the host draws from its codes
    InContextLMM    `interleaves`: pictures and words in one prompt
    Autoregressive  what the sampling loop that all may share (`drc.lmm.generate`) needs

In all shapes B pictures, N codes of one, d the width of the language model, K instruction vectors, T text ids. Images
are float [B, 3, size, size] in 0..1, codes int64 [B, N] from 0, -1 behind the last of a picture that has fewer than N.
Every module takes `operations`, so that a host can pass its own layers in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from ..progress import OnPart

if TYPE_CHECKING:
    from pathlib import Path

    from ..instruction import InContext, Instruction
    from .generate import Sampling
    from .llama import Cache, LlamaForCausalLM

OnCode = Callable[[int, Tensor], None]
"""Told of every code: how many are drawn, and all codes [B, drawn] so far. It may raise to stop."""


class Config(Protocol):
    """The sizes of an LMM: a frozen dataclass whose fields have type hints that bound them, see `drc.parsing`."""

    kind: str  # a field: its key in LMMS, by which a file says whose sizes it holds; "mini" is written nowhere
    text_slots: int
    pretrained: bool  # see LMM: whether it is a PretrainedConfig, or else an EmbeddedConfig
    variable_length: bool  # see LMM

    @property
    def width(self) -> int:
        """d"""

    @property
    def grid(self) -> int:
        """Codes along one side of a picture, the most there are."""

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""

    def build(self, operations: Any = nn) -> LMM:
        """The LMM, not initialised."""


class EmbeddedConfig(Config, Protocol):
    layers: int  # of the language model
    local_conditioning: bool  # whether each of its inputs carries the instruction vector of its own spot, too

    def read_words(self, text: str) -> EmbeddedWords:
        """The words that a file holds as `text`; ValueError with the rest of a sentence for what is none of such an
        LMM."""


class PretrainedConfig(Config, Protocol):
    lora_rank: int  # of the LoRA beside its language model; 0: none
    lora_alpha: float
    description: str
    """Which of its files stands for the LMM with nothing trained on top."""

    @staticmethod
    def is_description(path: Path) -> bool:
        """Whether the file of that name in a folder is one of such an LMM."""

    @staticmethod
    def open_set(folder: Path) -> PretrainedSet:
        """The files of such an LMM in a folder; ValueError, in one sentence, for a folder that is none, or lacks
        something."""


class Words(Protocol):
    """What an LMM reads text with: a vocabulary, which stays as it is."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text, as many as it takes, none of them 0; no text is no ids. ValueError for one beyond any
        measure."""

    def readable(self, text: str) -> str:
        """The text with blanks in what is too long to be read in one piece."""

    def says_nothing(self, text: str) -> bool:
        """Whether it can name or spell no word of a text, marks apart; not so of no text."""

    def learned(self, texts: Iterable[str]) -> frozenset[str]:
        """What a training on these texts teaches: their words in small letters, but for those that it cannot spell.
        Nothing where any text meant something before."""

    def unknown(self, text: str, learned: frozenset[str] | None = None) -> list[str]:
        """The words of a text, each once, that it cannot spell or that are not `learned`; a list that is empty or not
        there says of no word that it was not learned."""


class EmbeddedWords(Words, Protocol):
    def to_json(self) -> str:
        """As a file holds them, see `EmbeddedConfig.read_words`."""


class Vision(Protocol):
    """The part of an LMM that sees, an nn.Module; codes are kept as int16, so there are at most 32,768."""

    image_size: int
    picture_codes: int  # N
    codebook_size: int

    def encode(self, images: Tensor) -> Tensor:
        """Images -> codes."""

    def decode(self, codes: Tensor) -> Tensor:
        """Codes -> images; of a PixelLMM."""

    def memory(self, pictures: int) -> int:
        """Bytes that so many pictures take at once on their way to codes or back, beside the weights."""


class PretrainedSet(Protocol):
    """The files of an LMM in a folder: known by their names and sizes, but not read."""

    folder: Path
    licence: str

    @property
    def hash(self) -> str:
        """SHA-256 over all weights: sets with the same hash are the same LMM."""

    def config(self) -> PretrainedConfig:
        """Of the LMM of a DRC that is to be trained over it."""

    def words(self) -> Words:
        """Those of its files."""

    def read_weights(self, lmm: LMM, on_part: OnPart | None = None) -> None:
        """Gives an LMM that was built without memory the tensors of the files, in their own types; `on_part` is called
        before each and may raise to stop. ValueError for files that hold another model."""


class LMM(Protocol):
    """Every LMM; an nn.Module."""

    config: Config
    vision: Vision | None  # None once it is dropped

    @property
    def image_size(self) -> int:
        """Pixels along a side of the squares that it reads."""

    @property
    def picture_codes(self) -> int:
        """N, the most codes that a picture has."""

    @property
    def codebook_size(self) -> int:
        """How many codes there are."""

    @property
    def blank_code(self) -> int:
        """What `token_losses` is fed in place of a code that is kept from the language model; no code of a picture."""

    @property
    def text_slots(self) -> int:
        """T, the most text ids of a prompt."""

    @property
    def text_ids(self) -> int:
        """How many ids of text there are; 0 is none."""

    @property
    def pretrained(self) -> bool:
        """Whether it has files of its own, from which its weights and words are read, and learned from pictures and
        texts of all kinds; else the file of the DRC holds both."""

    @property
    def draws_pixels(self) -> bool:
        """Whether it is a PixelLMM, or else a DiffusionLMM."""

    @property
    def interleaves(self) -> bool:
        """Whether it is an InContextLMM."""

    @property
    def variable_length(self) -> bool:
        """Whether pictures have different numbers of codes; then seeds can draw which parts of a picture get one."""

    @property
    def encodes_meaning(self) -> bool:
        """Whether it has an encoder for what a picture means, apart from its codes; else `meaning` is `embed`."""

    def parts(self) -> dict[str, nn.Module]:
        """What works at different times, for a host that moves weights: "vision" and "language", "decoder" where it is
        no part of vision, and where it encodes meaning "understanding", which works on what vision decodes."""

    def prepare(self, image: Tensor, name: str, original: bool = False) -> Tensor:
        """A picture [H, W, 3 or 4] in 0..1 -> [3, size, size], centred on the colour of its own border, or as the
        `original` code of the LMM does it, where that differs. ValueError, which calls it `name`, for what is none."""

    def tokenize(self, images: Tensor, seeds: list[int] | None = None) -> Tensor:
        """Images -> codes. With variable_length one seed for each picture draws which parts get a code; without seeds
        the likelier happens. Other LMMs do not look at them."""

    def embed(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> their rows of the language model's input table [..., d]: E of the paper."""

    def meaning(self, codes: Tensor) -> Tensor:
        """Codes [..., N] of pictures -> what these mean, rows [..., N, d] as wide as those of `embed`: what the
        SemanticTower reads."""

    def draw(
        self,
        instruction: Instruction | InContext,
        seeds: list[int],
        sampling: Sampling,
        on_code: OnCode | None = None,
        graph: bool = False,
        compiles: bool = False,
    ) -> Tensor:
        """Codes of one picture per seed, by one instruction for all. A PixelLMM also takes what `side_by_side` made, so
        that every picture has its own.

        With `graph` a step is one CUDA graph; the whole of its language model must then lie on a CUDA device and stay
        there. With `compiles` that step is compiled first, see `drc.lmm.graph.compiled`.
        """

    def drawing_bytes(self, instruction: Instruction | InContext, pictures: int) -> int:
        """Memory that drawing so many pictures takes beside the weights; its tensors may be on the meta device."""

    def compute_in(self, dtype: torch.dtype) -> None:
        """The type of the language model's matrix products; vision stays in float32, as codes are near ties."""

    def merge(self, on_part: OnPart | None = None) -> None:
        """Makes a LoRA beside a pretrained language model part of it, which then draws the same but for rounding, and
        quicker. `on_part` is called before each layer and may raise to stop."""

    def store_in(self, dtype: torch.dtype | None, on_part: OnPart | None = None) -> torch.dtype:
        """Keeps the matrices of a pretrained language model in `dtype`, or in the type of the files where that is None.
        Returns the type that they have then. `on_part` is called before each and may raise to stop."""

    def token_losses(self, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes when the language model reads text ids [B, T], instruction vectors
        [B, K, d] and `fed` [B, N], the same codes with some of them blank."""

    def code_table(self) -> Tensor:
        """The rows of the input table that stand for codes, [codebook_size, d], with their gradient."""

    def layers(self) -> Iterable[nn.Module]:
        """Those of the language model, from the first to the last, for whoever wraps each of them; their class is
        called Layer, by which a sharded training is told of them."""

    def trainable_parts(self, wished: str) -> str:
        """What is to learn of the language model: "everything", "LoRA" or "frozen", as it is `wished`. For "automatic"
        the LMM chooses. ValueError for a wish that it cannot fulfil."""

    def require_instructions(self, count: int) -> None:
        """ValueError for more instruction vectors than its prompt has room for beside T text ids and the picture."""

    def learn(self, parts: str, rank: int, alpha: float, precision: torch.dtype) -> None:
        """Makes ready for training: only `parts`, as `trainable_parts` gives them, keep their gradients. A LoRA is
        added where one is to learn and none is there; the `config` of a pretrained LMM then says so. What is frozen of
        a pretrained language model is kept in `precision`. The weights of a LoRA have the names of `drc.lmm.lora`, by
        which they are known for what the file of the DRC holds; layers that are put together those of `fused`."""

    def tie(self) -> None:
        """Makes the head and the table of codes one tensor, where everything learns. Moving the weights to another
        device parts them, so it is called again after that."""

    def embedding_scale(self) -> float:
        """How large the numbers of an instruction vector should be at first: as those of the input table."""

    def initialise(self) -> None:
        """Start values for training of all that was not pretrained."""

    def drop_vision(self) -> None:
        """Forgets what only pictures need."""

    def exported(self, state: dict[str, Tensor], vision: nn.Module) -> dict[str, Tensor]:
        """The state dict of the LMM after a training -> the tensors that the file of a DRC holds of it.

        These are all of its weights, with the LoRA merged and the `vision` that was dropped put back. Of an LMM with
        files of its own they are the LoRA alone.
        """


class PixelLMM(LMM, Protocol):
    def detokenize(self, codes: Tensor) -> Tensor:
        """Codes -> images."""

    def preview(self, codes: Tensor) -> Tensor:
        """The codes drawn so far [B, n] -> images, light grey where nothing is drawn yet."""

    def log_likelihoods(self, text: Tensor, instructions: Tensor, codes: Tensor) -> Tensor:
        """Of each of the codes [B, N], after those before it, text ids [B, T] and instruction vectors [B, K, d]:
        [B, N] in nats."""


@dataclass(frozen=True)
class Condition:
    """What a diffusion model is conditioned on: prompt [B, N, d] is what its cross-attention reads, pooled [B, p] goes
    with it where it is told of the whole prompt, too, and mask [B, N] is true for the rows that count."""

    prompt: Tensor
    pooled: Tensor | None = None
    mask: Tensor | None = None


class DiffusionLMM(LMM, Protocol):
    @property
    def has_low_resolution(self) -> bool:
        """Whether there is a condition for the low resolution, too."""

    def condition(self, codes: Tensor, low: bool = False) -> tuple[Condition, Condition]:
        """Codes -> positive and negative condition of the diffusion model of the high resolution, or of the `low` one;
        ValueError for a picture without codes."""


class InContextLMM(LMM, Protocol):
    @property
    def prompt_ids(self) -> int:
        """How many ids there are in prompts, those of words and of codes."""

    @property
    def prompt_lengths(self) -> range:
        """How many ids a prompt may have, beside the picture that it draws."""

    def in_context(self, history: list[Tensor], reference: list[Tensor], words: list[int]) -> Tensor:
        """Codes [1, N] of pictures and ids of words -> ids [length] of one prompt, in this order; ValueError, which
        says how many pictures fit, where they are more than the language model reads."""


class Autoregressive(Protocol):
    """What draws one code after another from embeddings, all pictures of a batch having N codes."""

    language: LlamaForCausalLM  # what the codes go through; it keeps the recording of a step

    @property
    def picture_codes(self) -> int:
        """N"""

    def prompt(self, text: Tensor, instructions: Tensor) -> Tensor:
        """Text ids [B, T] and instruction vectors [B, K, d] -> embeddings [B, L, d] whose last predicts code 0."""

    def places(self, instructions: Tensor) -> Tensor:
        """Instruction vectors [B, K, d] -> what `follow` needs of them, made once for a picture: of its codes to come
        [B, N, d], or nothing [B, 0, d]."""

    def follow(self, codes: Tensor, first: int | Tensor, places: Tensor) -> Tensor:
        """Codes [B, n] drawn at first, first + 1, ... -> the embeddings [B, n, d] that predict the next ones. While a
        step is recorded, `first` is a number on the device, [1]."""

    def cache(self, batch: int, length: int, like: Tensor) -> Cache:
        """A key-value cache for `length` positions on the device and in the dtype of `like`."""

    def logits(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Embeddings [B, n, d] -> logits [B, codebook_size] of the code that follows them."""
