"""From the published folder to safetensors: the same numbers, whole files only, in little memory."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from drc.files import file_hash
from drc.lmm.lavit.convert import amount, convert, main, table
from drc.lmm.lavit.converted import LICENCE
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.language import FIRST_CODE, LavitLanguage
from drc.lmm.lavit.reading import open_set
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer
from drc.lmm.llama import LlamaConfig
from scripts.lib.tiny_lavit import NEVER_READ, SIZES, write_published, write_tiny_lavit

from .places import BECOMES, COPIED, DESCRIPTION, EMPTY_PROMPT, EVERYTHING, HIGH_ONLY, LOW_BECOMES, LOW_COPIED, files_in


def test_every_file_lands_where_it_is_looked_for(converted):
    models, conversion = converted
    assert files_in(models) == EVERYTHING
    assert {file.place for file in conversion.files} == EVERYTHING - {DESCRIPTION}
    assert (conversion.kept, conversion.left_out) == (set(), "")


@pytest.mark.parametrize("source", [*BECOMES, *LOW_BECOMES])
def test_names_and_numbers_are_the_published_ones(published, converted, source):
    before = torch.load(published / source, weights_only=True)
    after = load_file(converted[0] / (BECOMES | LOW_BECOMES)[source])
    assert before.keys() == after.keys()
    assert all(before[name].dtype == after[name].dtype and torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("source", [*COPIED, *LOW_COPIED])
def test_the_others_are_copies(published, converted, source):
    assert (published / source).read_bytes() == (converted[0] / (COPIED | LOW_COPIED)[source]).read_bytes()


def test_the_empty_prompt(published, converted):
    before = torch.load(published / "pixel_decoding" / "uncond_embeddings.bin", weights_only=True)
    (after,) = load_file(converted[0] / EMPTY_PROMPT).values()
    assert torch.equal(before, after)


def test_the_set_describes_itself(converted):
    models, conversion = converted
    lavit = open_set(models / "drc" / "tiny")
    assert lavit.sizes == SIZES and lavit.licence == LICENCE
    assert [path.name for path in lavit.language] == [
        f"language-0000{number}-of-00003.safetensors" for number in (1, 2, 3)
    ]
    assert [*lavit.files.values(), *lavit.diffusion] and len(lavit.diffusion) == 4
    for file in [*lavit.files.values(), *lavit.diffusion]:
        assert file in conversion.files
        path = models / file.place
        assert (file.size, file.sha256) == (path.stat().st_size, file_hash(path))
    dtypes = {file.place: file.dtype for file in conversion.files}
    assert dtypes["drc/tiny/vision.safetensors"] == "bfloat16"
    assert dtypes["drc/tiny/decoder.safetensors"] == "bfloat16, float32"
    assert dtypes["vae/tiny-vae.safetensors"] == "float32"


def test_the_parts_load_strictly_and_run(converted):
    models, _ = converted
    lavit = open_set(models / "drc" / "tiny")

    def load(module: nn.Module, *files: Path) -> nn.Module:
        module.load_state_dict({name: tensor for file in files for name, tensor in load_file(file).items()})
        return module.float()

    sizes, folder = lavit.sizes, lavit.folder
    vision = load(VisionTransformer(sizes.vision), folder / "vision.safetensors")
    tokenizer = load(VisualTokenizer(sizes.tokenizer), folder / "tokenizer.safetensors")
    high = load(HighResolutionDecoder(sizes.decoder), folder / "decoder.safetensors")
    low = load(LowResolutionDecoder(sizes.low_resolution), folder / "low_resolution_decoder.safetensors")
    language = load(LavitLanguage(sizes.language), *lavit.language)
    images = torch.randn(2, 3, 70, 70, generator=torch.Generator().manual_seed(0))
    codes = tokenizer(vision(images)[:, 1:])
    assert all(0 < len(picture) < 25 for picture in codes)
    prompt, pooled = high(tokenizer.vectors(codes))
    assert (prompt.shape, pooled.shape) == ((2, 25, 2048), (2, 1280))
    assert low(tokenizer.vectors(codes)).shape == (2, 25, 768)
    logits = language(language.prompt([codes[0] + FIRST_CODE])[None])
    assert logits.shape[-1] == FIRST_CODE + 96 and logits.isfinite().all()


def test_the_hash_is_that_of_the_weights(converted, published, tmp_path):
    lavit = open_set(converted[0] / "drc" / "tiny")
    convert(published, tmp_path, "under another name")
    assert open_set(tmp_path / "drc" / "under another name").hash == lavit.hash
    (tmp_path / "other").mkdir()
    other = write_published(tmp_path / "other", dataclasses.replace(SIZES, low_resolution=None), seed=1)
    convert(other, tmp_path, "other")
    assert open_set(tmp_path / "drc" / "other").hash != lavit.hash


def test_without_the_low_resolution(published, tmp_path):
    folder, models = tmp_path / "published", tmp_path / "models"
    shutil.copytree(published, folder)
    models.mkdir()
    (folder / "pixel_decoding" / "uncond_embeddings.bin").unlink()
    (folder / "pixel_decoding" / "vae" / "config.json").unlink()
    conversion = convert(folder, models, "tiny")
    assert files_in(models) == HIGH_ONLY
    assert conversion.left_out == "pixel_decoding/uncond_embeddings.bin, pixel_decoding/vae/config.json"
    assert table(conversion).endswith(f"for which these are missing: {conversion.left_out}.")
    assert open_set(models / "drc" / "tiny").sizes == dataclasses.replace(SIZES, low_resolution=None)


def test_a_diffusion_model_may_be_published_in_either_kind_of_file(published, tmp_path):
    """And an autoencoder with the old names of its attention, which the host knows as well."""
    folder, models = tmp_path / "published", tmp_path / "models"
    shutil.copytree(published, folder)
    models.mkdir()
    unet, vae = (folder / "highres_pixel_decoding" / part / "diffusion_pytorch_model" for part in ("unet", "vae"))
    unets = torch.load(unet.with_suffix(".bin"), weights_only=True)
    save_file(unets, unet.with_suffix(".safetensors"))
    unet.with_suffix(".bin").unlink()
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    vaes = {
        re.sub("to_(q|k|v|out.0)", lambda found: old[found[0]], name): tensor
        for name, tensor in load_file(vae.with_suffix(".safetensors")).items()
    }
    assert "encoder.mid_block.attentions.0.proj_attn.bias" in vaes
    torch.save(vaes, vae.with_suffix(".bin"))
    vae.with_suffix(".safetensors").unlink()
    convert(folder, models, "tiny")
    for before, place in (unets, "diffusion_models/tiny-unet.safetensors"), (vaes, "vae/tiny-vae.safetensors"):
        after = load_file(models / place)
        assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def test_the_stand_in_for_tests_is_a_whole_set(tmp_path):
    lavit = open_set(write_tiny_lavit(tmp_path / "models", "small"))
    assert lavit.sizes == SIZES
    unet = load_file(tmp_path / "models" / "diffusion_models" / "small-unet.safetensors")
    assert unet["label_emb.0.0.weight"].shape[1] == lavit.sizes.decoder.pooled_width + 6 * 256
    context = lavit.sizes.decoder.prompt_width + lavit.sizes.decoder.pooled_width
    assert unet["input_blocks.3.1.transformer_blocks.0.attn2.to_k.weight"].shape[1] == context


OPENED: list[str] = []
LISTENING = [False]


def test_what_is_not_needed_is_not_opened(published, tmp_path):
    def listen(event: str, arguments: tuple) -> None:
        if LISTENING and LISTENING[0] and event == "open":  # it hears the end of Python, too, when names are gone
            OPENED.append(str(arguments[0]))

    sys.addaudithook(listen)
    LISTENING[0] = True
    convert(published, tmp_path, "tiny")
    LISTENING[0] = False
    assert {str(published / name) for name in [*BECOMES, *LOW_BECOMES]} <= set(OPENED)
    assert not {str(published / name) for name in NEVER_READ} & set(OPENED)
    assert all((published / name).is_file() for name in NEVER_READ)


def test_peak_memory_is_that_of_the_largest_file(tmp_path, root):
    """Beyond what the interpreter and its modules take, as the system counts it, mapped files included."""
    language = LlamaConfig(FIRST_CODE + 96, 1024, 1024, 2, 16, 16)
    published = write_published(tmp_path / "published", dataclasses.replace(SIZES, language=language), shards=3)
    small = write_published(tmp_path / "small")
    (tmp_path / "models").mkdir()
    measure = """
import sys
from pathlib import Path
from drc.lmm.lavit.convert import convert

def peak():
    status = dict(line.split(":") for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(status["VmHWM"].split()[0]) * 1024

small, large, models = map(Path, sys.argv[1:])
convert(small, models, "small")
before = peak()
convert(large, models, "large")
print(peak() - before)
"""
    command = [sys.executable, "-c", measure, small, published, tmp_path / "models"]
    beyond = int(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)
    sizes = [path.stat().st_size for path in (tmp_path / "models" / "drc" / "large").iterdir()]
    largest, together = max(sizes), sum(sizes)
    allowance = 48 * 2**20
    assert together > largest + 1.5 * allowance  # or nothing would be measured
    assert beyond < largest + allowance


def test_the_command_ends_with_a_table(published, root, tmp_path):
    command = [sys.executable, "-m", "drc.lmm.lavit.convert", published, "--models", tmp_path, "--name", "tiny"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    rows = done.stdout.splitlines()
    assert rows[0].split() == ["file", "size", "dtype", "what", "for"]
    assert {row.split()[0] for row in rows[1:-2]} == EVERYTHING - {DESCRIPTION}
    assert re.match(r"vae/tiny-vae.safetensors +187.53 kB +float32 +written +autoencoder, for Load VAE$", rows[10])
    assert rows[-2].startswith("Together ") and rows[-1] == LICENCE
    assert re.search(r"([\d.]+ MB) of \1$", done.stderr.rstrip())


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["convert", str(tmp_path / "nowhere"), "--models", str(tmp_path)])
    assert main() == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith(
        f"{tmp_path / 'nowhere'} is not the folder of rain1011/LaVIT-7B-v2"
    )
    assert output.err.endswith(".\n") and output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (22_900_000_000, "22.90 GB")]
)
def test_amounts(size, text):
    assert amount(size) == text
