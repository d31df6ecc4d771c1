"""A published folder that is not as it should be: one sentence each, before anything is written."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from drc.lmm.lavit.config import DecoderConfig, TokenizerConfig
from drc.lmm.lavit.convert import convert
from drc.lmm.lavit.decoder import HighResolutionDecoder
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.llama import LlamaConfig, LlamaForCausalLM
from drc.shapes import shapes_of
from scripts.lib.disk import names
from scripts.lib.tiny_lavit import LOW_UNET

SHARD = "language_model/pytorch_model-0000{}-of-00003.bin"
INDEX, CONFIG, WORDS = (
    f"language_model/{name}" for name in ("pytorch_model.bin.index.json", "config.json", "tokenizer.model")
)
EYES = "visual_tokenizer/eva_vitg_psz14.bin"
CODES = "visual_tokenizer/tokenizer_encoder.bin"
DECODER = "visual_tokenizer/highres_tokenizer_decoder.bin"
UNET = "highres_pixel_decoding/unet/diffusion_pytorch_model.bin"
UNET_CONFIG = "highres_pixel_decoding/unet/config.json"
VAE = "highres_pixel_decoding/vae/diffusion_pytorch_model.safetensors"
AGAIN = "; download it again from rain1011/LaVIT-7B-v2"


@pytest.fixture
def folder(published, tmp_path):
    return shutil.copytree(published, tmp_path / "published")


def refusal(folder: Path, **arguments) -> str:
    """What the conversion says; nothing is written."""
    models = folder.parent / "models"
    models.mkdir()
    with pytest.raises(ValueError) as error:
        convert(folder, models, **arguments)
    assert names(models) == []
    text = str(error.value)
    assert "\n" not in text and not text.endswith(".")
    return text


def edit(path: Path, change) -> None:
    """Changes the tensors of a file; `change` returns what is in their place."""
    torch.save(change(torch.load(path, weights_only=True)), path)


def edit_json(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def cut(path: Path, share: float = 0.9) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def test_a_wrong_folder(tmp_path):
    (tmp_path / "LaVIT").mkdir()
    assert refusal(tmp_path / "LaVIT") == (
        f"{tmp_path / 'LaVIT'} is not the folder of rain1011/LaVIT-7B-v2: there is no language_model/config.json, no "
        f"{EYES} and no highres_pixel_decoding in it; give the folder that language_model, visual_tokenizer and "
        "highres_pixel_decoding lie in"
    )


def test_a_folder_inside_the_right_one(folder):
    assert "give the folder that language_model, visual_tokenizer and" in refusal(folder / "language_model")


def test_missing_files_are_named_together(folder):
    for name in (SHARD.format(2), EYES, "highres_pixel_decoding/vae/config.json"):
        (folder / name).unlink()
    assert refusal(folder) == (
        f"{folder} lacks {EYES}, highres_pixel_decoding/vae/config.json, {SHARD.format(2)}; "
        "download what is missing from rain1011/LaVIT-7B-v2"
    )


@pytest.mark.parametrize("name", [CONFIG, WORDS, INDEX, CODES, DECODER, UNET, VAE])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    assert refusal(folder).startswith(f"{folder} lacks {name.replace('safetensors', 'bin')}; ")


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
@pytest.mark.parametrize("name", [SHARD.format(1), SHARD.format(3), EYES, UNET])
def test_a_file_that_is_cut_short(folder, name, share):
    cut(folder / name, share)
    assert refusal(folder) == f"{folder / name} is not a whole file of PyTorch, it may be cut short{AGAIN}"


def test_an_autoencoder_that_is_cut_short(folder):
    cut(folder / VAE)
    text = refusal(folder)
    assert text.startswith(f"{folder / VAE} is not a readable safetensors file (") and text.endswith(AGAIN)


def test_a_pointer_in_place_of_a_file(folder):
    """What a clone without Git LFS holds."""
    (folder / EYES).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ff28d14b\nsize 2025338783\n")
    assert "is not a whole file of PyTorch" in refusal(folder)


def test_words_that_are_cut_short(folder):
    cut(folder / WORDS, 0.5)
    assert refusal(folder) == f"{folder / WORDS} is not a whole SentencePiece vocabulary{AGAIN}"


def test_a_shard_of_another_model(folder, tmp_path):
    wide = LlamaConfig(32098, 24, 40, 2, 2, 2)
    tensors = {name: torch.zeros(shape) for name, shape in shapes_of(LlamaForCausalLM, wide).items()}
    edit(folder / SHARD.format(2), lambda found: {name: tensors[name] for name in found})
    count = len(torch.load(folder / SHARD.format(2), weights_only=True))
    assert refusal(folder) == (
        f"{folder / SHARD.format(2)} does not hold LaVIT's part 2 of 3 of the language model: {count} weights are "
        f"missing or of another size and 0 do not belong there, such as model.layers.0.mlp.down_proj.weight{AGAIN}"
    )


def test_shards_in_each_other_s_place(folder):
    first, last = folder / SHARD.format(1), folder / SHARD.format(3)
    first.rename(folder / "between")
    last.rename(first)
    (folder / "between").rename(last)
    text = refusal(folder)
    assert text.startswith(f"{first} does not hold LaVIT's part 1 of 3 of the language model: ")
    assert "model.embed_tokens.weight" in text


def test_a_language_model_of_words_only(folder):
    """Of LLaMA itself, from which LaVIT was made: it has no rows for codes."""
    edit_json(folder / CONFIG, vocab_size=32000)
    assert "does not hold LaVIT's part 1 of 3 of the language model: 1 weights are missing" in refusal(folder)
    for number, name in ((1, "model.embed_tokens.weight"), (3, "lm_head.weight")):
        edit(folder / SHARD.format(number), lambda found, name=name: found | {name: found[name][:32000].clone()})
    (folder.parent / "models").rmdir()
    assert refusal(folder) == (
        f"{folder / CONFIG} is of another model than the other files: vocab_size is 32000, not 32098{AGAIN}"
    )


@pytest.mark.parametrize(
    ("name", "other", "what"),
    [(EYES, CODES, "vision transformer"), (CODES, EYES, "visual tokeniser"), (DECODER, CODES, "token decoder")],
)
def test_a_visual_file_in_the_place_of_another(folder, name, other, what):
    shutil.copy(folder / other, folder / name)
    text = refusal(folder)
    assert text.startswith(f"{folder / name} does not hold LaVIT's {what} (KeyError(") and text.endswith(AGAIN)


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        (EYES, lambda found: dict(list(found.items())[:-1]), "1 weights are missing or of another size and 0 do not"),
        (
            EYES,
            lambda found: found | {"fc_norm.weight": torch.ones(32)},
            "0 weights are missing or of another size and 1",
        ),
        (EYES, lambda found: found | {"norm.bias": torch.ones(33)}, "such as norm.bias"),
        (CODES, lambda found: found | {"vit_proj.bias": torch.ones(16)}, "such as vit_proj.bias"),
        (DECODER, lambda found: found | {"unet_proj.bias": torch.ones(16)}, "such as unet_proj.bias"),
        (UNET, lambda found: found | {"class_embedding.bias": torch.ones(16)}, "such as class_embedding.bias"),
    ],
)
def test_a_weight_too_few_or_too_many_or_of_another_size(folder, name, change, complaint):
    edit(folder / name, change)
    text = refusal(folder)
    assert text.startswith(f"{folder / name} does not hold LaVIT's ") and complaint in text


def test_parts_of_different_models(folder, tmp_path):
    fewer = {
        name: torch.zeros(shape)
        for name, shape in shapes_of(
            VisualTokenizer, TokenizerConfig(width=32, feed_forward=139, layers=2, codes=80, code_size=8)
        ).items()
    }
    torch.save(fewer, folder / CODES)
    assert "vocab_size is 32098, not 32082" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "config", "what"),
    [
        (
            CODES,
            (VisualTokenizer, TokenizerConfig(48, 16, 139, 2, codes=96, code_size=8)),
            "the width of the features is 48, not 32",
        ),
        (
            DECODER,
            (HighResolutionDecoder, DecoderConfig(32, 16, 139, 2, queries=16, code_size=8)),
            "the number of queries is 16, not 25",
        ),
        (
            DECODER,
            (HighResolutionDecoder, DecoderConfig(32, 16, 139, 2, queries=25, code_size=4)),
            "the size of a code is 4, not 8",
        ),
        (
            DECODER,
            (HighResolutionDecoder, DecoderConfig(32, 16, 139, 2, queries=25, code_size=8, prompt_width=512)),
            "cross_attention_dim is 2048, not 1792",
        ),
    ],
)
def test_sizes_that_do_not_fit_each_other(folder, name, config, what):
    torch.save({key: torch.zeros(shape) for key, shape in shapes_of(*config).items()}, folder / name)
    assert f"is of another model than the other files: {what}{AGAIN}" in refusal(folder)


def test_a_unet_of_another_family(folder):
    path = folder / "highres_pixel_decoding" / "unet" / "config.json"
    path.write_text(json.dumps(LOW_UNET))
    assert refusal(folder) == (
        f"{path} is of another model than the other files: cross_attention_dim is 768, not 2048{AGAIN}"
    )


def test_a_low_resolution_that_does_not_fit(folder):
    torch.save(torch.zeros(1, 7, 512), folder / "pixel_decoding" / "uncond_embeddings.bin")
    assert "holds [(1, 7, 512)], expected the embedding of an empty text, 1 x at most 25 x 768" in refusal(folder)


class RunsCode:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", [SHARD.format(1), EYES, DECODER, UNET])
def test_a_file_that_holds_code(folder, name, tmp_path):
    edit(folder / name, lambda found: found | {"code": RunsCode(tmp_path / "it ran")})
    assert refusal(folder) == f"{folder / name} holds more than tensors and is not opened, as it could run code{AGAIN}"
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda found: found | {"epoch": 3}, "holds more than tensors (epoch is int)"),
        (lambda found: {"state_dict": found}, "holds more than tensors (state_dict is dict)"),
        (lambda found: list(found.values()), "holds more than tensors (list)"),
        (lambda found: found | {7: torch.ones(3)}, "holds more than tensors (7 is Tensor)"),
        (
            lambda found: found | {"norm.bias": torch.ones(32, dtype=torch.int64)},
            "norm.bias as torch.int64, expected floating point",
        ),
    ],
)
def test_a_file_that_holds_something_else(folder, change, complaint):
    edit(folder / EYES, change)
    text = refusal(folder)
    assert text.startswith(f"{folder / EYES} holds ") and complaint in text and text.endswith(AGAIN)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (CONFIG, "{", "is not readable JSON ("),
        (CONFIG, "[]", "holds list, expected names and values"),
        (CONFIG, '{"hidden_size": 16}', "does not describe a LLaMA: it lacks intermediate_size;"),
        (INDEX, "{}", "does not say which file holds which weights"),
        (
            "highres_pixel_decoding/vae/config.json",
            "{}",
            "does not describe an autoencoder: it lacks block_out_channels;",
        ),
    ],
)
def test_settings_that_say_nothing(folder, name, content, complaint):
    (folder / name).write_text(content)
    text = refusal(folder)
    assert text.startswith(f"{folder / name} {complaint}") and text.endswith(AGAIN)


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        (CONFIG, {"rope_scaling": {"type": "linear", "factor": 2}}, "a LLaMA: it has rope_scaling {'type': 'linear', "),
        (CONFIG, {"tie_word_embeddings": True}, "a LLaMA: it has tie_word_embeddings True, expected False;"),
        (CONFIG, {"hidden_act": "gelu"}, "a LLaMA: it has hidden_act gelu, expected silu;"),
        (CONFIG, {"num_hidden_layers": 10**9}, "a LLaMA: it has num_hidden_layers 1000000000, expected 1 to 128;"),
        (CONFIG, {"rms_norm_eps": "small"}, "a LLaMA: it has rms_norm_eps 'small', expected 1e-12 to 1.0;"),
        (UNET_CONFIG, {"block_out_channels": 8}, "a UNet: it has block_out_channels 8, expected a list;"),
        (UNET_CONFIG, {"up_block_types": ["UpBlock2D"]}, "a UNet: it has entries in up_block_types: 1, expected 2;"),
        (UNET_CONFIG, {"transformer_layers_per_block": [10**9, 1]}, "a UNet: it has an entry of transformer_layers_"),
        (UNET_CONFIG, {"layers_per_block": 10**9}, "a UNet: it has layers_per_block 1000000000, expected 1 to 8;"),
        (UNET_CONFIG, {"projection_class_embeddings_input_dim": None}, "a UNet: it lacks projection_class_embeddings"),
    ],
)
def test_settings_that_are_not_ours(folder, name, values, complaint):
    edit_json(folder / name, **values)
    text = refusal(folder)
    assert text.startswith(f"{folder / name} does not describe {complaint}") and text.endswith(AGAIN)


@pytest.mark.parametrize("length", [0, 100, 3000], ids=["empty", "a few pieces", "most of it"])
def test_words_that_are_short(folder, length):
    os.truncate(folder / WORDS, length)
    assert refusal(folder) == f"{folder / WORDS} is not a whole SentencePiece vocabulary{AGAIN}"


def test_a_file_of_the_old_format(folder, tmp_path):
    tensors = {"code": RunsCode(tmp_path / "it ran")}
    torch.save(tensors, folder / EYES, _use_new_zipfile_serialization=False)
    assert refusal(folder) == (
        f"{folder / EYES} is in PyTorch's old format and is not opened, as it could run code{AGAIN}"
    )
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    "tensor", [torch.ones(32, device="meta"), torch.ones(1).expand(32)], ids=["without storage", "of one number"]
)
@pytest.mark.parametrize("name", [EYES, UNET])
def test_a_tensor_without_its_numbers(folder, name, tensor):
    edit(folder / name, lambda found: found | {"norm.bias": tensor})
    assert refusal(folder) == f"{folder / name} holds norm.bias without its numbers{AGAIN}"


def test_a_file_that_is_packed_small(folder):
    """A pickle of gigabytes can be packed into megabytes."""
    with zipfile.ZipFile(folder / EYES, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**6))
    assert refusal(folder) == f"{folder / EYES} is not packed as PyTorch packs its files{AGAIN}"


def test_an_index_of_another_model(folder):
    weight_map = json.loads((folder / INDEX).read_text())["weight_map"]
    weight_map["model.layers.0.self_attn.rotary_emb.inv_freq"] = weight_map.pop("lm_head.weight")
    edit_json(folder / INDEX, weight_map=weight_map)
    assert refusal(folder) == (
        f"{folder / INDEX} does not hold LaVIT's language model: 1 weights are missing or of another size and 1 do not "
        f"belong there, such as lm_head.weight{AGAIN}"
    )


def test_places_that_are_none(folder, tmp_path):
    with pytest.raises(
        ValueError, match="the models folder is '.*nowhere', which is no folder; give the models folder"
    ):
        convert(folder, tmp_path / "nowhere")
    for name in ("", "../outside", ".hidden", "a/b", "ends in a dot."):
        with pytest.raises(ValueError, match="^name is '.*', expected letters, digits"):
            convert(folder, tmp_path, name)
