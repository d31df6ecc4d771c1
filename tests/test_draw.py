"""Pictures in, pictures out: the few lines that draw without any interface."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import drc
from drc.instruction import OPEN_TEMPERATURE, TEMPERATURE
from drc.likelihood import conditions, log_likelihoods
from drc.lmm.generate import Sampling
from drc.pixels import from_image, to_pixels
from scripts.lib.tiny import write_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return drc.load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors"))


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(height, 40, 3, generator=generator) for height in (40, 32, 24)]


def test_from_files_to_files(model, tmp_path, root):
    example = root / "nodes" / "examples" / "example-1"
    history = drc.read(*sorted(example.glob("history-*.png")))
    drawn = model.draw(history, drc.read(example / "reference.png"), seeds=[1, 2])
    files = drc.write(drawn, tmp_path / "drawn.png")
    assert [file.name for file in files] == ["drawn-1.png", "drawn-2.png"]
    seen = np.stack([np.array(Image.open(file)) for file in files])
    assert np.array_equal(seen, to_pixels(from_image(drawn))) and not np.array_equal(*seen)
    assert [file.name for file in drc.write(drawn[:1], tmp_path / "one.png")] == ["one.png"]


def test_a_picture_depends_on_its_seed_alone(model, pictures):
    together = model.draw(pictures, pictures[:1], "red apple", seeds=[3, 4])
    alone = model.draw(pictures, pictures[:1], "red apple", seeds=[4])
    assert together.shape == (2, 32, 32, 3)
    assert np.array_equal(to_pixels(from_image(together))[1:], to_pixels(from_image(alone)))


def test_it_is_what_the_steps_draw(model, pictures):
    codes = model.tokenize(pictures, "pictures")
    made = model.compose(model.style(codes[1:]), model.semantics(codes[0]), "blue car", 1.5, 2.5)
    drawn = model.lmm.detokenize(model.lmm.draw(made, [7], Sampling(TEMPERATURE)))
    given = pictures[1:], pictures[:1], "blue car", 1.5, 2.5, [7]
    assert torch.equal(from_image(model.draw(*given)), drawn)
    assert torch.equal(model.lmm.detokenize(model.draw(*given, as_codes=True)), drawn)


def test_a_cpu_draws_on_one_thread_and_has_all_again_afterwards(model, pictures):
    before, seen = torch.get_num_threads(), set()
    torch.set_num_threads(2)
    try:
        model.draw(pictures, pictures[:1], on_code=lambda drawn, codes: seen.add(torch.get_num_threads()))
        assert (seen, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


def test_a_list_has_one_for_each_picture(model, pictures):
    codes = model.tokenize(pictures, "pictures")
    styles, semantics = [model.style(codes[:1]), model.style(codes[1:])], model.semantics(codes[0])
    together = model.draw(styles, semantics, "red", [0.5, 2.0], 1.5, seeds=[3, 4])
    for drawn, style, strength, seed in zip(together, styles, (0.5, 2.0), (3, 4), strict=True):
        alone = model.draw(style, semantics, "red", strength, 1.5, seeds=[seed])
        assert np.array_equal(to_pixels(from_image(drawn[None])), to_pixels(from_image(alone)))


def test_it_is_drawn_more_freely_where_no_reference_says_what(model, pictures):
    style, semantics = model.styles_of(pictures), model.semantics_of(pictures[:1])
    for given, temperature in (
        ((style, semantics, "", 1.0, 1.0), TEMPERATURE),
        ((style, None, "red apple", 1.0, 1.0), OPEN_TEMPERATURE),
        ((style, semantics, "red apple", 1.0, 0.0), OPEN_TEMPERATURE),
    ):
        drawn = model.lmm.draw(model.compose(*given), [7], Sampling(temperature))
        assert torch.equal(model.draw(*given, seeds=[7], as_codes=True), drawn)
    given = style, semantics, "", 1.0, [0.0, 1.0]  # both in one batch
    for one, strength in zip(model.draw(*given, seeds=[7, 7]), (0.0, 1.0), strict=True):
        alone = model.draw(*given[:-1], strength, seeds=[7])
        assert np.array_equal(to_pixels(from_image(one[None])), to_pixels(from_image(alone)))


def test_history_and_reference_may_be_left_out(model, pictures):
    for given in ({"history": pictures}, {"reference": pictures[:1]}, {"text": "red apple"}):
        assert model.draw(**given).isfinite().all()


def test_bad_input_is_one_sentence(model, pictures, tmp_path):
    for given, words in (
        ({"reference": pictures}, "reference has 3 pictures, expected 1"),
        ({"history": [pictures[0] * 9]}, "picture 1 of history holds numbers"),
        ({"history": [pictures[0].byte()]}, "history is a strided tensor of uint8"),
        ({"style_strength": [1.0, 2.0]}, "style_strength is a list of 2, expected one for each of 1 seeds"),
    ):
        with pytest.raises(ValueError, match=words):
            model.draw(**given)
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"no\.png' is"):
        drc.read(tmp_path / "no.png")


def test_a_model_that_draws_no_pixels_says_so(tiny_lavit):
    folder = tiny_lavit / "drc" / "tiny-lavit"
    with pytest.raises(ValueError, match="draws codes for a diffusion model"):
        drc.load(folder / "lavit.json").draw(text="an apple")


def recorded(root):
    """What the embedded model makes of an example: codes of the reference, codes drawn, and how likely those are."""
    model, example = drc.load(), root / "nodes" / "examples" / "icons-1"
    history = drc.read(*(example / f"icon-{number}.png" for number in range(1, 9)))
    reference = drc.read(example / "reference.png")
    codes = model.tokenize(history + reference, "pictures")
    vectors, text = conditions(model, model.style(codes[:8]), model.semantics(codes[8]))
    drawn = model.draw(history, reference, seeds=[5], as_codes=True)
    return codes[8], drawn[0], lambda its: log_likelihoods(model, its[None], vectors, text).mean(dim=(1, 2))


def test_the_weights_that_ship_draw_what_they_drew(root):
    """Recorded when the weights were committed; other weights need another record, and nothing else does. Another
    processor rounds otherwise: so likelihoods are asked of the recorded codes, and codes only for most of them."""
    record = json.loads((root / "tests" / "fixtures" / "drawn.json").read_text())
    reference, drawn, likely = recorded(root)
    assert (reference == torch.tensor(record["reference"])).float().mean() > 0.98
    assert torch.equal(drawn[:8], torch.tensor(record["drawn"])[:8])
    assert likely(torch.tensor(record["drawn"])).tolist() == pytest.approx(record["likelihoods"], abs=2e-3)
