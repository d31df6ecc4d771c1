"""A converted LaVIT: one folder below models/drc, whose lavit.json tells what lies in it.

    config.json, tokenizer.model               of the language model, as published
    language-00001-of-00003.safetensors, ...   the language model, with Hugging Face's names
    vision.safetensors                         vision transformer
    tokenizer.safetensors                      selector, merger and codebook
    decoder.safetensors                        token decoder of the high resolution
    low_resolution_decoder.safetensors         token decoder of the low resolution, where it was converted
    empty_prompt.safetensors                   what the low resolution is conditioned on without a picture
    lavit.json                                 written last: a folder without it was not converted to its end

UNet and autoencoder lie in the host's own model folders, for its own loaders.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ... import parsing
from ...files import bytes_of
from ...parsing import brief
from ..llama import LlamaConfig
from .config import DecoderConfig, TokenizerConfig, VisionConfig
from .language import FIRST_CODE
from .text import WORDS

DESCRIPTION = "lavit.json"
FORMAT = 1
AGAIN = "run the conversion again, it writes what is missing"
CONFIG = "config.json"
VISION, TOKENIZER, DECODER = "vision.safetensors", "tokenizer.safetensors", "decoder.safetensors"
LOW_DECODER, EMPTY_PROMPT = "low_resolution_decoder.safetensors", "empty_prompt.safetensors"
LANGUAGE = "language-"  # how the names of its shards begin
LICENCE = (
    "LaVIT community licence and Llama 2 community licence. "
    "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved."
)


@dataclass(frozen=True)
class Sizes:
    """Of all parts; `low_resolution` is None where that was not converted."""

    language: LlamaConfig
    vision: VisionConfig
    tokenizer: TokenizerConfig
    decoder: DecoderConfig
    low_resolution: DecoderConfig | None = None

    def check(self) -> None:
        """ValueError with the rest of a sentence for parts that are not of one model."""
        language, vision, tokenizer = self.language, self.vision, self.tokenizer
        decoders = {"decoder": self.decoder, "low_resolution": self.low_resolution}
        decoders = {name: decoder for name, decoder in decoders.items() if decoder is not None}
        parsing.divides(
            {
                "language.hidden_size": (language.hidden_size, 2 * language.num_attention_heads),
                "language.num_attention_heads": (language.num_attention_heads, language.num_key_value_heads),
                "vision.image_size": (vision.image_size, vision.patch_size),
                "vision.width": (vision.width, vision.heads),
                "tokenizer.width": (tokenizer.width, tokenizer.heads),
                **{f"{name}.width": (decoder.width, decoder.heads) for name, decoder in decoders.items()},
            }
        )
        parsing.agree(
            {
                "language.vocab_size": (language.vocab_size, FIRST_CODE + tokenizer.codes),
                "tokenizer.width": (tokenizer.width, vision.width),
                **{f"{name}.queries": (decoder.queries, vision.patches) for name, decoder in decoders.items()},
                **{f"{name}.code_size": (decoder.code_size, tokenizer.code_size) for name, decoder in decoders.items()},
            }
        )


@dataclass(frozen=True)
class ConvertedFile:
    """A file of the set. `place` is its path below the models folder, with slashes; `sha256` is of all its bytes."""

    place: str
    size: int
    sha256: str
    dtype: str
    purpose: str

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]

    def check(self) -> None:
        """ValueError with the rest of a sentence for a name that leads elsewhere, and for no hash."""
        if self.name in ("", ".", "..") or set(self.name) & set("\\:\0"):
            raise ValueError(f"has the place {brief(repr(self.place))}, expected one of a file below the models folder")
        if len(self.sha256) != 64:
            raise ValueError(f"has the sha256 {brief(repr(self.sha256))}, expected 64 hexadecimal digits")


@dataclass(frozen=True)
class Description:
    """The content of lavit.json."""

    format: int
    licence: str
    sizes: Sizes
    files: tuple[ConvertedFile, ...]


def describe(sizes: Sizes, files: list[ConvertedFile]) -> bytes:
    """The content of lavit.json."""
    return (json.dumps(asdict(Description(FORMAT, LICENCE, sizes, tuple(files))), indent=1) + "\n").encode()


def read_description(path: Path) -> Description:
    """ValueError with one sentence for a lavit.json that does not describe a set."""
    try:
        values = parsing.parse(bytes_of(path, parsing.MOST_BYTES))
        version = values.get("format", FORMAT)
        if version == FORMAT:
            description = parsing.read(Description, values)
            description.sizes.check()
            for file in description.files:
                file.check()
            return description
    except ValueError as error:
        raise ValueError(f"{path} is damaged: it {error}; {AGAIN}") from error
    raise ValueError(
        f"{path} has the format {brief(version)}, but this version of DRC reads {FORMAT}; update DRC or run the "
        "conversion again"
    )


def needed(sizes: Sizes) -> set[str]:
    """Names of the files that a set cannot do without."""
    low = set() if sizes.low_resolution is None else {LOW_DECODER, EMPTY_PROMPT}
    return {WORDS, VISION, TOKENIZER, DECODER} | low
