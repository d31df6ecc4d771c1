"""Sizes of Janus-Pro (Chen et al., "Janus-Pro", 2025); the defaults are those of the published weights.

1B and 7B differ in the language model alone, whose sizes therefore have no defaults.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ... import parsing
from ...files import bytes_of
from ...parsing import Count, Deviation, Epsilon, Size
from ..llama import LlamaConfig

CONFIG = "config.json"
KINDS = ("janus", "multi_modality")  # as transformers and deepseek-ai/Janus call it there
AGAIN = "download the folder again"
GROUPS = 32  # of every group norm of the tokeniser
GROUPED = range(GROUPS, 2**13 + 1, GROUPS)


@dataclass(frozen=True)
class SiglipConfig:
    """The SigLIP-L/16 that sees what a picture means, and how pixels are prepared for it."""

    image_size: Annotated[int, range(2, 4096 + 1)] = 384
    patch_size: Count = 16
    width: Size = 1024
    heads: Count = 16
    feed_forward: Size = 4096
    layers: Count = 24
    layer_norm_eps: Epsilon = 1e-6
    image_mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    image_std: tuple[Deviation, Deviation, Deviation] = (0.5, 0.5, 0.5)

    @property
    def patches(self) -> int:
        """Of a picture."""
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True)
class TokenizerConfig:
    """The convolutional VQ autoencoder between pixels and codes; `multipliers` from the finest level to the coarsest,
    each half as wide as the one before."""

    codes: Annotated[int, range(2, 2**15)] = 16384  # they are kept in 16 bits
    code_size: Size = 8
    latent: Size = 256
    base: Annotated[int, GROUPED] = 128
    multipliers: tuple[Annotated[int, range(1, 64 + 1)], ...] = (1, 1, 2, 2, 4)
    blocks: Count = 2  # of a level of the encoder; the decoder has one more

    @property
    def patch_size(self) -> int:
        """Pixels along a side of what one code stands for."""
        return 2 ** (len(self.multipliers) - 1)


@dataclass(frozen=True)
class Sizes:
    """Of all parts."""

    language: LlamaConfig
    siglip: SiglipConfig = SiglipConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()

    @property
    def grid(self) -> int:
        return self.siglip.image_size // self.siglip.patch_size

    def check(self) -> None:
        """ValueError with the rest of a sentence for parts that are not of one model."""
        language, siglip, tokenizer = self.language, self.siglip, self.tokenizer
        if not 1 <= len(tokenizer.multipliers) <= 8:
            raise ValueError(f"has {len(tokenizer.multipliers)} levels of its tokeniser, expected 1 to 8")
        parsing.divides(
            {
                "language.hidden_size": (language.hidden_size, 2 * language.num_attention_heads),
                "language.num_attention_heads": (language.num_attention_heads, language.num_key_value_heads),
                "siglip.image_size": (siglip.image_size, siglip.patch_size),
                "siglip.width": (siglip.width, siglip.heads),
            }
        )
        parsing.agree({"siglip.patch_size": (siglip.patch_size, tokenizer.patch_size)})
        if language.max_position_embeddings <= siglip.patches:
            raise ValueError(
                f"has max_position_embeddings {language.max_position_embeddings}, expected room for words beside the "
                f"{siglip.patches} codes of a picture"
            )


def said_of(path: Path) -> AbstractContextManager[None]:
    """A ValueError with the rest of a sentence becomes one that names the file and says what to do."""
    return parsing.between(f"{path} ", f"; {AGAIN}")


def settings_in(path: Path) -> dict:
    """What a file of settings beside the weights says; ValueError in one sentence for one that says nothing."""
    with said_of(path):
        return parsing.parse(bytes_of(path, parsing.MOST_BYTES))


def is_janus(path: Path) -> bool:
    """Whether a config.json is that of a Janus."""
    try:
        return settings_in(path).get("model_type") in KINDS
    except ValueError:
        return False
