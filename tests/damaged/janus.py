"""Damaged folders of a Janus as it is downloaded: settings, index, shards and words; opened, read and drawn with."""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from drc.checkpoint import load
from drc.instruction import InContext
from drc.lmm.generate import Sampling
from scripts.lib.tiny_janus import write_published

from .bytes import Damage, generic, retensored, written
from .guard import Case

FOLDER = "janus"
CONFIG, INDEX, PIXELS, WORDS = (
    "config.json",
    "model.safetensors.index.json",
    "preprocessor_config.json",
    "tokenizer.json",
)
SHARD = "model-00001-of-00002.safetensors"
BOMBS = (2**62, 0, -1, 1.5, "8", [8])


def whole(folder: Path) -> None:
    write_published(folder / FOLDER, shards=2)


def use(folder: Path) -> None:
    """Loads it, and draws by a few words."""
    drc = load(folder / FOLDER / CONFIG).float()
    ids = drc.lmm.in_context([], [], drc.words.encode("a red apple"))
    codes = drc.lmm.draw(InContext(ids, 5.0, drc.hash), [0], Sampling())
    assert drc.lmm.detokenize(codes).isfinite().all()


def put(name: str, edit: Callable[[dict], object]) -> Damage:
    """`edit` changes the values of a file of settings in place."""

    def damage(folder: Path) -> None:
        path = folder / FOLDER / name
        values = json.loads(path.read_text("utf-8"))
        edit(values)
        path.write_text(json.dumps(values), "utf-8")

    return damage


def write(name: str, content: str | bytes) -> Damage:
    return written(FOLDER, name, content)


tensors = partial(retensored, f"{FOLDER}/{SHARD}")


def settings() -> list[tuple[str, str, Damage]]:
    fields = {
        "text_config": ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
        "vision_config": ("hidden_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size"),
        "vq_config": ("embed_dim", "num_embeddings", "base_channels", "num_res_blocks"),
    }

    def size(section: str, name: str, value: object) -> Damage:
        return put(CONFIG, lambda values: values[section].update({name: value}))

    def index(shards: object) -> Damage:
        return put(INDEX, lambda values: values.update(weight_map=shards))

    made = [
        (f"{section}.{name} is {bomb!r}", CONFIG, size(section, name, bomb))
        for number, (section, name) in enumerate((section, name) for section, names in fields.items() for name in names)
        for bomb in (10**9, BOMBS[number % len(BOMBS)])
    ]
    return [
        *made,
        ("another kind", CONFIG, put(CONFIG, lambda values: values.update(model_type=["janus"]))),
        ("a section of text", CONFIG, put(CONFIG, lambda values: values.update(text_config="large"))),
        ("an infinite base", CONFIG, size("text_config", "rope_theta", float("inf"))),
        ("100,000 levels", CONFIG, size("vq_config", "channel_multiplier", [1] * 100_000)),
        ("settings 100,000 deep", CONFIG, write(CONFIG, "[" * 100_000)),
        ("settings of 5 MB", CONFIG, write(CONFIG, "{" + " " * 5_000_000 + "}")),
        ("a deviation of nothing", PIXELS, put(PIXELS, lambda values: values.update(image_std=[0, 0, 0]))),
        ("a mean in words", PIXELS, put(PIXELS, lambda values: values.update(image_mean="grey"))),
        ("an index of lists", INDEX, index([])),
        ("an index of nothing", INDEX, index({})),
        ("a shard that leads out", FOLDER, index({"a": "../x.safetensors"})),
        ("a shard with a long name", FOLDER, index({"a": "a" * 5000})),
        ("a shard with a hidden name", FOLDER, index({"a": "\u3164\n"})),
        ("10,000 shards", FOLDER, index({f"{n}": f"{n}.safetensors" for n in range(10_000)})),
    ]


def weights() -> list[tuple[str, str, Damage]]:
    def first(change: Callable[[torch.Tensor], torch.Tensor]) -> Damage:
        def edit(found: dict) -> None:
            name = min(found)
            found[name] = change(found[name])

        return tensors(edit)

    def filled(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda one: torch.full_like(one, value)

    return [
        ("NaN", SHARD, first(filled(float("nan")))),
        ("infinity", SHARD, first(filled(float("inf")))),
        ("complex numbers", SHARD, first(lambda one: one.to(torch.complex64))),
        ("whole numbers", SHARD, first(lambda one: one.to(torch.int32))),
        ("a tensor of none", FOLDER, first(lambda one: one[:0])),
        ("a tensor of more dimensions", FOLDER, first(lambda one: one[None].clone())),
        ("a tensor too few", FOLDER, tensors(lambda found: found.pop(min(found)))),
        ("no tensors", FOLDER, tensors(dict.clear)),
        ("a header of 2^63 bytes", SHARD, write(SHARD, (2**63).to_bytes(8, "little"))),
        (
            "a shape of 2^60",
            SHARD,
            write(SHARD, header({"dtype": "F32", "shape": [2**30] * 2, "data_offsets": [0, 64]})),
        ),
        ("a header 100,000 deep", SHARD, write(SHARD, (100_000).to_bytes(8, "little") + b"[" * 100_000)),
        ("a pointer of git", SHARD, write(SHARD, "version https://git-lfs.github.com/spec/v1\n")),
    ]


def header(tensor: dict) -> bytes:
    text = json.dumps({"a": tensor}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(64)


def words() -> list[tuple[str, str, Damage]]:
    def model(**values) -> Damage:
        return put(WORDS, lambda found: found["model"].update(values))

    def added(word: object) -> Damage:
        return put(WORDS, lambda found: found["added_tokens"].append({"id": 3, "content": word}))

    def cutting(**values) -> Damage:
        return put(WORDS, lambda found: found.update(pre_tokenizer=values))

    grow = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "a" * 1000}] * 4}
    slow = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    return [
        (label, WORDS, damage)
        for label, damage in {
            "a normaliser that grows": put(WORDS, lambda found: found.update(normalizer=grow)),
            "cutting without end": cutting(**slow),
            "cutting in 10,000 steps": cutting(type="Sequence", pretokenizers=[slow] * 10_000),
            "cutting that is no step": cutting(type="Sequence", pretokenizers=["slow"]),
            "another model": model(type="Unigram"),
            "a vocabulary of a list": model(vocab=["a"]),
            "an id of 2^40": model(vocab={"a": 2**40}),
            "an id below 0": model(vocab={"a": -1}),
            "an id of true": model(vocab={"a": True}),
            "merges of numbers": model(merges=[1, 2]),
            "merges of words that are not there": model(merges=[["nowhere", "to be found"]]),
            "added words of text": put(WORDS, lambda found: found.update(added_tokens="a")),
            "added words without a name": put(WORDS, lambda found: found.update(added_tokens=[{"id": 1}])),
            "an added word of a list": added([1]),
            "an added word of names": added({}),
            "words 100,000 deep": write(WORDS, "[" * 100_000),
            "words of a list": write(WORDS, "[]"),
        }.items()
    ]


def cases() -> list[Case]:
    kinds = {"settings": settings, "weights": weights, "words": words}
    made = [
        Case(f"{kind}: {label}", damage, use, name) for kind, make in kinds.items() for label, name, damage in make()
    ]
    numbers = random.Random(0)
    for name in (CONFIG, INDEX, SHARD, WORDS, PIXELS):
        for label, kind, damage in generic(f"{FOLDER}/{name}", numbers.randrange(99), cuts=2, flips=2):
            made.append(Case(f"bytes: {label}", damage, use, FOLDER, kind in ("cut", "empty", "noise")))
    return made
