"""LaVIT-7B-v2 as the large multimodal model of DRC: vision, language model and token decoder behind `drc.lmm.LMM`.

A picture has as many codes as it needs. In tensors it is filled up with PADDING to the most that a picture can have.
Text ids are those of LLaMA; 0, which its tokenizer never gives, stands for no word.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ...instruction import InContext, Instruction
from ...pixels import from_image, from_pixels, laid_on_white, rounded, square
from ...seeds import generator_from
from .. import Condition, OnCode, PretrainedSet
from ..frozen import Frozen, FrozenConfig, without_memory
from ..generate import Sampling
from ..lora import add_lora
from ..pictures import MEMORY_PER_PIXEL
from .conditioning import high_resolution, low_resolution
from .converted import DESCRIPTION, Sizes
from .decoder import HighResolutionDecoder, LowResolutionDecoder
from .language import (
    FIRST_CODE,
    IMAGE_END,
    IMAGE_START,
    LavitLanguage,
    Stream,
    code_ids,
    draw_codes,
    drawing_bytes,
    guided,
)
from .preprocess import normalize, resize, to_picture
from .tokenizer import VisualTokenizer
from .vision import VisionTransformer

LEAST_CODES = 20  # of a drawn picture, as LaVIT has it
PADDING = -1  # in place of a code where a picture has no more
TEMPLATE = ("The style of a person and the meaning of a picture", "The picture that this person would draw")
"""Our words around the text and the instruction vectors; the paper's are not known (METHOD.md, 7)."""

WordId = Annotated[int, range(IMAGE_START)]


@dataclass(frozen=True)
class LavitConfig(FrozenConfig):
    sizes: Sizes
    before: tuple[WordId, ...] = ()
    after: tuple[WordId, ...] = ()
    kind: str = "lavit"
    variable_length: ClassVar = True
    description: ClassVar = DESCRIPTION

    @property
    def grid(self) -> int:
        return self.sizes.vision.image_size // self.sizes.vision.patch_size

    def check(self) -> None:
        """ValueError with the rest of a sentence for sizes that do not fit each other."""
        self.sizes.check()

    @staticmethod
    def is_description(path: Path) -> bool:
        """A conversion writes it last."""
        return True

    @staticmethod
    def open_set(folder: Path) -> PretrainedSet:
        """A LavitSet."""
        from .reading import open_set  # which fills what stands below

        return open_set(folder)

    def build(self, operations=nn) -> "LavitLMM":
        """Without memory for the weights, which come with the files."""
        return without_memory(LavitLMM, self, operations)


class LavitVision(nn.Module):
    """Pictures -> codes."""

    def __init__(self, config: LavitConfig, operations=nn):
        super().__init__()
        self.config = config.sizes.vision
        self.transformer = VisionTransformer(config.sizes.vision, operations)
        self.tokenizer = VisualTokenizer(config.sizes.tokenizer, operations)
        self.picture_codes, self.codebook_size = self.config.patches, config.sizes.tokenizer.codes
        self.dtype = torch.float32  # that the matrix products compute in

    @property
    def image_size(self) -> int:
        return self.config.image_size

    def memory(self, pictures: int) -> int:
        """Bytes that so many pictures take on their way, beside the weights."""
        return pictures * self.image_size**2 * MEMORY_PER_PIXEL

    def encode(self, images: Tensor, seeds: list[int] | None = None) -> Tensor:
        """Pictures [B, 3, size, size] in 0..1 -> codes [B, N], PADDING behind the last.

        One seed for each picture draws which patches are kept, as the original does; without them the likelier happens.
        """
        generators = None if seeds is None else [generator_from(seed) for seed in seeds]
        images = normalize(rounded(images), self.config).to(self.dtype)  # the original resizes to 8 bits
        codes = self.tokenizer(self.transformer(images)[:, 1:], generators, self.dtype)
        return filled(codes, self.config.patches)


class LavitDecoder(nn.Module):
    """Codes -> what the diffusion model is conditioned on."""

    def __init__(self, config: LavitConfig, operations=nn):
        super().__init__()
        sizes = config.sizes
        self.codebook = operations.Embedding(sizes.tokenizer.codes, sizes.tokenizer.code_size)
        self.high_resolution = HighResolutionDecoder(sizes.decoder, operations)
        self.low_resolution = None
        if sizes.low_resolution is not None:
            self.low_resolution = LowResolutionDecoder(sizes.low_resolution, operations)
            self.empty_prompt = nn.Parameter(torch.zeros(1, 0, sizes.low_resolution.prompt_width))
        self.dtype = torch.float32

    def condition(self, codes: Tensor, low: bool = False) -> tuple[Condition, Condition]:
        """Codes [B, N] -> positive and negative condition of the high resolution (SDXL), or of the low one (Stable
        Diffusion 1.5); ValueError for a picture without codes."""
        vectors = [self.codebook(picture[picture >= 0]).to(self.dtype) for picture in codes]
        if low:
            return low_resolution(self.low_resolution, vectors, self.empty_prompt.to(vectors[0]))
        return high_resolution(self.high_resolution, vectors)


class LavitLMM(Frozen):
    """A LavitVision, a LavitLanguage and a LavitDecoder: a `drc.lmm.DiffusionLMM` and InContextLMM."""

    draws_pixels, interleaves, variable_length, encodes_meaning = False, True, True, False
    title = "LaVIT"

    def __init__(self, config: LavitConfig, operations=nn):
        super().__init__()
        self.config = config
        self.vision = LavitVision(config, operations)
        self.language = LavitLanguage(config.sizes.language, operations)
        if config.lora_rank:
            add_lora(self.language, config.lora_rank, config.lora_alpha, operations)
        self.decoder = LavitDecoder(config, operations)

    @property
    def image_size(self) -> int:
        return self.config.sizes.vision.image_size

    @property
    def picture_codes(self) -> int:
        return self.config.sizes.vision.patches

    @property
    def codebook_size(self) -> int:
        return self.config.sizes.tokenizer.codes

    @property
    def text_ids(self) -> int:
        return IMAGE_START

    @property
    def prompt_lengths(self) -> range:
        return range(self.config.sizes.language.max_position_embeddings - self.picture_codes)  # and the image start

    @property
    def has_low_resolution(self) -> bool:
        return self.config.sizes.low_resolution is not None

    def parts(self) -> dict[str, nn.Module]:
        return {"vision": self.vision, "language": self.language, "decoder": self.decoder}

    def prepare(self, image: Tensor, name: str, original: bool = False) -> Tensor:
        """A picture [H, W, 3 or 4] in 0..1 -> [3, size, size]; ValueError, which calls it `name`, for what is none.

        It is centred on the colour of its own border, or squeezed into the square, as the `original` does. Either way
        it is resized as the original resizes: on 8 bits, on which its codes depend.
        """
        longest = max(image.shape[:2])
        whole = from_image(laid_on_white(image, name)) if original else square(image, longest, name)
        return from_pixels(resize(to_picture(whole), self.image_size))

    def tokenize(self, images: Tensor, seeds: list[int] | None = None) -> Tensor:
        """Pictures [B, 3, size, size] in 0..1 -> codes [B, N], see `LavitVision.encode`."""
        return self.vision.encode(images, seeds)

    def embed(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> their rows of the language model's input table [..., d]: E of the paper.

        A blank is the row of the unknown word, and so is what stands where there is no code.
        """
        ids = torch.where((codes < 0) | (codes == self.blank_code), 0, code_ids(codes))
        return self.language.embed(ids)

    def meaning(self, codes: Tensor) -> Tensor:
        """The rows of `embed`."""
        return self.embed(codes)

    def prompt(self, text: Tensor, vectors: Tensor) -> Tensor:
        """Text ids [T] and instruction vectors [K, d] -> embeddings, image start last."""

        def words(ids: tuple[int, ...]) -> Tensor:
            return text.new_tensor(ids, dtype=torch.long)

        before = self.language.embed(torch.cat((words(self.config.before), text[text > 0])))
        after = self.language.embed(torch.cat((words(self.config.after), words((IMAGE_START,)))))
        return torch.cat((before, vectors.to(before), after))

    def in_context(self, history: list[Tensor], reference: list[Tensor], words: list[int]) -> Tensor:
        """Codes [1, N] of pictures and ids of words -> ids [T] of one prompt, in this order.

        ValueError, which says how many pictures fit, where they are more than the language model has positions for.
        """
        parts = [code_ids(codes[codes >= 0]) for codes in (*history, *reference)]
        lengths = torch.tensor([len(part) for part in parts])
        room = self.prompt_lengths.stop - 1
        rest = len(words) + int(lengths[len(history) :].sum())
        if rest > room:
            raise ValueError(
                f"text and reference take {rest} tokens, but this language model has room for {room} beside the "
                "picture that it draws; shorten the text"
            )
        fit = int((lengths[: len(history)].cumsum(0) <= room - rest).sum())
        if fit < len(history):
            raise ValueError(
                f"history has {len(history)} pictures, but only {fit} fit beside the rest into what this language "
                "model reads; leave some out, or shorten the text"
            )
        return torch.cat((*parts, torch.tensor(words, dtype=torch.long, device=parts[0].device if parts else None)))

    def streams(self, instruction: Instruction | InContext) -> list[Stream]:
        """Coefficient and prompt of every stream of the guidance."""
        if isinstance(instruction, InContext):
            return guided(self.language, [self.language.prompt([instruction.ids])], instruction.guidance)
        prompts = map(self.prompt, instruction.text, instruction.vectors)
        return [(float(one), [prompt]) for one, prompt in zip(instruction.coefficients, prompts, strict=True)]

    def draw(
        self,
        instruction: Instruction | InContext,
        seeds: list[int],
        sampling: Sampling,
        on_code: OnCode | None = None,
        graph: bool = False,
        compiles: bool = False,
    ) -> Tensor:
        """Codes [B, N] of one picture per seed, PADDING behind the last; see `draw_codes`. One instruction for all."""
        streams = self.streams(instruction)
        least = min(LEAST_CODES, self.picture_codes)
        codes = draw_codes(self.language, streams, seeds, sampling, self.picture_codes, least, on_code, graph, compiles)
        return filled(codes, self.picture_codes)

    def condition(self, codes: Tensor, low: bool = False) -> tuple[Condition, Condition]:
        """Codes [B, N] -> positive and negative condition, see `LavitDecoder.condition`."""
        return self.decoder.condition(codes, low)

    def compute_in(self, dtype: torch.dtype) -> None:
        """The type of the matrix products of language model and decoder, for layers that cast their weights.

        Pictures are looked at in float32, as a code is the nearest of many directions.
        """
        self.language.dtype = self.decoder.dtype = dtype

    def drop_vision(self) -> None:
        """Forgets what only pictures need."""
        self.vision = self.decoder = None

    def code_table(self) -> Tensor:
        return self.language.model.embed_tokens.weight[FIRST_CODE:]

    def embedding_scale(self) -> float:
        return self.code_table().detach().float().std().item()

    def drawing_bytes(self, instruction: InContext | Instruction, pictures: int) -> int:
        """Memory of a whole drawing beside the weights."""
        if isinstance(instruction, InContext):
            prompts = [len(instruction.ids) + 1] + [1] * (instruction.guidance != 1)
        else:
            words = len(self.config.before) + len(self.config.after) + 1
            prompt = instruction.text.shape[1] + instruction.vectors.shape[1] + words
            prompts = [prompt] * len(instruction.coefficients)
        return drawing_bytes(self.language, prompts, pictures, self.picture_codes)

    def token_losses(self, text: Tensor, instructions: Tensor, fed: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy [B] of target codes [B, N] and of the image end behind them, when the language model is
        fed `fed` [B, N]."""
        prompts = [self.prompt(*one) for one in zip(text, instructions, strict=True)]
        counts = (target >= 0).sum(dim=1)
        inputs = [torch.cat((prompt, self.embed(row[:n]))) for prompt, row, n in zip(prompts, fed, counts, strict=True)]
        hidden = self.language.hidden(pad_sequence(inputs, batch_first=True))  # what is padded is never looked at
        losses = []
        for prompt, row, codes, n in zip(prompts, hidden, target, counts, strict=True):
            first = len(prompt) - 1
            outcomes = F.pad(codes[:n] + FIRST_CODE - IMAGE_END, (0, 1))  # outcome 0 is the image end
            losses.append(F.cross_entropy(self.language.logits(row[first : first + n + 1]), outcomes))
        return torch.stack(losses)


def filled(codes: list[Tensor], length: int) -> Tensor:
    """Codes of every picture [n] -> [B, length]."""
    return torch.stack([F.pad(picture, (0, length - len(picture)), value=PADDING) for picture in codes])
