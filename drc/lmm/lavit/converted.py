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

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..llama import LlamaConfig
from .config import DecoderConfig, TokenizerConfig, VisionConfig

DESCRIPTION = "lavit.json"
FORMAT = 1
WORDS, CONFIG = "tokenizer.model", "config.json"
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

    @classmethod
    def of(cls, values: dict) -> "Sizes":
        """From the values of `dataclasses.asdict`, as JSON keeps them; KeyError or TypeError where one is amiss."""
        statistics = {name: tuple(values["vision"][name]) for name in ("image_mean", "image_std")}
        low = values["low_resolution"]
        return cls(
            LlamaConfig(**values["language"]),
            VisionConfig(**values["vision"] | statistics),
            TokenizerConfig(**values["tokenizer"]),
            DecoderConfig(**values["decoder"]),
            None if low is None else DecoderConfig(**low),
        )


@dataclass(frozen=True)
class ConvertedFile:
    """A file of the set. `place` is its path below the models folder, with slashes; `sha256` is of all its bytes."""

    place: str
    size: int
    sha256: str
    dtype: str
    purpose: str


@dataclass(frozen=True)
class LavitSet:
    """What lavit.json says. `files` lie in `folder` and are all there; `diffusion` are those for the host's loaders."""

    folder: Path
    sizes: Sizes
    files: dict[str, ConvertedFile]
    diffusion: list[ConvertedFile]
    licence: str

    @property
    def language(self) -> list[Path]:
        """The shards of the language model."""
        return [self.folder / name for name in sorted(self.files) if name.startswith(LANGUAGE)]

    @property
    def hash(self) -> str:
        """SHA-256 over all weights: two sets with the same hash are the same model."""
        weights = sorted(file.sha256 for name, file in self.files.items() if name.endswith(".safetensors"))
        return hashlib.sha256("".join(weights).encode()).hexdigest()


def describe(sizes: Sizes, files: list[ConvertedFile]) -> bytes:
    """The content of lavit.json."""
    description = {
        "format": FORMAT,
        "licence": LICENCE,
        "sizes": asdict(sizes),
        "files": [asdict(file) for file in files],
    }
    return (json.dumps(description, indent=1) + "\n").encode()


def open_set(folder: Path) -> LavitSet:
    """The set in a folder, after a look whether all of its files are there, of their sizes.

    ValueError with one sentence for a folder that is none, or lacks something. Files are not read: their hashes are
    what they were when they were written.
    """
    again = "run the conversion again, it writes what is missing"
    path = folder / DESCRIPTION
    if not path.is_file():
        raise ValueError(f"{folder} holds no {DESCRIPTION}, so no LaVIT was converted there to its end; {again}")
    try:
        description = json.loads(path.read_text("utf-8"))
        if description["format"] != FORMAT:
            raise ValueError(
                f"{path} has the format {description['format']}, but this version of DRC reads {FORMAT}; "
                "update DRC or run the conversion again"
            )
        sizes, licence = Sizes.of(description["sizes"]), description["licence"]
        files = [ConvertedFile(**file) for file in description["files"]]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); {again}") from error
    inside = {Path(file.place).name: file for file in files if file.place.startswith("drc/")}
    for name, file in inside.items():
        found = (folder / name).stat().st_size if (folder / name).is_file() else None
        if found != file.size:
            what = "is missing" if found is None else f"has {found} bytes, expected {file.size}"
            raise ValueError(f"{folder / name} {what}, so this LaVIT is not whole; {again}")
    return LavitSet(folder, sizes, inside, [file for file in files if file not in inside.values()], licence)
