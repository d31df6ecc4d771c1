"""The embedded large multimodal model, small enough to ship and to run on a CPU.

Prompt = text tokens, K instruction vectors, image start; then the codes of the picture follow one after another. Every
input carries the position on the canvas of the code that it predicts next. The instruction vectors lie on the same
canvas, and with `local_conditioning` every input also carries the vector of that position: a model this small takes
very long to find out by attention alone which of the K vectors speaks of the code that it is about to draw.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...instruction import Instruction
from ...parsing import Count, Size, divides, stored_as
from ...positions import POSITION_SCALE, layout, sine_positions
from ...progress import OnPart
from .. import OnCode
from ..code_losses import code_losses
from ..fused import apart, fused_weights, name_apart
from ..generate import OUTCOMES, Sampling, generate
from ..llama import Cache, LlamaConfig, LlamaForCausalLM, cache_bytes, pass_bytes
from ..lora import add_lora, merge_lora
from ..pictures import ThroughVision
from ..steps import cache_of
from .text import WordPieces, read_words
from .tokenizer import TokenizerConfig, VisualTokenizer

# Start values, all of them ours.
INSTRUCTION_SCALE = 0.3  # of the numbers of an instruction vector
MATRIX_SCALE = 0.04  # of matrices; smaller the more layers there are where they lead back into the residual stream
ATTENTION_SCALE = 1.5  # of queries and keys, which begin equal, so that a code attends to its like
TABLE_SCALE, TABLE_OWN, TABLE_SHARED = 0.2, 0.5, 0.87  # of the input table; how much is a code's own, how much its look
NORM_SCALE = 0.2  # of the last norm, as large as the table that the head looks into


@dataclass(frozen=True)
class MiniConfig:
    """A `drc.lmm.EmbeddedConfig`; there are `words` in the vocabulary at most."""

    kind: ClassVar = "mini"
    pretrained: ClassVar = False
    variable_length: ClassVar = False
    vision: TokenizerConfig = field(default_factory=TokenizerConfig)
    words: Size = 1500
    text_slots: Annotated[int, range(1, 1024 + 1)] = 16
    width: Size = 256
    feed_forward: Size = 704
    layers: Count = 5
    heads: Count = 4
    local_conditioning: bool = stored_as("hears_spot", True)

    @property
    def grid(self) -> int:
        return self.vision.grid

    def read_words(self, text: str) -> WordPieces:
        """The words that a file holds as `text`; ValueError with the rest of a sentence for what is none of ours."""
        return read_words(text, self.words)

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""
        divides({"lmm.width": (self.width, 2 * self.heads)})

    def build(self, operations=nn) -> "MiniLMM":
        return MiniLMM(self, operations)

    @property
    def llama(self) -> LlamaConfig:
        vocabulary = self.vision.codes + 2 + self.words  # codes, image start, blank, words
        # A large rotary base: what lies far apart in the prompt may lie on the same spot of the canvas.
        return LlamaConfig(
            vocabulary, self.width, self.feed_forward, self.layers, self.heads, self.heads, rope_theta=1e6
        )


class MiniLMM(ThroughVision, nn.Module):
    """A VisualTokenizer and a LlamaForCausalLM: a `drc.lmm.PixelLMM`, and Autoregressive."""

    pretrained, draws_pixels, interleaves, variable_length, encodes_meaning = False, True, False, False, False

    def __init__(self, config: MiniConfig, operations=nn):
        super().__init__()
        self.config = config
        self.vision = VisualTokenizer(config.vision, operations)
        self.language = LlamaForCausalLM(config.llama, operations, outputs=config.vision.codes)
        self.positions = operations.Embedding(self.picture_codes, config.width)
        name_apart(self, "positions", {"places": self.picture_codes})  # as files call it
        self.head_is_table = False  # while all of it learns
        # Ids of the language model: the codes, and behind them these.
        self.start, self.blank_code, self.first_word = (config.vision.codes + n for n in range(3))

    @property
    def image_size(self) -> int:
        return self.config.vision.image_size

    @property
    def picture_codes(self) -> int:
        return self.config.vision.grid**2

    @property
    def codebook_size(self) -> int:
        return self.config.vision.codes

    @property
    def text_slots(self) -> int:
        return self.config.text_slots

    @property
    def text_ids(self) -> int:
        return self.config.words

    def parts(self) -> dict[str, nn.Module]:
        language = nn.ModuleDict({"language": self.language, "positions": self.positions})
        return {"vision": self.vision, "language": language}

    def embed(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> their rows of the language model's input table [..., d]: E of the paper."""
        return self.language.model.embed_tokens(codes)

    def meaning(self, codes: Tensor) -> Tensor:
        """The rows of `embed`."""
        return self.embed(codes)

    def prompt(self, text: Tensor, instructions: Tensor) -> Tensor:
        """Text ids [B, T] and instruction vectors [B, K, d] -> input embeddings [B, T + K + 1, d]."""
        start = self.embed(torch.full_like(text[:, :1], self.start)) + self.position(0, 1, instructions)
        return torch.cat((self.embed(text + self.first_word), instructions, start), dim=1)

    def places(self, instructions: Tensor) -> Tensor:
        """What is known of all codes of a picture [B, N, d], by instruction vectors [B, K, d]."""
        return self.position(0, self.picture_codes, instructions)

    def follow(self, codes: Tensor, first: int | Tensor, places: Tensor) -> Tensor:
        """Codes [B, n] drawn at first, first + 1, ... -> input embeddings [B, n, d] that predict the next ones, by the
        `places` [B, N, d] of their picture."""
        count = codes.shape[1]
        if isinstance(first, int):
            return self.embed(codes) + places.narrow(1, first + 1, count)
        return self.embed(codes) + places.index_select(1, first + torch.arange(1, count + 1, device=first.device))

    def position(self, first: int, count: int, instructions: Tensor) -> Tensor:
        """What is known of the codes to come: where they lie, and the instruction vector of [B, K, d] there."""
        index = torch.arange(first, first + count, device=instructions.device)
        position = self.positions(index).expand(len(instructions), -1, -1)
        if not self.config.local_conditioning:
            return position
        grid, (rows, columns) = self.config.vision.grid, layout(instructions.shape[1])
        row, column = index // grid * rows // grid, index % grid * columns // grid
        return position + instructions[:, row * columns + column]

    def cache(self, batch: int, length: int, like: Tensor) -> Cache:
        return cache_of(self.language, batch, length, like)

    def logits(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits [B, codes] of the code that follows; with a cache the embeddings follow what it holds."""
        last = self.language.hidden(embeddings, cache)[:, -1]
        head = None if cache is None else cache.head
        return (head or self.language.lm_head)(last)

    def draw(
        self,
        instruction: Instruction,
        seeds: list[int],
        sampling: Sampling,
        on_code: OnCode | None = None,
        graph: bool = False,
        compiles: bool = False,
    ) -> Tensor:
        """Codes [B, N] of one picture per seed; see `generate`."""
        with one_thread():
            return generate(self, instruction, seeds, sampling, on_code, graph, compiles)

    def drawing_bytes(self, instruction: Instruction, pictures: int) -> int:
        """Memory of a whole drawing beside the weights: keys and values, and a pass of all prompts."""
        prompt = instruction.text.shape[1] + instruction.vectors.shape[1] + 1
        sequences, dtype = pictures * len(instruction.coefficients), instruction.vectors.dtype
        outcomes = OUTCOMES * pictures * self.codebook_size * 4
        cache = cache_bytes(self.config.llama, sequences, prompt + self.picture_codes - 1, dtype)
        places = sequences * self.picture_codes * self.config.width * dtype.itemsize
        return cache + places + max(pass_bytes(self.config.llama, sequences * prompt, dtype), outcomes)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Keeps in it what computes in it."""
        self.language.to(dtype)
        self.positions.to(dtype)

    def merge(self, on_part: OnPart | None = None) -> None:
        """A LoRA was merged when its training was saved."""

    def store_in(self, dtype: torch.dtype | None, on_part: OnPart | None = None) -> torch.dtype:
        """As small as it is, it is kept in what it computes in."""
        return self.language.lm_head.weight.dtype

    def token_losses(self, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes [B, N] when the language model is fed `fed` codes [B, N]."""
        hidden = self.hidden(text, instructions, fed).flatten(0, 1)
        return code_losses(hidden, self.code_table(), target.flatten()).view_as(target).mean(dim=1)

    def log_likelihoods(self, text: Tensor, instructions: Tensor, codes: Tensor) -> Tensor:
        """[B, N] in nats, of each of the codes [B, N]."""
        logits = self.language.lm_head(self.hidden(text, instructions, codes))
        return -F.cross_entropy(logits.float().transpose(1, 2), codes, reduction="none")

    def hidden(self, text: Tensor, instructions: Tensor, fed: Tensor) -> Tensor:
        """Last hidden states [B, N, d], each of which predicts the code at its position."""
        prompt, place = self.prompt(text, instructions), self.position(1, fed.shape[1] - 1, instructions)
        codes = self.embed(fed[:, :-1]) + place
        return self.language.hidden(torch.cat((prompt, codes), dim=1))[:, -fed.shape[1] :]

    def code_table(self) -> Tensor:
        return self.language.model.embed_tokens.weight[: self.codebook_size]

    def layers(self) -> Iterable[nn.Module]:
        return self.language.model.layers

    def trainable_parts(self, wished: str) -> str:
        """It was not pretrained, so all of it learns unless told otherwise."""
        return "everything" if wished == "automatic" else wished

    def require_instructions(self, count: int) -> None:
        """Only codes have positions, so a prompt may be as long as it wants."""

    def learn(self, parts: str, rank: int, alpha: float, precision: torch.dtype) -> None:
        """Leaves gradients on where a training may change it, and puts a LoRA there if that is what learns."""
        self.vision.requires_grad_(False)
        self.head_is_table = parts == "everything"
        if self.head_is_table:
            self.tie()
            return
        for part in (self.language, self.positions):
            part.requires_grad_(False)
        if parts == "LoRA":
            add_lora(self.language, rank, alpha)

    def drop_vision(self) -> None:
        """Forgets what only pictures need."""
        self.vision = None

    def exported(self, state: dict[str, Tensor], vision: nn.Module) -> dict[str, Tensor]:
        """The weights of a model that needs no other file."""
        state = merge_lora(state, self)
        if self.head_is_table:
            state["language.lm_head.weight"] = state["language.model.embed_tokens.weight"][: self.codebook_size]
        return state | {f"vision.{name}": tensor for name, tensor in vision.state_dict().items()}

    def embedding_scale(self) -> float:
        return INSTRUCTION_SCALE

    def initialise(self) -> None:
        """Start values for training: tied code tables, positions as sine waves, small residual branches."""
        parameters = apart(dict(self.language.named_parameters()), fused_weights(self.language))
        for name, parameter in parameters.items():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(parameter, std=MATRIX_SCALE / (2 * self.config.layers) ** 0.5)
            elif parameter.ndim > 1:
                nn.init.normal_(parameter, std=MATRIX_SCALE)
            else:
                nn.init.ones_(parameter)
        for layer in self.language.model.layers:  # at first a code attends to its like: its own position
            query, key, _ = layer.self_attn.qkv_proj.weight.data.chunk(3)
            nn.init.normal_(query, std=ATTENTION_SCALE * self.config.width**-0.5)
            key.copy_(query)
        nn.init.normal_(self.language.model.embed_tokens.weight, std=TABLE_SCALE)
        with torch.no_grad():  # codes that look alike start alike
            codebook = nn.functional.normalize(self.vision.codebook.weight, dim=-1)
            mix = torch.randn(codebook.shape[1], self.config.width) * TABLE_SCALE
            self.language.model.embed_tokens.weight[: len(codebook)].mul_(TABLE_OWN).add_(codebook @ mix * TABLE_SHARED)
        nn.init.constant_(self.language.model.norm.weight, NORM_SCALE)
        self.tie()
        self.positions.weight.data.copy_(POSITION_SCALE * sine_positions(self.picture_codes, self.config.width))

    def tie(self) -> None:
        """One table for codes read and codes written while training: the head looks into the table of inputs.

        To be said again when the model has moved to another device.
        """
        table = self.language.model.embed_tokens.weight
        self.language.lm_head.weight = nn.Parameter(table.data[: self.codebook_size], requires_grad=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of the CPU: a step of so small a model is over before threads have met, and where others keep the
    processor busy they wait for each other a hundred times as long as they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
