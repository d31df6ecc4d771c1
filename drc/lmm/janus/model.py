"""Janus-Pro as the large multimodal model of DRC: tokeniser, SigLIP and language model behind `drc.lmm.LMM`.

Codes tell how a picture looks, and what SigLIP sees tells what it means (Chen et al., "Janus-Pro", 2025): so the
StyleTower reads the rows of codes, and the SemanticTower what SigLIP sees of the picture that the codes stand for.
That picture is decoded from them, so whatever is kept, cached or trained on is codes alone, with this LMM as with any.

All prompts of a batch are equally long. Where there are fewer words, or none, pads stand, and they are attended to:
that is what Janus-Pro was trained to read as nothing. Text ids are those of its tokeniser plus 1, as 0 stands for no
word.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...instruction import InContext, Instruction
from .. import OnCode, PretrainedSet
from ..frozen import Frozen, FrozenConfig, without_memory
from ..generate import OUTCOMES, Sampling, generate, go_on
from ..llama import Cache, cache_bytes, pass_bytes
from ..lora import add_lora
from ..pictures import ThroughVision
from ..steps import cache_of
from .config import CONFIG, Sizes, is_janus
from .language import JanusLanguage
from .siglip import UnderstandingEncoder
from .tokenizer import AT_ONCE, VisualTokenizer

SAMPLE = 256  # codes whose rows tell how large its numbers are

WordId = Annotated[int, range(2**18)]


@dataclass(frozen=True)
class JanusConfig(FrozenConfig):
    """`before` begins with the id of the beginning, `after` ends with that of an image; `pad` stands for no word."""

    sizes: Sizes
    before: tuple[WordId, ...] = ()
    after: tuple[WordId, ...] = ()
    pad: WordId = 0
    kind: str = "janus"
    variable_length: ClassVar = False
    description: ClassVar = CONFIG

    @property
    def grid(self) -> int:
        return self.sizes.grid

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""
        self.sizes.check()
        vocabulary = self.sizes.language.vocab_size
        for word in (*self.before, *self.after, self.pad):
            if word >= vocabulary:
                raise ValueError(f"has the word {word}, expected one of {vocabulary}")

    @staticmethod
    def is_description(path: Path) -> bool:
        """Every model of transformers has a file of that name."""
        return is_janus(path)

    @staticmethod
    def open_set(folder: Path) -> PretrainedSet:
        """A JanusSet."""
        from .reading import open_set  # which fills what stands below

        return open_set(folder)

    def build(self, operations=nn) -> "JanusLMM":
        """Without memory for the weights, which come with the files."""
        return without_memory(JanusLMM, self, operations)


class JanusLMM(ThroughVision, Frozen):
    """A VisualTokenizer, a JanusLanguage and an UnderstandingEncoder: a `drc.lmm.PixelLMM`, InContextLMM and
    Autoregressive."""

    draws_pixels, interleaves, variable_length, encodes_meaning = True, True, False, True
    title, matrices = "Janus", "model.layers.0.self_attn.o_proj.weight"

    def __init__(self, config: JanusConfig, operations=nn):
        super().__init__()
        self.config = config
        sizes = config.sizes
        self.vision = VisualTokenizer(sizes.tokenizer, sizes.siglip.image_size, operations)
        self.understanding = UnderstandingEncoder(sizes.siglip, config.width, operations)
        self.language = JanusLanguage(sizes.language, sizes.tokenizer, operations)
        if config.lora_rank:
            add_lora(self.language, config.lora_rank, config.lora_alpha, operations)

    @property
    def image_size(self) -> int:
        return self.config.sizes.siglip.image_size

    @property
    def picture_codes(self) -> int:
        return self.config.grid**2

    @property
    def codebook_size(self) -> int:
        return self.config.sizes.tokenizer.codes

    @property
    def text_ids(self) -> int:
        return self.prompt_ids + 1

    @property
    def prompt_lengths(self) -> range:
        return range(1, self.config.sizes.language.max_position_embeddings - self.picture_codes + 1)

    def parts(self) -> dict[str, nn.Module]:
        return {"vision": self.vision, "language": self.language, "understanding": self.understanding}

    def embed(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> what the language model reads of them [..., d]: E of the paper. A blank is a pad."""
        blank = (codes == self.blank_code)[..., None]
        pad = self.words(codes.new_full((), self.config.pad))
        return torch.where(blank, pad, self.language.codes(codes.masked_fill(blank[..., 0], 0)))

    def words(self, ids: Tensor) -> Tensor:
        return self.language.words(ids)

    @torch.no_grad()
    def meaning(self, codes: Tensor) -> Tensor:
        """Codes [..., N] -> what SigLIP sees in the pictures [..., N, d], a row for each patch."""
        pictures = codes.flatten(0, -2) if codes.ndim > 1 else codes[None]
        tokenizer = self.vision or self.decoder_only
        seen = [self.understanding(tokenizer.decode(some)) for some in pictures.split(AT_ONCE)]
        return torch.cat(seen).to(self.language.dtype).view(*codes.shape, -1)

    def prompt(self, text: Tensor, instructions: Tensor) -> Tensor:
        """Text ids [B, T] and instruction vectors [B, K, d] -> embeddings [B, L, d], begin of image last."""

        def fixed(ids: tuple[int, ...]) -> Tensor:
            return self.words(text.new_tensor(ids, dtype=torch.long)).expand(len(text), -1, -1)

        words = self.words(torch.where(text > 0, text - 1, self.config.pad))
        before, after = fixed(self.config.before), fixed(self.config.after)
        self.require_instructions(instructions.shape[1])
        return torch.cat((before, words, instructions.to(words), after), dim=1)

    def places(self, instructions: Tensor) -> Tensor:
        """None [B, 0, d]: its codes have no place but that in the sequence."""
        return instructions[:, :0]

    def follow(self, codes: Tensor, first: int | Tensor, places: Tensor) -> Tensor:
        """Codes [B, n] drawn at first, first + 1, ... -> embeddings [B, n, d] that predict the next ones."""
        return self.language.codes(codes)

    def cache(self, batch: int, length: int, like: Tensor) -> Cache:
        return cache_of(self.language, batch, length, like)

    def logits(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits [B, codes] of the code that follows; with a cache the embeddings follow what it holds."""
        return self.language.logits(embeddings, cache)

    def in_context(self, history: list[Tensor], reference: list[Tensor], words: list[int]) -> Tensor:
        """Ids of words -> ids [T] of one prompt; ValueError for pictures, which Janus reads only to answer in words,
        and for more words than fit."""
        for name, pictures in {"history": history, "reference": reference}.items():
            if pictures:
                raise ValueError(
                    f"{name} is connected, but Janus draws from words alone; disconnect it, or train the towers, which "
                    "read pictures for it"
                )
        ids = (*self.config.before, *(word - 1 for word in words), *self.config.after)
        self.require_room(len(ids), "text takes", "shorten the text")
        return torch.tensor(ids, dtype=torch.long)

    def streams(self, instruction: InContext) -> tuple[Tensor, Tensor]:
        """Ids [S, T] and coefficients [S] of the streams of guidance: u + g (c - u), where u has nothing but pads
        between beginning and image."""
        ids, guidance = instruction.ids, instruction.guidance
        nothing = ids.clone()
        nothing[1:-1] = self.config.pad
        if guidance == 1:
            return ids[None], ids.new_ones(1, dtype=torch.float)
        return torch.stack((ids, nothing)), torch.tensor((guidance, 1 - guidance), device=ids.device)

    @torch.no_grad()
    def draw(
        self,
        instruction: Instruction | InContext,
        seeds: list[int],
        sampling: Sampling,
        on_code: OnCode | None = None,
        graph: bool = False,
        compiles: bool = False,
    ) -> Tensor:
        """Codes [B, N] of one picture per seed; see `drc.lmm.generate`."""
        if isinstance(instruction, Instruction):
            return generate(self, instruction, seeds, sampling, on_code, graph, compiles)
        ids, coefficients = self.streams(instruction)
        prompt = self.words(ids).repeat(len(seeds), 1, 1)  # B * S, L, d
        return go_on(self, prompt, prompt[:, :0], coefficients, seeds, sampling, on_code, graph, compiles)

    def drawing_bytes(self, instruction: Instruction | InContext, pictures: int) -> int:
        """Memory of a whole drawing beside the weights: keys and values, and a pass of all prompts, or the outcomes of
        a few steps."""
        if isinstance(instruction, InContext):
            streams, prompt = 1 + (instruction.guidance != 1), len(instruction.ids)
        else:
            words = len(self.config.before) + len(self.config.after)
            streams = instruction.coefficients.shape[-1]
            prompt = instruction.text.shape[-1] + instruction.vectors.shape[-2] + words
        dtype = self.language.dtype or self.language.model.norm.weight.dtype
        config, sequences = self.language.config, streams * pictures
        cache = cache_bytes(config, sequences, prompt + self.picture_codes, dtype)
        outcomes = OUTCOMES * pictures * self.codebook_size * 4
        return cache + max(pass_bytes(config, sequences * prompt, dtype), outcomes)

    def compute_in(self, dtype: torch.dtype) -> None:
        """The type of the matrix products of the language model, for layers that cast their weights. Tokeniser and
        SigLIP look in float32."""
        self.language.dtype = dtype

    def learn(self, parts: str, rank: int, alpha: float, precision: torch.dtype) -> None:
        """Freezes all but a LoRA, which is made where there is none; what is frozen is kept in `precision`."""
        super().learn(parts, rank, alpha, precision)
        self.understanding.to(precision)

    def drop_vision(self) -> None:
        """Forgets what only pictures need; what they mean is still seen, through a tokeniser that only decodes."""
        self.decoder_only = copy.deepcopy(self.vision)
        self.decoder_only.encoder = self.vision = None

    def code_table(self) -> Tensor:
        """What the language model reads of every code."""
        return self.language.codes(torch.arange(self.codebook_size, device=self.language.model.norm.weight.device))

    def embedding_scale(self) -> float:
        step = max(1, self.codebook_size // SAMPLE)
        return self.embed(torch.arange(0, self.codebook_size, step)).detach().float().std().item()

    def token_losses(self, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes [B, N] when the language model is fed `fed` codes [B, N]."""
        return self.losses(text, instructions, fed, target).mean(dim=1)

    def log_likelihoods(self, text: Tensor, instructions: Tensor, codes: Tensor) -> Tensor:
        """[B, N] in nats, of each of the codes [B, N]."""
        return -self.losses(text, instructions, codes, codes)

    def losses(self, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy [B, N] of each of the codes."""
        prompt, codes = self.prompt(text, instructions), self.embed(fed[:, :-1])
        hidden = self.language.hidden(torch.cat((prompt, codes.to(prompt)), dim=1))[:, -fed.shape[1] :]
        logits = self.language.lm_head(hidden)
        return F.cross_entropy(logits.float().transpose(1, 2), target, reduction="none")
