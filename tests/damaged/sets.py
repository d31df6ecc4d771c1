"""Damaged converted LaVITs: lavit.json, the words, the weights of every part, and a DRC trained over one."""

import dataclasses
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from sentencepiece import SentencePieceTrainer

from drc.checkpoint import load
from drc.lmm.lavit.convert import convert
from scripts.lib.tiny_lavit import SIZES, TEXT, write_published

from .bytes import generic, retensored, written
from .guard import Case

DESCRIPTION, WORDS, VISION, TOKENIZER = "lavit.json", "tokenizer.model", "vision.safetensors", "tokenizer.safetensors"
SHARD, EMPTY = "language-00002-of-00003.safetensors", "empty_prompt.safetensors"


def whole(folder: Path) -> None:
    published, models = folder.parent / f"{folder.name} published", folder.parent / f"{folder.name} models"
    models.mkdir()
    convert(write_published(published), models, "tiny")
    (models / "drc" / "tiny").rename(folder / "tiny")


def use(folder: Path) -> None:
    """Loads it, and looks at a picture."""
    model = load(folder / "tiny" / DESCRIPTION).float()
    with torch.no_grad():
        codes = model.lmm.tokenize(torch.rand(1, 3, 70, 70))
        model.lmm.embed(codes)


def put(path: str, value) -> Callable[[Path], None]:
    """Sets what stands at a place such as "sizes.vision.width" of lavit.json."""

    def damage(folder: Path) -> None:
        description = json.loads((folder / "tiny" / DESCRIPTION).read_text())
        *places, last = [int(place) if place.isdigit() else place for place in path.split(".")]
        inner = description
        for place in places:
            inner = inner[place]
        inner[last] = value
        (folder / "tiny" / DESCRIPTION).write_text(json.dumps(description))

    return damage


write = partial(written, "tiny")


def tensor(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Changes the tensors of a file, and what lavit.json says of its size."""

    def damage(folder: Path) -> None:
        retensored(f"tiny/{name}", change)(folder)
        resize(folder, name)

    return damage


def resize(folder: Path, name: str) -> None:
    description = json.loads((folder / "tiny" / DESCRIPTION).read_text())
    for file in description["files"]:
        if file["place"].endswith(f"/{name}"):
            file["size"] = (folder / "tiny" / name).stat().st_size
    (folder / "tiny" / DESCRIPTION).write_text(json.dumps(description))


def sizes() -> list[tuple[str, Callable]]:
    bombs = (10**9, 2**62, 0, -1, 1.5, "8", None, [8])
    fields = [
        f"{part.name}.{one.name}"
        for part in dataclasses.fields(SIZES)
        for one in dataclasses.fields(getattr(SIZES, part.name))
    ]
    return [
        (f"{name} is {bomb!r}", put(f"sizes.{name}", bomb))
        for name, bomb in zip(fields, (bombs * len(fields))[: len(fields)], strict=True)
        if not (name.endswith(("eps", "theta")) and bomb in (10**9, 0, -1, 1.5))
    ]


def entries() -> list[tuple[str, Callable]]:
    return [
        ("a format of text", put("format", "1")),
        ("no sizes", put("sizes", None)),
        ("a part of a list", put("sizes.vision", [])),
        ("a size nobody knows", put("sizes.vision.depth", 3)),
        ("no files", put("files", [])),
        ("files of text", put("files", "all")),
        ("a file of text", put("files.0", "all")),
        ("a place that leads out", put("files.3.place", "drc/tiny/..")),
        ("a place of Windows", put("files.3.place", "drc/tiny/..\\..\\secret")),
        ("a place without a name", put("files.3.place", "drc/tiny/")),
        ("a size of 2^62", put("files.3.size", 2**62)),
        ("a size of text", put("files.3.size", "all")),
        ("a hash that is none", put("files.3.sha256", "0")),
        ("a licence that is none", put("licence", 3)),
        ("another number of codes", put("sizes.tokenizer.codes", 95)),
        ("another vocabulary", put("sizes.language.vocab_size", 32099)),
        ("heads that do not divide", put("sizes.vision.heads", 5)),
        ("mean colours of two", put("sizes.vision.image_mean", [0.5, 0.5])),
        ("mean colours of text", put("sizes.vision.image_mean", ["a", "b", "c"])),
        ("100,000 deep", write(DESCRIPTION, "[" * 100_000)),
        ("of 10 MB", write(DESCRIPTION, " " * 10_000_000 + "{}")),
        ("of bytes that are no text", write(DESCRIPTION, b"\xff\xfe{}")),
    ]


def vocabulary(**settings) -> Callable[[Path], None]:
    """Another SentencePiece vocabulary in the place of the true one."""

    def damage(folder: Path) -> None:
        model = io.BytesIO()
        lines = iter(TEXT.splitlines())
        SentencePieceTrainer.train(sentence_iterator=lines, model_writer=model, minloglevel=2, **settings)
        (folder / "tiny" / WORDS).write_bytes(model.getvalue())
        resize(folder, WORDS)

    return damage


def words(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "tiny" / WORDS
        path.write_bytes(content(path.read_bytes()))
        resize(folder, WORDS)

    return damage


def vocabularies() -> list[tuple[str, Callable]]:
    piece = b"\x0a\x09\x0a\x02ab\x15\x00\x00\x00\x00"
    return [
        ("empty", words(lambda data: b"")),
        ("two pieces alone", words(lambda data: piece * 2)),
        ("its first tenth", words(lambda data: data[: len(data) // 10])),
        ("without its last byte", words(lambda data: data[:-1])),
        ("a million pieces", words(lambda data: piece * 600_000)),
        ("of 10 MB", words(lambda data: data + bytes(10 * 2**20))),
        ("a piece more", words(lambda data: data + piece)),
        ("a piece of 100 kB", words(lambda data: b"\x0a\xa0\x8d\x06" + bytes(100_000) + data)),
        ("a length of 2^63", words(lambda data: b"\x0a" + b"\xff" * 9 + b"\x01" + data)),
        ("a number that does not end", words(lambda data: b"\xff" * 20 + data)),
        ("of text", words(lambda data: b"version https://git-lfs.github.com/spec/v1\n")),
        ("a table to normalise with", vocabulary(vocab_size=40, model_type="char")),
    ]


def weights() -> list[tuple[str, Callable, str]]:
    def put_number(name: str, key: str, value: float) -> Callable[[Path], None]:
        return tensor(name, lambda found: found[key].view(-1)[-1:].fill_(value))

    def put_type(name: str, key: str, dtype: torch.dtype) -> Callable[[Path], None]:
        return tensor(name, lambda found: found.update({key: found[key].to(dtype)}))

    norm = "model.layers.0.input_layernorm.weight"
    return [
        ("more layers than there are", put("sizes.language.num_hidden_layers", 3), "language-"),
        ("fewer layers than there are", put("sizes.vision.layers", 2), VISION),
        ("128 layers", put("sizes.language.num_hidden_layers", 128), "language-"),
        ("NaN in the vision encoder", put_number(VISION, "norm.bias", float("nan")), VISION),
        ("NaN in the codebook", put_number(TOKENIZER, "quantize.embedding.weight", float("nan")), TOKENIZER),
        ("infinite words", put_number(SHARD, norm, float("inf")), SHARD),
        ("whole numbers", put_type(VISION, "norm.bias", torch.int32), VISION),
        ("complex numbers", put_type(SHARD, norm, torch.complex64), SHARD),
        ("a weight too few", tensor(VISION, lambda found: found.pop("norm.bias")), VISION),
        ("a weight too many", tensor(TOKENIZER, lambda found: found.update(x=torch.zeros(1))), TOKENIZER),
        ("a word too many", tensor(SHARD, lambda found: found.update({"x.y": torch.zeros(1)})), "language-"),
        ("a weight of another size", tensor(VISION, lambda found: found.update({"norm.bias": torch.zeros(3)})), VISION),
        ("no empty prompt", tensor(EMPTY, lambda found: found.clear()), EMPTY),
        ("two empty prompts", tensor(EMPTY, lambda found: found.update(x=torch.zeros(1, 2, 768))), EMPTY),
        ("a flat prompt", tensor(EMPTY, lambda found: (found.clear(), found.update(x=torch.zeros(768)))), EMPTY),
    ]


def cases() -> list[Case]:
    made = [Case(f"size: {label}", damage, use, DESCRIPTION) for label, damage in sizes()]
    made += [Case(f"entry: {label}", damage, use, "tiny") for label, damage in entries()]
    made += [Case(f"words: {label}", damage, use, WORDS) for label, damage in vocabularies()]
    made += [Case(f"weights: {label}", damage, use, named) for label, damage, named in weights()]
    for number, name in enumerate((DESCRIPTION, WORDS, VISION)):
        for label, kind, damage in generic(f"tiny/{name}", number, cuts=2, flips=3):
            made.append(Case(f"bytes: {label}", damage, use, name, kind in ("cut", "empty", "noise")))
    return made
