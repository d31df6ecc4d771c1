"""Damaged downloads of LaVIT: what the conversion says before it writes, or while it writes."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from drc.lmm.lavit.convert import convert
from scripts.lib.tiny_lavit import write_published

from .bytes import generic, retensored, written
from .guard import Case

VISION, CODES = "visual_tokenizer/eva_vitg_psz14.bin", "visual_tokenizer/tokenizer_encoder.bin"
SHARD, INDEX = "language_model/pytorch_model-00002-of-00003.bin", "language_model/pytorch_model.bin.index.json"
LANGUAGE, WORDS = "language_model/config.json", "language_model/tokenizer.model"
UNET, VAE = "highres_pixel_decoding/unet/config.json", "highres_pixel_decoding/vae/config.json"
VAE_WEIGHTS = "highres_pixel_decoding/vae/diffusion_pytorch_model.safetensors"


def whole(folder: Path) -> None:
    write_published(folder / "published")
    (folder / "models").mkdir()


def use(folder: Path) -> None:
    """Converts it; nothing half written stays."""
    try:
        convert(folder / "published", folder / "models", "tiny")
    finally:
        assert not list((folder / "models").rglob("*.part"))


def put(name: str, **values) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "published" / name
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return damage


write = partial(written, "published")


def tensors(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "published" / name
        found = torch.load(path, weights_only=True)
        change(found)
        torch.save(found, path)

    return damage


autoencoder = partial(retensored, f"published/{VAE_WEIGHTS}")


def settings() -> list[tuple[str, str, Callable]]:
    bombs = {
        LANGUAGE: ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings"),
        UNET: ("block_out_channels", "layers_per_block", "transformer_layers_per_block", "in_channels"),
        VAE: ("block_out_channels", "layers_per_block", "latent_channels"),
    }
    made = [
        (f"{name} {size} is {bomb!r}", name, put(name, **{size: bomb}))
        for name, sizes in bombs.items()
        for size in sizes
        for bomb in (10**9, "8")
    ]
    return [
        *made,
        ("a billion blocks", UNET, put(UNET, transformer_layers_per_block=[1, 10**9])),
        ("100,000 levels", UNET, put(UNET, block_out_channels=[8] * 100_000)),
        ("levels of lists", VAE, put(VAE, block_out_channels=[[8], [16]])),
        ("rope scaling", LANGUAGE, put(LANGUAGE, rope_scaling={"type": "linear", "factor": 2.0})),
        ("tied embeddings", LANGUAGE, put(LANGUAGE, tie_word_embeddings=True)),
        ("an infinite base", LANGUAGE, put(LANGUAGE, rope_theta=float("inf"))),
        ("settings 100,000 deep", LANGUAGE, write(LANGUAGE, "[" * 100_000)),
        ("settings of 5 MB", UNET, write(UNET, "{" + " " * 5_000_000 + "}")),
        ("an index of lists", INDEX, put(INDEX, weight_map=[])),
        ("a shard that leads out", INDEX, put(INDEX, weight_map={"a": "../../secret.bin"})),
        ("a shard with a long name", INDEX, put(INDEX, weight_map={"a": "a" * 5000})),
        ("10,000 shards", "published", put(INDEX, weight_map={f"{n}": f"{n}.bin" for n in range(10_000)})),
        ("words that are empty", WORDS, write(WORDS, b"")),
        ("words that are cut", WORDS, lambda folder: os.truncate(folder / "published" / WORDS, 2000)),
    ]


def old_format(content: object) -> Callable[[Path], None]:
    made = io.BytesIO()
    torch.save(content, made, _use_new_zipfile_serialization=False)
    return write(VISION, made.getvalue())


def packed(name: str, data: bytes, method: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with zipfile.ZipFile(folder / "published" / VISION, "w", method) as archive:
            archive.writestr(name, data)

    return damage


def weights() -> list[tuple[str, str, Callable]]:
    bias = "norm.bias"
    hollow = torch.ones(32, device="meta")
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    return [
        ("a tensor without numbers", VISION, tensors(VISION, lambda found: found.update({bias: hollow}))),
        ("one number for all", VISION, tensors(VISION, lambda found: found.update({bias: torch.ones(1).expand(32)}))),
        ("a tensor of 2^60", VISION, tensors(VISION, lambda found: found.update({bias: torch.ones(1).expand(2**60)}))),
        ("a sparse tensor", VISION, tensors(VISION, lambda found: found.update({bias: torch.ones(32).to_sparse()}))),
        ("complex numbers", VISION, tensors(VISION, lambda found: found.update({bias: found[bias].to(torch.cfloat)}))),
        ("whole numbers", SHARD, tensors(SHARD, lambda found: found.update({next(iter(found)): torch.ones(3).int()}))),
        ("NaN", CODES, tensors(CODES, lambda found: next(iter(found.values())).view(-1)[:1].fill_(float("nan")))),
        ("infinity in the autoencoder", VAE_WEIGHTS, autoencoder(
            lambda found: found[max(found)].view(-1)[-1:].fill_(float("inf")))),
        ("1,000 layers", VISION, tensors(VISION, lambda found: found.update(
            {f"blocks.{n}.norm1.bias": torch.ones(1) for n in range(1000)}))),
        ("the old format", VISION, old_format({bias: torch.ones(32)})),
        ("a pickle", VISION, write(VISION, pickle.dumps({"a": os.getcwd}))),
        ("a pickle 100,000 deep", VISION, packed("a/data.pkl", deep, zipfile.ZIP_STORED)),
        ("a pickle that grows", VISION, packed("a/data.pkl", bytes(10**8), zipfile.ZIP_DEFLATED)),
        ("an empty archive", VISION, packed("a/b", b"", zipfile.ZIP_STORED)),
        ("no archive", VISION, write(VISION, "version https://git-lfs.github.com/spec/v1\n")),
    ]  # fmt: skip


def cases() -> list[Case]:
    made = [Case(f"settings: {label}", damage, use, Path(name).name) for label, name, damage in settings()]
    made += [Case(f"weights: {label}", damage, use, Path(name).name) for label, name, damage in weights()]
    for number, (name, sure) in enumerate({SHARD: True, VISION: True, VAE_WEIGHTS: False, UNET: False}.items()):
        for label, kind, damage in generic(f"published/{name}", number, cuts=2, flips=2):
            surely = kind in ("cut", "empty", "noise") or (sure and kind == "zeros")
            made.append(Case(f"bytes: {label}", damage, use, Path(name).name, surely))
    return made
