"""What does not go with a LaVIT is one sentence: which node, what was given, what was expected, what to do."""

import dataclasses
import shutil

import comfy.model_patcher
import comfy.supported_models
import folder_paths
import pytest
import torch

from drc.lmm.lavit.convert import convert
from scripts.lib.sentence import sentence_shown as sentence
from scripts.lib.tiny_lavit import SIZES, write_published

from .host_models import small_unet

UNTRAINED = (
    "the towers of this model were never trained; run the workflow train_disentanglement, then train_personalisation, "
    "or load a model of stage 1 or 2."
)


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 30, 30, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def tokens(graph, lavit, images):
    return graph.run("DRC_TokenizeImage", model=lavit, images=images)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Another LaVIT, without the low resolution."""
    sizes = dataclasses.replace(SIZES, low_resolution=None)
    return write_published(tmp_path_factory.mktemp("published"), sizes, seed=1)


@pytest.fixture(scope="module")
def other_lavit(published, tmp_path_factory):
    """The folder of it, converted."""
    models = tmp_path_factory.mktemp("other")
    convert(published, models, "other-lavit")
    return models / "drc" / "other-lavit"


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    """An empty one, the only one that the host knows."""
    folder = tmp_path / "models" / "drc"
    folder.mkdir(parents=True)
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path / "models"))
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "drc", ([str(folder)], {".safetensors"}))
    return folder


def test_towers_that_were_never_trained(graph, lavit, images):
    assert sentence(graph.style, lavit, images) == f"StyleTower: {UNTRAINED}"
    assert sentence(graph.semantics, lavit, images[:1]) == f"SemanticTower: {UNTRAINED}"
    assert sentence(graph.compose, lavit, text="a red apple") == f"ComposeInstruction: {UNTRAINED}"
    assert sentence(graph.run, "DRC_SaveModel", model=lavit) == (
        "Save DRC Model: 'tiny-lavit' has nothing trained on top that could be saved; train it first."
    )


def test_decode(graph, lavit, tokens):
    for size in ("as drawn", "sharp, 4 times as large"):
        assert sentence(graph.decode, lavit, tokens, size=size) == (
            "DRC Decode: model is 'tiny-lavit', which draws through a diffusion model; connect the tokens to Tokens To "
            "Conditioning, and that to KSampler and VAE Decode."
        )


@pytest.fixture(scope="module")
def unet():
    return small_unet(comfy.supported_models.SD15)


def test_a_model_that_is_no_lavit(graph, model, instruction, unet):
    tokens = graph.generate(model, instruction)
    context, diffusion = {"text": "a red apple"}, {"tokens": tokens, "diffusion_model": unet}
    assert sentence(graph.run, "DRC_ComposeInContext", model=model, **context) == (
        "ComposeInContext: model is 'tiny.safetensors', which takes no pictures and words in one prompt, expected a "
        "LaVIT or a Janus, or one over it; choose one in Load DRC Model."
    )
    assert sentence(graph.run, "DRC_TokensToConditioning", model=model, **diffusion) == (
        "Tokens To Conditioning: model is 'tiny.safetensors', which draws its pictures itself, expected one over "
        "LaVIT; choose a converted LaVIT in Load DRC Model."
    )


def test_records_of_another_model(graph, lavit, model, instruction, unet):
    text = sentence(graph.generate, lavit, instruction)
    assert text.startswith("DRC-LMM-Generate: instruction was made by another model than 'tiny-lavit'")
    tokens = graph.generate(model, instruction)
    text = sentence(graph.run, "DRC_TokensToConditioning", model=lavit, tokens=tokens, diffusion_model=unet)
    assert text.startswith("Tokens To Conditioning: tokens was made by another model than 'tiny-lavit'")


def test_more_than_the_language_model_reads(graph, lavit, images):
    def compose(count, **inputs):
        history = images[:1].expand(count, -1, -1, -1)
        return graph.run("DRC_ComposeInContext", model=lavit, history=history, **inputs)

    each = int((graph.run("DRC_TokenizeImage", model=lavit, images=images[:1], seed=0).codes >= 0).sum())
    one, two = (len(lavit.drc.words.encode("apple " * count)) for count in (1, 2))
    room = 2048 - 25 - 1
    text = "apple " * (1 + (room - 4 * each - one) // (two - one))  # which leaves room for four pictures
    assert sentence(compose, 4, reference=images[:1], text=text) == (
        "ComposeInContext: history has 4 pictures, but only 3 fit beside the rest into what this language model reads; "
        "leave some out, or shorten the text."
    )
    fits = compose(3, reference=images[:1], text=text)
    assert room - len(fits.ids) < two - one and (graph.generate(lavit, fits).codes >= 0).any()
    told = sentence(compose, 1, text=text * 2)
    assert told.startswith("ComposeInContext: text and reference take ")
    assert told.endswith(
        f"but this language model has room for {room} beside the picture that it draws; shorten the text."
    )
    told = sentence(compose, 1, reference=images)
    assert told.startswith("ComposeInContext: reference has 2 pictures, expected 1")


@pytest.mark.parametrize("node", ["DRC_TokenizeImage", "DRC_ComposeInContext"])
@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda images: images[:0], "holds no picture"), (lambda images: images * float("nan"), "expected 0 to 1")],
)
def test_pictures_that_are_none(graph, lavit, images, node, change, words):
    name = "images" if node == "DRC_TokenizeImage" else "history"
    assert words in sentence(graph.run, node, model=lavit, **{name: change(images)})


def test_a_unet_of_neither_layout(graph, lavit, tokens):
    unet = small_unet(comfy.supported_models.SD20, context_dim=1024)
    text = sentence(graph.run, "DRC_TokensToConditioning", model=lavit, tokens=tokens, diffusion_model=unet)
    assert text == (
        "Tokens To Conditioning: diffusion_model is laid out neither as Stable Diffusion XL nor as Stable Diffusion "
        "1.5, for which alone LaVIT has conditioning; connect the UNet that Convert LaVIT wrote."
    )


def test_a_low_resolution_that_was_not_converted(graph, models_folder, other_lavit, images):
    shutil.copytree(other_lavit, models_folder / "other-lavit")
    other = graph.load("other-lavit")
    tokens = graph.run("DRC_TokenizeImage", model=other, images=images)
    unet = small_unet(comfy.supported_models.SD15)
    text = sentence(graph.run, "DRC_TokensToConditioning", model=other, tokens=tokens, diffusion_model=unet)
    assert text == (
        "Tokens To Conditioning: diffusion_model is of the layout of Stable Diffusion 1.5, but the low resolution of "
        "'other-lavit' was not converted; connect LaVIT's large UNet, or convert the low resolution too."
    )


def test_a_picture_without_codes(graph, lavit, tokens):
    codes = tokens.codes.clone()
    codes[1] = -1
    none = type(tokens)(codes, tokens.model)
    unet = small_unet(comfy.supported_models.SD15)
    text = sentence(graph.run, "DRC_TokensToConditioning", model=lavit, tokens=none, diffusion_model=unet)
    assert text == (
        "Tokens To Conditioning: picture 2 of the tokens has 0 codes, expected 1 to 25; choose another seed or another "
        "picture."
    )


def test_towers_over_a_lavit_that_is_not_there(graph, models_folder, lavit_towers, other_lavit):
    shutil.copy(lavit_towers, models_folder)
    assert sentence(graph.load, lavit_towers.name) == (
        "Load DRC Model: lavit-towers.safetensors was trained over 'tiny-lavit', but none in models/drc is that one "
        "(found: none); put it there, a LaVIT with Convert LaVIT, or choose another model."
    )
    shutil.copytree(other_lavit, models_folder / "tiny-lavit")  # of the same name
    assert "but the folder of that name in models/drc holds other weights now (found: tiny-lavit); put its own" in (
        sentence(graph.load, lavit_towers.name)
    )


def test_towers_find_their_lavit_whatever_it_is_called(graph, models_folder, lavit_towers, other_lavit, tiny_lavit):
    shutil.copy(lavit_towers, models_folder)
    shutil.copytree(other_lavit, models_folder / "tiny-lavit")
    shutil.copytree(tiny_lavit / "drc" / "tiny-lavit", models_folder / "renamed")
    model = graph.load(lavit_towers.name)
    assert model.lmm_folder == models_folder / "renamed" and model.drc.stage == 2


@pytest.mark.parametrize(
    "file", ["vision.safetensors", "tokenizer.model", "language-00002-of-00003.safetensors", "config.json"]
)
def test_a_converted_set_that_is_not_whole(graph, models_folder, tiny_lavit, file):
    folder = models_folder / "tiny-lavit"
    shutil.copytree(tiny_lavit / "drc" / "tiny-lavit", folder)
    (folder / file).unlink()
    rest = "so this LaVIT is not whole; run the conversion again, it writes what is missing."
    assert sentence(graph.load, "tiny-lavit") == f"Load DRC Model: {folder / file} is missing, {rest}"
    (folder / file).write_bytes(b"short")
    assert f"{folder / file} has 5 bytes, expected " in sentence(graph.load, "tiny-lavit")
    (folder / "lavit.json").write_text("{")
    assert "lavit.json is damaged" in sentence(graph.load, "tiny-lavit")


def test_folders_that_are_no_download(graph, models_folder, downloads):
    def converting(folder, **widgets):
        return sentence(graph.run, "DRC_ConvertLaVIT", folder=folder, **widgets)

    for folder in ("", "LaVIT-7B-v2"):
        assert converting(folder) == (
            f"Convert LaVIT: folder is '{folder}', expected a full path; write the full path of the folder that you "
            "downloaded LaVIT to."
        )
    assert "expected one that nodes may read; move it into" in converting("/usr")
    downloads.mkdir()
    for folder in (downloads, downloads / "nowhere", f'"{downloads}"'):  # quoted, as Windows copies a path
        text = converting(str(folder))
        assert text.startswith(f"Convert LaVIT: {str(folder).strip(chr(34))} is not the folder of rain1011/LaVIT-7B-v2")
    assert list(models_folder.parent.iterdir()) == [models_folder] and not list(models_folder.iterdir())


@pytest.fixture
def download(published, tmp_path):
    """A copy that may be damaged."""
    return shutil.copytree(published, tmp_path / "download")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def put_more_than_tensors(path):
    torch.save(torch.load(path, weights_only=True) | {"more": print}, path)


SHARD, VISION = "language_model/pytorch_model-00002-of-00003.bin", "visual_tokenizer/eva_vitg_psz14.bin"


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        (SHARD, lambda path: path.unlink()),
        (SHARD, cut),
        (SHARD, lambda path: shutil.copy(path.with_name("pytorch_model-00001-of-00003.bin"), path)),
        (VISION, put_more_than_tensors),
        (VISION, lambda path: path.write_bytes(b"<html>no such file</html>")),
        ("highres_pixel_decoding/unet/config.json", lambda path: path.write_text("[]")),
    ],
)
def test_damaged_downloads(graph, models_folder, download, file, damage):
    damage(download / file)
    text = sentence(graph.run, "DRC_ConvertLaVIT", folder=str(download))
    assert text.startswith("Convert LaVIT: ") and str(download) in text and file.rpartition("/")[2] in text
    assert not list(models_folder.iterdir())


@pytest.mark.parametrize("name", ["", "../mine", "a/b", ".mine", "mine."])
def test_names_that_are_none(graph, models_folder, download, name):
    text = sentence(graph.run, "DRC_ConvertLaVIT", folder=str(download), name=name)
    assert text.startswith(f"Convert LaVIT: name is '{name}', expected letters")
