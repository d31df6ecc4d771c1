"""The Janus workflows as API prompts; see `prompts`."""

from __future__ import annotations

from typing import Any

from scripts.lib.lavit_prompts import through_towers
from scripts.lib.prompts import Prompt
from scripts.lib.training_prompts import both_stages

NAME, TOWERS = "Janus-Pro-1B", "my-janus.safetensors"
TEXT = "a red apple on a wooden table"


def words(
    definitions: dict[str, Any], model_name: str = NAME, text: str = TEXT, seed: int = 0, batch_size: int = 1
) -> dict[str, Any]:
    """Words -> codes -> pictures."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    instruction = [prompt.add("DRC_ComposeInContext", model=model, text=text), 0]
    how = {"seed": seed, "batch_size": batch_size}
    tokens = [prompt.add("DRC_LMMGenerate", model=model, instruction=instruction, **how), 0]
    decode(prompt, model, tokens)
    return prompt.nodes


def reconstruct(definitions: dict[str, Any], model_name: str = NAME) -> dict[str, Any]:
    """The reference of the examples through its codes and back."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    reference = [prompt.add("DRC_ExamplePictures", example="example 1"), 1]
    decode(prompt, model, [prompt.add("DRC_TokenizeImage", model=model, images=reference), 0])
    return prompt.nodes


def train_and_personalise(
    definitions: dict[str, Any], model_name: str = NAME, filename: str = "my-janus", **widgets: Any
) -> dict[str, Any]:
    """A Janus through both stages, saved, and drawn with at once. `widgets` are those of the trainings."""
    prompt = Prompt(definitions)
    model = both_stages(prompt, model_name, **widgets)
    prompt.add("DRC_SaveModel", model=model, filename=filename)
    decode(prompt, model, through_towers(prompt, model, "", 0))
    return prompt.nodes


def decode(prompt: Prompt, model: list[Any], tokens: list[Any]) -> None:
    """From codes to saved pictures."""
    images = [prompt.add("DRC_DecodeTokens", model=model, tokens=tokens), 0]
    prompt.add("SaveImage", images=images, filename_prefix="drc-janus")
