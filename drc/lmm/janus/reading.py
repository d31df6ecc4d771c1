"""A Janus-Pro as it was downloaded, opened: its sizes, its words, and its weights into a JanusLMM.

    config.json                                sizes, as far as they are written down
    model.safetensors, or shards of it         the weights, in either of the layouts of `layout`
    model.safetensors.index.json               which shards there are, where there are several
    tokenizer.json                             the words
    preprocessor_config.json                   how pixels are prepared for SigLIP

Nothing is converted, and pickles are not read. Sizes are those of the tensors; config.json adds what no shape tells,
and must not contradict them.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod
from pathlib import Path

import torch

from ...parsing import brief
from ...progress import OnPart
from ...shapes import Shapes, shapes_of
from ...tensor_file import look, read_tensors, require_floating, require_shapes, rows_of
from ..fused import fused_weights
from .config import AGAIN, CONFIG, KINDS, Sizes, said_of, settings_in
from .layout import Source, sources
from .model import JanusConfig, JanusLMM
from .sizes import sizes_of
from .stated import pixels_in, require_size
from .text import JanusWords, load_words

INDEX, PIXELS = "model.safetensors.index.json", "preprocessor_config.json"
SHARD = re.compile(r"(.+)-[0-9]{5}-of-([0-9]{5})\.safetensors")
PARTS = {"understanding": "SigLIP", "language": "language model", "vision": "tokeniser"}
DRAWS = {"tokeniser", "generation head"}  # what others of its kind have not
LICENCE = (
    "DeepSeek License Agreement 1.0, Copyright (c) 2023 DeepSeek: commercial use is allowed; the use restrictions of "
    "its Attachment A hold for whatever is made from these weights, and must be passed on with it."
)


@dataclass(frozen=True)
class JanusSet:
    """A `drc.lmm.PretrainedSet`. `sources` says in which file of `folder`, and where in it, each weight of ours is."""

    folder: Path
    sizes: Sizes
    sources: dict[str, tuple[Path, Source]]
    licence: str = LICENCE

    @cached_property
    def hash(self) -> str:
        """SHA-256 over name, shape and the first row of every weight: enough to tell two models apart, whatever files
        they lie in, and a thousandth of what there is to read."""
        digest, wanted = hashlib.sha256(), {}
        for path, source in self.sources.values():
            wanted.setdefault(path, {}).setdefault(source.name, []).append(source.first)
        rows = {path: rows_of(path, names, AGAIN) for path, names in wanted.items()}
        for name, (path, source) in sorted(self.sources.items()):
            row = rows[path][source.name, source.first].flatten()[: prod(source.shape[1:])]
            digest.update(f"{name} {source.shape} {row.dtype}".encode())
            digest.update(row.contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def config(self) -> JanusConfig:
        prompt = self.words().prompt()
        return JanusConfig(self.sizes, prompt.before, prompt.after, pad=prompt.pad)

    def words(self) -> JanusWords:
        return load_words(self.folder, self.sizes.language.vocab_size, AGAIN)

    def read_weights(self, lmm: JanusLMM, on_part: OnPart | None = None) -> None:
        tensors = {}
        for path in dict.fromkeys(path for path, _ in self.sources.values()):
            here = {name: source for name, (at, source) in self.sources.items() if at == path}
            found = read_tensors(path, {source.name for source in here.values()}, AGAIN, on_part)
            for name, source in here.items():
                tensors[name] = found[source.name].view(-1, *source.shape[1:]).narrow(0, source.first, source.shape[0])
        for name, parts in fused_weights(lmm).items():
            if on_part is not None:
                on_part()
            tensors[name] = torch.cat([tensors.pop(part) for part in parts])
        widest = reduce(torch.promote_types, (tensor.dtype for tensor in tensors.values()))
        for name, tensor in tensors.items():  # layers of torch want one type
            if on_part is not None:
                on_part()
            tensors[name] = tensor.to(widest)
        lmm.load_state_dict(tensors, strict=False, assign=True)
        lmm.requires_grad_(False)


def open_set(folder: Path) -> JanusSet:
    """The set in a folder, after a look at what all of its files say of themselves; numbers are not read.

    ValueError with one sentence for a folder that is none, or lacks something.
    """
    settings = settings_in(folder / CONFIG)
    if settings.get("model_type") not in KINDS:
        raise ValueError(
            f"{folder / CONFIG} describes a model of the kind {brief(repr(settings.get('model_type')))}, expected "
            f"{' or '.join(KINDS)}; download Janus-Pro in its place"
        )
    found = published(folder)
    shapes = {name: source.shape for name, (_, source) in found.items()}
    require_whole(folder, shapes)
    prepared = settings_in(folder / PIXELS) if (folder / PIXELS).is_file() else {}
    with said_of(folder / PIXELS):
        pixels = pixels_in(prepared)
    with said_of(folder / CONFIG):
        sizes = sizes_of(shapes, settings, pixels)
    with said_of(folder / PIXELS):
        require_size(prepared, sizes.siglip.image_size)
    expected = shapes_of(JanusLMM, JanusConfig(sizes))
    require_shapes(folder, "a Janus of the sizes of its own weights", shapes, expected, AGAIN)
    return JanusSet(folder, sizes, found)


def published(folder: Path) -> dict[str, tuple[Path, Source]]:
    """Every weight of a folder by its name here: its file, and where it lies in it."""
    found = {}
    for path in shards(folder):
        contents = look(path, AGAIN, str(path))
        for name, shape in contents.shapes.items():
            for ours, source in sources(name, shape).items():
                require_floating(path, {name: contents.dtypes[name]}, AGAIN)
                if ours in found and ours != name:  # what is not renamed is of another model, which is said below
                    raise ValueError(
                        f"{folder} holds {brief(name)} twice, in {found[ours][0].name} and {path.name}; leave only the "
                        "files of one download there"
                    )
                found[ours] = path, source
    return found


def shards(folder: Path) -> list[Path]:
    """The files of weights; ValueError where there is none, or one that the index names is missing."""
    if not (folder / INDEX).is_file():
        paths = sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("."))
        if not paths:
            raise ValueError(
                f"{folder} holds no weights as safetensors; download the folder that has them, such as "
                "deepseek-community/Janus-Pro-1B, as pickles are not read"
            )
        require_shards(folder, [path.name for path in paths])
        return paths
    names = settings_in(folder / INDEX).get("weight_map")
    names = sorted({str(name) for name in names.values()}) if isinstance(names, dict) else []
    for name in names:
        if set(name) & set("/\\:\0") or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise ValueError(f"{folder} lacks {brief(name)}, one of {len(names)} files of weights; {AGAIN}")
    if not names:
        raise ValueError(f"{folder / INDEX} names no files of weights; {AGAIN}")
    return [folder / name for name in names]


def require_shards(folder: Path, names: list[str]) -> None:
    """ValueError where a name says that there are more files than those of `names`, and one is missing."""
    for stem, count in sorted({found.groups() for found in map(SHARD.fullmatch, names) if found}):
        wanted = (f"{stem}-{number:05d}-of-{count}.safetensors" for number in range(1, int(count) + 1))
        if missing := next((name for name in wanted if name not in names), None):
            raise ValueError(f"{folder} lacks {brief(missing)}, one of {int(count)} files of weights; {AGAIN}")


def require_whole(folder: Path, shapes: Shapes) -> None:
    """ValueError for a Janus that lacks a part, and for what is none."""
    held = {PARTS[part] for part in {name.partition(".")[0] for name in shapes} & PARTS.keys()}
    held |= {"generation head"} if "language.lm_head.vision_head.weight" in shapes else set()
    missing = [part for part in (*PARTS.values(), "generation head") if part not in held]
    if not held:
        raise ValueError(f"{folder} holds the weights of another model than Janus; download Janus-Pro in its place")
    if "language model" in held and not held & DRAWS:
        raise ValueError(
            f"{folder} holds a Janus without {', '.join(missing)}, which answers in words or draws in another way; "
            "download Janus-Pro in its place"
        )
    if missing:
        raise ValueError(f"{folder} holds a Janus that is not whole, without {', '.join(missing)}; {AGAIN}")
