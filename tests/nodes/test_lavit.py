"""The nodes over a tiny LaVIT that was converted from the published layout, with random weights: noise, but exact."""

import functools

import comfy.model_management
import comfy.supported_models
import folder_paths
import pytest
import torch
from PIL import Image

from drc.lmm.lavit.preprocess import prepare_for_tokenizer
from scripts.lib.tiny_lavit import write_published

from .host_models import small_unet

WORDS = "a red apple"


@pytest.fixture(scope="module")
def images():
    """Three pictures that are not square, of 8 bits a colour."""
    return torch.randint(0, 256, (3, 60, 40, 3), generator=torch.Generator().manual_seed(0)) / 255


@pytest.fixture(scope="module")
def tokenize(graph, lavit):
    return lambda images, **widgets: graph.run("DRC_TokenizeImage", model=lavit, images=images, **widgets).codes


@pytest.fixture(scope="module")
def compose(graph, lavit):
    return lambda **inputs: graph.run("DRC_ComposeInContext", model=lavit, **inputs)


@pytest.fixture(scope="module")
def instruction(compose, images):
    return compose(history=images[:2], reference=images[2:], text=WORDS)


@pytest.fixture(scope="module")
def tokens(graph, lavit, instruction):
    """Two drawn pictures."""
    return graph.generate(lavit, instruction, seed=3, batch_size=2)


@pytest.fixture(scope="module")
def unet_and_vae(stock, tiny_lavit):
    for folder in ("diffusion_models", "vae"):
        folder_paths.add_model_folder_path(folder, str(tiny_lavit / folder))
    with torch.inference_mode():
        unet = stock["UNETLoader"]().load_unet("tiny-lavit-unet.safetensors", "default")[0]
        return unet, stock["VAELoader"]().load_vae("tiny-lavit-vae.safetensors")[0]


@pytest.fixture(scope="module")
def to_conditioning(classes, lavit):
    """Both outputs."""

    def make(tokens, unet, width=64, height=64):
        with torch.inference_mode():
            node = classes["DRC_TokensToConditioning"]
            return node.execute(model=lavit, tokens=tokens, diffusion_model=unet, width=width, height=height).result

    return make


def sampled(stock, unet, positive, negative, batch=2):
    """As a user would with LaVIT's own scheduler, in two steps."""
    with torch.inference_mode():
        latent = stock["EmptyLatentImage"]().generate(64, 64, batch)[0]
        sampler = stock["KSampler"]()
        return sampler.sample(unet, 3, 2, 7.0, "ddim", "ddim_uniform", positive, negative, latent, 1.0)[0]


def test_it_is_offered_as_one_model(classes, lavit):
    (names,) = (part.options for part in classes["DRC_LoadModel"].define_schema().inputs if part.id == "model_name")
    assert "tiny-lavit" in names and not any(name.startswith("tiny-lavit/") for name in names)
    assert classes["DRC_LoadModel"].validate_inputs("tiny-lavit") is True


def test_pictures_are_squeezed_and_seen_as_the_original_does(lavit, tokenize, images):
    vision, pictures = lavit.drc.lmm.vision, [Image.fromarray(array) for array in (images * 255).byte().numpy()]
    features = vision.transformer(prepare_for_tokenizer(pictures, vision.config))[:, 1:]
    expected = vision.tokenizer(features)
    for codes, picture in zip(tokenize(images, decision="likeliest"), expected, strict=True):
        assert torch.equal(codes[codes >= 0], picture) and torch.equal(codes[: len(picture)], picture)


def test_a_seed_draws_the_same_codes_of_a_picture_in_any_batch(tokenize, images):
    drawn = tokenize(images, seed=5)
    assert drawn.shape == (3, 25) and drawn.dtype == torch.int64
    assert torch.equal(drawn[1:2], tokenize(images[1:2], seed=5))
    assert not torch.equal(drawn, tokenize(images, seed=6))


def test_the_likeliest_codes_depend_on_no_seed(tokenize, images):
    assert torch.equal(tokenize(images, decision="likeliest", seed=1), tokenize(images, decision="likeliest", seed=2))


def test_a_picture_may_be_shown_whole(tokenize, images):
    assert not torch.equal(tokenize(images, fit="whole"), tokenize(images, fit="squeezed"))
    square = images[:, :40]
    assert torch.equal(tokenize(square, fit="whole"), tokenize(square, fit="squeezed"))


@pytest.mark.parametrize("fit", ["squeezed", "whole"])
def test_what_is_transparent_counts_as_white(tokenize, images, fit):
    alpha = torch.ones(3, 60, 40, 1)
    alpha[:, :30] = 0
    on_white = torch.cat((torch.ones(3, 30, 40, 3), images[:, 30:]), dim=1)
    assert torch.equal(tokenize(torch.cat((images, alpha), dim=-1), fit=fit), tokenize(on_white, fit=fit))


def test_the_likeliest_codes_are_never_none(lavit, tokenize, images, monkeypatch):
    selector = lavit.drc.lmm.vision.tokenizer.token_predictor
    scores = selector.forward
    monkeypatch.setattr(selector, "forward", lambda features: scores(features) - torch.tensor([100.0, 0.0]))
    assert (tokenize(images, decision="likeliest") >= 0).sum(dim=1).tolist() == [1, 1, 1]
    assert (tokenize(images) >= 0).sum() == 0


def test_history_reference_and_words_stand_one_after_another(lavit, compose, tokenize, instruction, images):
    codes = tokenize(images, seed=0)
    words = torch.tensor(lavit.drc.words.encode(WORDS))
    assert torch.equal(instruction.ids, torch.cat((32002 + codes[codes >= 0], words)))
    assert torch.equal(compose(reference=images[2:]).ids, 32002 + codes[2][codes[2] >= 0])
    assert torch.equal(compose(text=WORDS).ids, words)


def test_a_seed_draws_the_same_picture_in_any_batch(graph, lavit, instruction, tokens):
    assert tokens.codes.shape == (2, 25) and (tokens.codes >= 0).sum(dim=1).min() >= 20
    assert torch.equal(tokens.codes[1:], graph.generate(lavit, instruction, seed=4).codes)
    assert not torch.equal(tokens.codes[0], tokens.codes[1])


def test_nothing_given_draws_too(graph, lavit, compose):
    assert (graph.generate(lavit, compose()).codes >= 0).any()


def test_guidance_1_is_one_stream(graph, lavit, compose, images, tokens):
    plain, firm = (compose(history=images[:2], reference=images[2:], text=WORDS, guidance=one) for one in (1.0, 4.0))
    assert [coefficient for coefficient, _ in lavit.drc.lmm.streams(plain)] == [1.0]
    assert [coefficient for coefficient, _ in lavit.drc.lmm.streams(firm)] == [4.0, -3.0]
    sizes = [lavit.drc.lmm.drawing_bytes(one, 3) for one in (plain, firm)]
    assert sizes[0] < sizes[1] < 2 * sizes[0]
    assert not torch.equal(graph.generate(lavit, plain, seed=3).codes, tokens.codes[:1])


def test_cancel_works_between_any_two_codes(graph, lavit, instruction, pack, monkeypatch):
    steps = []

    class Bar:
        def update_absolute(self, value, preview=None):
            steps.append(value)
            if value == 3:
                comfy.model_management.interrupt_current_processing()

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        graph.generate(lavit, instruction)
    assert steps == [1, 2, 3]


def test_two_pictures_through_the_host_s_own_nodes(stock, tokens, unet_and_vae, to_conditioning):
    unet, vae = unet_and_vae
    conditions = to_conditioning(tokens, unet)
    latent = sampled(stock, unet, *conditions)
    with torch.inference_mode():
        pictures = stock["VAEDecode"]().decode(vae, latent)[0]
    assert pictures.shape == (2, 64, 64, 3) and pictures.isfinite().all() and pictures.std() > 0.05
    first, second = latent["samples"]
    swapped = sampled(stock, unet, *to_conditioning(turned(tokens), unet))["samples"]
    assert (swapped[1] - second).abs().max() > 1e-2  # each is conditioned by its own codes
    alone = sampled(stock, unet, *to_conditioning(only_first(tokens), unet), batch=1)["samples"][0]
    torch.testing.assert_close(alone, first, atol=1e-3, rtol=1e-3)


def turned(tokens):
    return type(tokens)(tokens.codes.flip(0), tokens.model)


def only_first(tokens):
    return type(tokens)(tokens.codes[:1], tokens.model)


@torch.inference_mode()
def of_decoder(lavit, tokens, low=False):
    return lavit.drc.lmm.decoder.condition(tokens.codes, low)


def test_conditioning_of_the_high_resolution(lavit, tokens, unet_and_vae, to_conditioning):
    expected = of_decoder(lavit, tokens)
    sizes = {"width": 96, "height": 64, "crop_w": 0, "crop_h": 0, "target_width": 96, "target_height": 64}
    for made, condition in zip(to_conditioning(tokens, unet_and_vae[0], 96), expected, strict=True):
        ((prompt, extra),) = made
        assert torch.equal(prompt, condition.prompt) and prompt.shape == (2, 25, 2048)
        assert torch.equal(extra.pop("pooled_output"), condition.pooled) and extra == sizes


def test_conditioning_of_the_low_resolution(stock, lavit, tokens, to_conditioning, unet_and_vae):
    low_unet = small_unet(comfy.supported_models.SD15)
    positive, negative = to_conditioning(tokens, low_unet)
    expected, nothing = of_decoder(lavit, tokens, low=True)
    assert torch.equal(positive[0][0], expected.prompt) and expected.mask.all()
    assert torch.equal(negative[0][0], nothing.prompt[:, :7]) and not nothing.mask[:, 7:].any()
    assert list(positive[0][1]) == list(negative[0][1]) == ["pooled_output"]
    latent = sampled(stock, low_unet, positive, negative)["samples"]
    assert latent.shape == (2, 4, 8, 8) and latent.isfinite().all()
    with pytest.raises(ValueError, match="is of LaVIT's low resolution, but its model is of the layout of Stable Diff"):
        sampled(stock, unet_and_vae[0], positive, negative)


@pytest.mark.parametrize("storage", ["float32", "bfloat16", "float8", "int8"])
def test_weights_are_kept_as_told(graph, lavit, instruction, tokens, storage):
    model = graph.run("DRC_LoadModel", model_name="tiny-lavit", storage=storage)
    language = model.drc.lmm.language
    kept = {"float8": torch.float8_e4m3fn}.get(storage) or getattr(torch, storage)
    layers = [module for module in language.modules() if isinstance(module, torch.nn.Linear)]
    assert len(layers) == 2 * 4 + 1 and {layer.weight.dtype for layer in layers} == {kept}
    assert language.model.embed_tokens.weight.dtype == torch.bfloat16  # as in the file
    codes = graph.generate(model, instruction, seed=3, batch_size=2).codes
    small = storage in ("float8", "int8")
    assert torch.equal(codes, tokens.codes) or small
    assert model.language.model_size() < lavit.language.model_size() or not small


def test_without_a_card_nothing_is_recorded_and_the_node_says_so(graph, lavit, instruction, tokens, pack, monkeypatch):
    """On a host that pages single weights, too, of which the name of its patcher tells."""
    paging = type("Paging", (comfy.model_patcher.ModelPatcher,), {})
    monkeypatch.setattr(comfy.model_patcher, "CoreModelPatcher", paging, raising=False)
    told = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: told.append(text))
    model = graph.run("DRC_LoadModel", model_name="tiny-lavit", cuda_graph=True)
    assert not isinstance(model.language, paging) and isinstance(model.vision, paging)
    assert torch.equal(graph.generate(model, instruction, seed=3, batch_size=2).codes, tokens.codes)
    assert told == ["cuda_graph is on, but not all of the language model lies on an NVIDIA card: no step is recorded."]
    alone = graph.run("DRC_LoadModel", model_name="tiny-lavit", compile_step=True)
    assert torch.equal(graph.generate(alone, instruction, seed=3, batch_size=2).codes, tokens.codes)
    assert told[1:] == ["compile_step is on, but cuda_graph is off: nothing is compiled."]


def test_what_is_kept_of_a_drawing_goes_when_weights_do(graph, instruction, tokens, pack, monkeypatch, recordings):
    """As on a card: what the stand-in for its recordings replays lies on the processor."""
    monkeypatch.setattr(pack.nodes.host, "is_resident", lambda owner: True)
    model = graph.run("DRC_LoadModel", model_name="tiny-lavit", cuda_graph=True)

    def drawn():
        return graph.generate(model, instruction, seed=3, batch_size=2).codes

    def some_leave():
        model.language.partially_unload(torch.device("cpu"), 1)

    for count, leave in enumerate((None, some_leave, model.language.detach)):
        if leave is not None:
            leave()
            assert not model.drc.lmm.language.recording.kept
        assert torch.equal(drawn(), tokens.codes) and torch.equal(drawn(), tokens.codes)
        assert len(recordings) == count + 1 and model.drc.lmm.language.recording.kept


def test_a_step_can_be_compiled_through_the_layers_of_the_host(
    graph, instruction, tokens, pack, monkeypatch, recordings, caplog
):
    """Which cast their weights, and before which Cancel is heard."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    monkeypatch.setattr(pack.nodes.host, "is_resident", lambda owner: True)
    model = graph.run("DRC_LoadModel", model_name="tiny-lavit", cuda_graph=True, compile_step=True)
    assert torch.equal(graph.generate(model, instruction, seed=3, batch_size=2).codes, tokens.codes)
    assert model.compiles and len(recordings) == 1 and "compile_step is on" not in caplog.text
    torch.compiler.reset()


def test_parts_come_to_the_device_when_they_work_and_leave_it_when_asked(
    graph, lavit, images, instruction, unet_and_vae, to_conditioning
):
    parts = {name: getattr(lavit, name) for name in ("vision", "language", "disentangler", "decoder")}
    weights = [set(map(id, patcher.model.parameters())) for patcher in parts.values()]
    assert sum(map(len, weights)) == len(set.union(*weights)) == len(list(lavit.drc.parameters()))

    def loaded():
        return {name for name, patcher in parts.items() if patcher in comfy.model_management.loaded_models()}

    def run():
        tokens = graph.run("DRC_TokenizeImage", model=lavit, images=images)
        yield "vision", tokens.codes
        yield "language", graph.generate(lavit, instruction).codes
        yield "decoder", to_conditioning(tokens, unet_and_vae[0])[0][0][0]

    comfy.model_management.unload_all_models()
    first = []
    for name, result in run():
        assert loaded() == {name}
        first.append(result)
        comfy.model_management.unload_all_models()
        assert loaded() == set()
    assert all(torch.equal(again, result) for (_, again), result in zip(run(), first, strict=True))
    assert loaded() == {"vision", "language", "decoder"}


def test_a_conversion_that_was_cancelled_goes_on(graph, pack, tmp_path, monkeypatch):
    published, models = write_published(tmp_path / "download"), tmp_path / "models"
    models.mkdir()
    monkeypatch.setattr(folder_paths, "models_dir", str(models))

    def bar(cancel_at):
        class Bar:
            def __init__(self, total):
                self.total = total

            def update_absolute(self, value, preview=None):
                if value > cancel_at * self.total:
                    comfy.model_management.interrupt_current_processing()

        return Bar

    with monkeypatch.context() as patch, pytest.raises(comfy.model_management.InterruptProcessingException):
        patch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", bar(0.5))
        graph.run("DRC_ConvertLaVIT", folder=str(published), name="mine")
    written = {path.name for path in (models / "drc" / "mine").iterdir()}
    assert "config.json" in written and "lavit.json" not in written
    assert not [name for name in written if name.endswith(".part")]
    report = graph.run("DRC_ConvertLaVIT", folder=f'"{published}"', name=" mine ")
    assert report.count("was there") == len(written) and "written" in report
    assert (models / "drc" / "mine" / "lavit.json").is_file()
