"""From the published folder to safetensors: the same numbers, whole files only, in little memory."""

import dataclasses
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from drc.files import file_hash
from drc.lmm.lavit.convert import amount, check_room, convert, main, table
from drc.lmm.lavit.converted import LICENCE
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.language import FIRST_CODE, LavitLanguage
from drc.lmm.lavit.reading import open_set
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer
from drc.lmm.lavit.weights import File
from drc.lmm.llama import LlamaConfig
from scripts.lib.disk import full_disk, names
from scripts.lib.tiny_lavit import NEVER_READ, SIZES, write_published, write_tiny_lavit

BECOMES = {
    "language_model/pytorch_model-00001-of-00003.bin": "drc/tiny/language-00001-of-00003.safetensors",
    "language_model/pytorch_model-00002-of-00003.bin": "drc/tiny/language-00002-of-00003.safetensors",
    "language_model/pytorch_model-00003-of-00003.bin": "drc/tiny/language-00003-of-00003.safetensors",
    "visual_tokenizer/eva_vitg_psz14.bin": "drc/tiny/vision.safetensors",
    "visual_tokenizer/tokenizer_encoder.bin": "drc/tiny/tokenizer.safetensors",
    "visual_tokenizer/highres_tokenizer_decoder.bin": "drc/tiny/decoder.safetensors",
    "highres_pixel_decoding/unet/diffusion_pytorch_model.bin": "diffusion_models/tiny-unet.safetensors",
}
LOW_BECOMES = {
    "visual_tokenizer/tokenizer_decoder.bin": "drc/tiny/low_resolution_decoder.safetensors",
    "pixel_decoding/unet/diffusion_pytorch_model.bin": "diffusion_models/tiny-low-resolution-unet.safetensors",
}
COPIED = {
    "language_model/config.json": "drc/tiny/config.json",
    "language_model/tokenizer.model": "drc/tiny/tokenizer.model",
    "highres_pixel_decoding/vae/diffusion_pytorch_model.safetensors": "vae/tiny-vae.safetensors",
}
LOW_COPIED = {"pixel_decoding/vae/diffusion_pytorch_model.safetensors": "vae/tiny-low-resolution-vae.safetensors"}
EMPTY_PROMPT = "drc/tiny/empty_prompt.safetensors"
DESCRIPTION = "drc/tiny/lavit.json"
HIGH_ONLY = {*BECOMES.values(), *COPIED.values(), DESCRIPTION}
EVERYTHING = {*HIGH_ONLY, *LOW_BECOMES.values(), *LOW_COPIED.values(), EMPTY_PROMPT}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def converted(published, tmp_path_factory):
    """The models folder, and what the conversion returned."""
    models = tmp_path_factory.mktemp("models")
    return models, convert(published, models, "tiny")


def files_in(folder: Path) -> set[str]:
    return {name for name in names(folder) if (folder / name).is_file()}


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


def damaged(published: Path, folder: Path, name: str, change) -> Path:
    """A copy in which `change` damages the numbers of one file, of the same size as before."""
    shutil.copytree(published, folder)
    with zipfile.ZipFile(folder / name) as archive:
        record = max(archive.infolist(), key=lambda record: record.file_size)
    data = bytearray((folder / name).read_bytes())
    end = data.index(b"PK", record.header_offset + 200 + record.file_size // 2)  # of the largest tensor's record
    data[end - 400 : end - 100] = change(data[end - 400 : end - 100])
    (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    "change", [lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: bytes(len(data))], ids=["a bit", "zeros"]
)
@pytest.mark.parametrize("source", [list(BECOMES)[number] for number in (0, 3, 6)])
def test_damage_that_keeps_the_size(published, tmp_path, source, change):
    folder, models = damaged(published, tmp_path / "published", source, change), tmp_path / "models"
    models.mkdir()
    with pytest.raises(ValueError) as error:
        convert(folder, models, "tiny")
    text = str(error.value)
    assert text.startswith(f"{folder / source} is damaged in ") and "\n" not in text
    assert text.endswith(", its check sum is another; download it again from rain1011/LaVIT-7B-v2")
    assert not {BECOMES[source], DESCRIPTION} & files_in(models)
    assert not [name for name in names(models) if name.endswith(".part")]
    shutil.copy(published / source, folder / source)
    convert(folder, models, "tiny")
    assert files_in(models) == EVERYTHING


def changed_eyes(published: Path, tmp_path: Path, change) -> tuple[Path, Path]:
    """A published folder with other tensors in the file of the eyes, and a models folder."""
    folder, models = tmp_path / "published", tmp_path / "models"
    shutil.copytree(published, folder)
    models.mkdir()
    path = folder / "visual_tokenizer" / "eva_vitg_psz14.bin"
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)
    return folder, models


def test_numbers_that_tensors_share_are_held_against_their_sum(published, tmp_path):
    def share(tensors: dict) -> None:
        table = torch.stack([tensors["norm.bias"], tensors["norm.weight"]])
        tensors |= {"norm.bias": table[0], "norm.weight": table[1]}

    folder, models = changed_eyes(published, tmp_path, share)
    convert(folder, models, "tiny")
    before = torch.load(published / "visual_tokenizer" / "eva_vitg_psz14.bin", weights_only=True)
    after = load_file(models / "drc" / "tiny" / "vision.safetensors")
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(published, tmp_path, value):
    folder, models = changed_eyes(published, tmp_path, lambda tensors: tensors["norm.bias"][:1].fill_(value))
    with pytest.raises(ValueError, match=r"eva_vitg_psz14.bin holds numbers in norm.bias that are none \(NaN or inf"):
        convert(folder, models, "tiny")
    assert "drc/tiny/vision.safetensors" not in files_in(models)


class StopError(Exception):
    pass


def stop_after(calls: int):
    def on_bytes(done: int, total: int) -> None:
        nonlocal calls
        calls -= 1
        if calls == 0:
            raise StopError

    return on_bytes


def test_progress_counts_all_bytes(published, converted, tmp_path):
    told = []
    conversion = convert(published, tmp_path, "tiny", lambda *numbers: told.append(numbers))
    total = sum(file.size for file in conversion.files)
    assert told[-1] == (total, total) and {end for _, end in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_stop_leaves_whole_files_and_the_next_call_goes_on(published, converted, tmp_path, share):
    told = []
    convert(published, tmp_path, "other", lambda *numbers: told.append(numbers))
    models = tmp_path / "models"
    models.mkdir()
    with pytest.raises(StopError):
        convert(published, models, "tiny", stop_after(1 + round(share * (len(told) - 1))))
    assert DESCRIPTION not in files_in(models) and files_in(models) < EVERYTHING
    before = {name: (models / name).stat() for name in files_in(models)}
    assert all((models / name).read_bytes() == (converted[0] / name).read_bytes() for name in before)
    with pytest.raises(ValueError, match="holds no lavit.json"):
        open_set(models / "drc" / "tiny")

    conversion = convert(published, models, "tiny")
    assert conversion.kept == set(before)
    for name, status in before.items():
        assert (models / name).stat().st_mtime_ns == status.st_mtime_ns
    assert files_in(models) == EVERYTHING
    assert all((models / name).read_bytes() == (converted[0] / name).read_bytes() for name in EVERYTHING)


def test_a_file_with_other_bytes_is_written_again(published, converted, tmp_path):
    shutil.copytree(converted[0], tmp_path, dirs_exist_ok=True)
    name = "drc/tiny/vision.safetensors"
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)

    def on_bytes(done: int, total: int) -> None:
        if not (tmp_path / DESCRIPTION).exists():  # from the first new byte on, the set is not one
            raise StopError

    with pytest.raises(StopError):
        convert(published, tmp_path, "tiny", on_bytes)
    conversion = convert(published, tmp_path, "tiny")
    assert {file.place for file in conversion.files} - conversion.kept == {name}
    assert all((tmp_path / name).read_bytes() == (converted[0] / name).read_bytes() for name in EVERYTHING)


def test_a_whole_set_is_left_alone(published, converted, tmp_path):
    shutil.copytree(converted[0], tmp_path, dirs_exist_ok=True)
    with pytest.raises(StopError):
        convert(published, tmp_path, "tiny", stop_after(5))
    assert open_set(tmp_path / "drc" / "tiny").hash == open_set(converted[0] / "drc" / "tiny").hash
    conversion = convert(published, tmp_path, "tiny")
    assert conversion.kept == EVERYTHING - {DESCRIPTION}
    assert "was there" in table(conversion) and "written" not in table(conversion)


def test_what_a_killed_process_left_is_taken_away(published, tmp_path):
    for name in ("vision.safetensors.part", "language-00002-of-00003.safetensors.part"):
        (tmp_path / "drc" / "tiny").mkdir(parents=True, exist_ok=True)
        (tmp_path / "drc" / "tiny" / name).write_bytes(b"half")
    convert(published, tmp_path, "tiny")
    assert files_in(tmp_path) == EVERYTHING


def test_a_full_disk_leaves_whole_files_and_the_next_call_goes_on(published, tmp_path):
    with full_disk(500_000), pytest.raises(ValueError) as error:
        convert(published, tmp_path, "tiny")
    path = tmp_path / "drc" / "tiny" / "language-00001-of-00003.safetensors"
    text = str(error.value)
    assert text.startswith(f"{path} could not be written (") and "\n" not in text
    assert text.endswith("make room on that disk and start the conversion again, it goes on from there")
    before = {"drc/tiny/config.json", "drc/tiny/tokenizer.model"}
    assert files_in(tmp_path) == before
    assert convert(published, tmp_path, "tiny").kept == before
    assert files_in(tmp_path) == EVERYTHING


def test_room_is_looked_for_before_anything_is_written(tmp_path):
    there = tmp_path / "vae" / "there.safetensors"
    there.parent.mkdir()
    there.write_bytes(b"12345")
    large = File("diffusion_models/large.safetensors", tmp_path / "large.bin", 2**60, "bfloat16", "")
    with pytest.raises(ValueError) as error:
        check_room([File("vae/there.safetensors", there, 5, "", ""), large], tmp_path)
    text = str(error.value)
    assert text.startswith(f"the disk of {tmp_path} has ") and "the conversion needs 1152921.50 TB there" in text
    check_room([File("vae/there.safetensors", there, 5, "", "")], tmp_path)


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
