"""From a prompt of words and pictures to what the UNet is given: the language model draws in between."""

import pytest
import torch

from drc.lmm.generate import Sampling
from drc.lmm.lavit.language import draw_codes, guided

from .recorded import MANIFEST, tensors

FILE = "conditioning.safetensors"
SCENARIOS = {scenario["name"]: scenario for scenario in MANIFEST["scenarios"]["conditioning_scenarios"]}
START, END, PAD, FIRST_CODE = 32000, 32001, 2, 32002


def as_the_original_writes(codes, length):
    """Codes of every picture -> rows of ids: image start, codes, image end where there is room, and padding."""
    rows = torch.full((len(codes), length), PAD)
    for row, picture in zip(rows, codes, strict=True):
        ids = torch.cat((torch.tensor([START]), picture + FIRST_CODE, torch.tensor([END])))[:length]
        row[: len(ids)] = ids
    return rows


@pytest.mark.parametrize("name", ["high_from_llm", "high_multimodal"])
def test_drawn_codes(language, name):
    recorded, arguments = tensors(FILE), SCENARIOS[name]["args"]
    if name == "high_multimodal":
        prompts = [recorded["out.high_multimodal.llm_prompt_ids"]]
        limit = len(prompts[0])  # the original draws as many codes as a prompt with pictures is long
    else:
        prompts = [torch.tensor(prompt) for prompt in SCENARIOS[name]["prompts"]]
        limit = arguments["max_length"]
    streams = guided(language, [language.prompt([ids]) for ids in prompts], arguments["guidance_scale_for_llm"])
    greedy = Sampling(temperature=0.0)
    codes = draw_codes(language, streams, [0] * len(prompts), greedy, limit, arguments["min_length"])
    expected = recorded[f"out.{name}.image_tokens"]
    assert torch.equal(as_the_original_writes(codes, expected.shape[1]), expected)
