"""What the UNets are given: against what the original's UNet received, and as the host's sampler goes about it."""

import comfy.model_sampling
import comfy.samplers
import pytest
import torch

from drc.lmm.lavit.conditioning import high_resolution, low_resolution, size_ids
from drc.lmm.lavit.preprocess import prepare_for_detokenizer, prepare_for_tokenizer

from .recorded import FIRST_CODE, MANIFEST, VISION, assert_recorded, outputs, picture, tensors

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
