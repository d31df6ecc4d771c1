"""The LaVIT workflows as API prompts, and LaVIT trained and drawn with in one go; see `prompts`."""

from __future__ import annotations

from typing import Any

from scripts.lib.prompts import Prompt
from scripts.lib.training_prompts import both_stages

NAME = "LaVIT-7B-v2"


def convert(definitions: dict[str, Any], folder: str, name: str = NAME) -> dict[str, Any]:
    """A download -> files for Load DRC Model and for the host's own loaders."""
    prompt = Prompt(definitions)
    prompt.add("DRC_ConvertLaVIT", folder=folder, name=name)
    return prompt.nodes


def reconstruct(
    definitions: dict[str, Any], model_name: str = NAME, lavit: str = NAME, size: int = 1024, **widgets: Any
) -> dict[str, Any]:
    """The reference of the examples -> codes -> conditioning -> KSampler. `lavit` is what UNet and autoencoder are
    called after, `widgets` are those of KSampler."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    reference = [prompt.add("DRC_ExamplePictures", example="example 1"), 1]
    tokens = [prompt.add("DRC_TokenizeImage", model=model, images=reference), 0]
    sample(prompt, model, tokens, lavit, size, 1, **widgets)
    return prompt.nodes


def personalise_in_context(
    definitions: dict[str, Any],
    model_name: str = NAME,
    lavit: str = NAME,
    size: int = 1024,
    text: str = "",
    seed: int = 0,
    batch_size: int = 1,
    **widgets: Any,
) -> dict[str, Any]:
    """The example pictures and text one after another -> codes -> conditioning -> KSampler."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    examples = prompt.add("DRC_ExamplePictures", example="example 1")
    pictures = {"history": [examples, 0], "reference": [examples, 1]}
    instruction = prompt.add("DRC_ComposeInContext", model=model, text=text, **pictures)
    tokens = generate(prompt, model, [instruction, 0], seed, batch_size)
    sample(prompt, model, tokens, lavit, size, batch_size, **widgets)
    return prompt.nodes


def personalise_with_towers(
    definitions: dict[str, Any],
    model_name: str,
    lavit: str = NAME,
    size: int = 1024,
    text: str = "",
    seed: int = 0,
    **widgets: Any,
) -> dict[str, Any]:
    """The example pictures through both towers of a trained model -> codes -> conditioning -> KSampler."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    sample(prompt, model, through_towers(prompt, model, text, seed), lavit, size, 1, **widgets)
    return prompt.nodes


def train_and_personalise(
    definitions: dict[str, Any], lavit: str = NAME, filename: str = "my-lavit", size: int = 1024, **widgets: Any
) -> dict[str, Any]:
    """A LaVIT through both stages, saved, and drawn with at once. `widgets` are those of the trainings."""
    prompt = Prompt(definitions)
    model = both_stages(prompt, lavit, **widgets)
    prompt.add("DRC_SaveModel", model=model, filename=filename)
    sample(prompt, model, through_towers(prompt, model, "", 0), lavit, size, 1, steps=2)
    return prompt.nodes


def through_towers(prompt: Prompt, model: list[Any], text: str, seed: int) -> list[Any]:
    """The link to codes."""
    examples = prompt.add("DRC_ExamplePictures", example="example 1")
    style = [prompt.add("DRC_StyleTower", model=model, history=[examples, 0]), 0]
    semantics = [prompt.add("DRC_SemanticTower", model=model, reference=[examples, 1]), 0]
    instruction = prompt.add("DRC_ComposeInstruction", model=model, text=text, style=style, semantics=semantics)
    return generate(prompt, model, [instruction, 0], seed, 1)


def generate(prompt: Prompt, model: list[Any], instruction: list[Any], seed: int, batch_size: int) -> list[Any]:
    """The link to codes that LaVIT draws as its authors let it."""
    how = {"seed": seed, "batch_size": batch_size, "temperature": 1.0, "top_k": 50}
    return [prompt.add("DRC_LMMGenerate", model=model, instruction=instruction, **how), 0]


def sample(
    prompt: Prompt, model: list[Any], tokens: list[Any], lavit: str, size: int, batch_size: int, **widgets: Any
) -> None:
    """From codes to saved pictures, through the host's own nodes, with LaVIT's scheduler."""
    unet = [prompt.add("UNETLoader", unet_name=f"{lavit}-unet.safetensors"), 0]
    vae = [prompt.add("VAELoader", vae_name=f"{lavit}-vae.safetensors"), 0]
    sizes = {"width": size, "height": size}
    condition = prompt.add("DRC_TokensToConditioning", model=model, tokens=tokens, diffusion_model=unet, **sizes)
    latent = [prompt.add("EmptyLatentImage", batch_size=batch_size, **sizes), 0]
    how = {"steps": 25, "cfg": 7.0, "sampler_name": "ddim", "scheduler": "ddim_uniform"} | widgets
    conditions = {"positive": [condition, 0], "negative": [condition, 1]}
    latent = [prompt.add("KSampler", model=unet, latent_image=latent, **conditions, **how), 0]
    prompt.add("SaveImage", images=[prompt.add("VAEDecode", samples=latent, vae=vae), 0], filename_prefix="drc-lavit")
