"""What the UNets are given: against what the original's UNet received, and as the host's sampler goes about it."""

from types import SimpleNamespace

import comfy.model_base
import comfy.model_sampling
import comfy.samplers
import pytest
import torch
import torch.nn.functional as F

from drc.lmm.lavit.conditioning import high_resolution, low_resolution
from drc.lmm.lavit.converted import Sizes
from drc.lmm.lavit.model import LavitConfig, LavitDecoder, filled
from drc.lmm.lavit.preprocess import prepare_for_detokenizer, prepare_for_tokenizer

from .recorded import DECODER, FIRST_CODE, MANIFEST, TOKENIZER, VISION, assert_recorded, outputs, picture, tensors

FILE = "conditioning.safetensors"
RECORDED = tensors(FILE)
SCENARIOS = {scenario["name"]: scenario for scenario in MANIFEST["scenarios"]["conditioning_scenarios"]}
DRAWN = {
    "out.high_from_llm.image_tokens",
    "out.high_multimodal.image_tokens",
}  # given here, held by test_drawn_pictures.py
LOW_SIZE = 512


@pytest.fixture(scope="module")
def computed(vision, tokenizer, high, low):
    made = {}
    for name, scenario in SCENARIOS.items():
        if name != "detokenizer":
            vectors = tokenizer.vectors([codes_of(ids) for ids in image_tokens(name)])
            made |= of_scenario(scenario, high, low, vectors)
    vectors = tokenizer.vectors(tokenizer(detokenizer_features(vision)))
    made |= of_scenario(SCENARIOS["detokenizer"], high, low, vectors)
    made["out.detokenizer.quantised"] = torch.cat(vectors)
    made["out.detokenizer.token_nums"] = torch.tensor([len(rows) for rows in vectors])
    made["out.high_multimodal.llm_prompt_ids"] = multimodal_prompt(vision, tokenizer)
    return made


def image_tokens(name):
    return RECORDED.get(f"in.{name}.image_tokens", RECORDED.get(f"out.{name}.image_tokens"))


def codes_of(ids):
    """Ids of the language model -> codes; ids that are no codes may stand anywhere between them."""
    return ids[ids >= FIRST_CODE] - FIRST_CODE


def detokenizer_features(vision):
    images = tensors("detokenizer_preprocess.safetensors")["in.images"]
    return vision(prepare_for_detokenizer(images, VISION))[:, 1:]


def multimodal_prompt(vision, tokenizer):
    parts = []
    for part, kind in SCENARIOS["high_multimodal"]["prompts"]:
        if kind == "text":
            parts.append(torch.tensor(part))
        else:
            name = part.removeprefix("input_").removesuffix(".png")
            features = vision(prepare_for_tokenizer([picture(name)], VISION))[:, 1:]
            parts.append(tokenizer(features)[0] + FIRST_CODE)
    return torch.cat(parts)


def of_scenario(scenario, high, low, vectors):
    arguments, B = scenario["args"], len(vectors)
    height, width = arguments.get("height", LOW_SIZE), arguments.get("width", LOW_SIZE)
    steps = timesteps(arguments["num_inference_steps"])
    made = {"timesteps": steps, "unet_input_shape": torch.tensor([2 * B, 4, height // 8, width // 8])}
    if scenario["decoder"] == "highres":
        positive, negative = high_resolution(high, vectors)
        ids = size_ids(
            height, width, arguments.get("original_size"), tuple(arguments.get("crops_coords_top_left", (0, 0)))
        )
        made |= {
            "positive_pooled": positive.pooled,
            "negative_pooled": negative.pooled,
            "time_ids": ids.repeat(2 * B, 1),
        }
    else:
        empty_prompt = tensors("weights/uncond_embeddings.safetensors")["uncond_embeddings"]
        positive, negative = low_resolution(low, vectors, empty_prompt)
        made |= {"positive_mask": positive.mask, "negative_mask": negative.mask}
    made |= {"positive_prompt_embeds": positive.prompt, "negative_prompt_embeds": negative.prompt}
    return {f"out.{scenario['name']}.{quantity}": tensor for quantity, tensor in made.items()}


def size_ids(
    height: int, width: int, original: tuple[int, int] | None = None, corner: tuple[int, int] = (0, 0)
) -> torch.Tensor:
    """What SDXL is told of sizes in pixels, the same for both conditions [6]: the original height and width (those of
    the picture where not given), the top left corner cut from it (top, left), height and width of the picture."""
    return torch.tensor([*(original or (height, width)), *corner, height, width], dtype=torch.float32)


def timesteps(steps):
    """Those that the host's sampler visits with its schedule "ddim_uniform"."""
    sampling = comfy.model_sampling.ModelSamplingDiscrete()
    sigmas = comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", steps)
    return sampling.timestep(sigmas[:-1])


def test_nothing_is_forgotten(computed):
    assert set(computed) | DRAWN == set(outputs(FILE))


@pytest.mark.parametrize("name", sorted(set(outputs(FILE)) - DRAWN))
def test_recorded(computed, name):
    assert_recorded(FILE, name, computed[name])


@pytest.fixture(scope="module")
def decoder(tokenizer, high, low):
    """What the node calls, with the recorded weights."""
    decoder = LavitDecoder(LavitConfig(Sizes(None, VISION, TOKENIZER, DECODER, DECODER)))
    decoder.codebook, decoder.high_resolution, decoder.low_resolution = tokenizer.quantize.embedding, high, low
    empty_prompt = tensors("weights/uncond_embeddings.safetensors")["uncond_embeddings"]
    decoder.empty_prompt = torch.nn.Parameter(empty_prompt, requires_grad=False)
    return decoder


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"detokenizer"}))
def test_the_host_s_sampler_is_given_what_was_recorded(pack, decoder, name):
    codes = filled([codes_of(ids) for ids in image_tokens(name)], VISION.patches)
    arguments, low = SCENARIOS[name]["args"], SCENARIOS[name]["decoder"] == "lowres"
    width, height = arguments.get("width", LOW_SIZE), arguments.get("height", LOW_SIZE)
    for sign, condition in zip(("positive", "negative"), decoder.condition(codes, low), strict=True):
        ((prompt, extra),) = pack.nodes.conditioning.as_conditioning(condition, width, height)
        hidden = VISION.patches - prompt.shape[1]  # rows that the recorded mask hides
        assert_recorded(FILE, f"out.{name}.{sign}_prompt_embeds", F.pad(prompt, (0, 0, 0, hidden)))
        if low:
            expected = torch.arange(VISION.patches) < prompt.shape[1]
            assert torch.equal(RECORDED[f"out.{name}.{sign}_mask"], expected.expand(len(codes), -1))
            assert type(extra.pop("pooled_output")).__name__ == "NoPooledPrompt" and not extra
            continue
        told = told_by_the_host(extra)
        assert_recorded(FILE, f"out.{name}.{sign}_pooled", told[:, :-6])
        if "original_size" not in arguments:  # of another size than the picture: the node has no widget for that
            assert torch.equal(told[:, -6:].repeat(2, 1), RECORDED[f"out.{name}.time_ids"])


def told_by_the_host(extra):
    """What the host's Stable Diffusion XL makes of it: pooled prompt, then the six sizes, here as they are."""
    plain = SimpleNamespace(embedder=torch.nn.Identity(), noise_augmentor=None)
    return comfy.model_base.SDXL.encode_adm(plain, **extra)
