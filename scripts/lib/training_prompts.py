"""The two training workflows as API prompts; see `prompts`."""

from __future__ import annotations

from typing import Any

from scripts.lib.options import SEED
from scripts.lib.prompts import Prompt, draw

# The workflows take some minutes on a processor, an untouched node a quarter of an hour.
QUICK_LOOK = {"steps": 40, "save_every": 20, "validate_every": 20, "samples": 2}
STAGE1, STAGE2 = TRAINERS = "DRC_TrainDisentanglement", "DRC_TrainPersonalisation"


def train_disentanglement(
    definitions: dict[str, Any], model_name: str = "embedded", filename: str = "my-drc-stage-1", **widgets: Any
) -> dict[str, Any]:
    """Model and pictures -> triplets -> stage 1 -> save. `widgets` are those of the training."""
    prompt = Prompt(definitions)
    model, dataset = start(prompt, model_name)
    trained = train(prompt, STAGE1, model=model, triplets=pairs(prompt, dataset), **widgets)
    prompt.add("DRC_SaveModel", model=trained, filename=filename, precision="32 bit")  # stage 2 goes on from it
    return prompt.nodes


def train_personalisation(
    definitions: dict[str, Any], model_name: str = "embedded", filename: str = "my-drc-model", **widgets: Any
) -> dict[str, Any]:
    """Model and pictures -> triplets, augmentations -> stage 2 -> save, and draw with the trained model at once."""
    prompt = Prompt(definitions)
    model, dataset = start(prompt, model_name)
    triplets = pairs(prompt, dataset)
    augmentations = prompt.add("DRC_Augmentations", dataset=dataset)
    prompt.add("PreviewImage", images=[augmentations, 1])
    trained = train(prompt, STAGE2, model=model, triplets=triplets, augmentations=[augmentations, 0], **widgets)
    prompt.add("DRC_SaveModel", model=trained, filename=filename)
    try_it(prompt, trained)
    return prompt.nodes


def train_both(definitions: dict[str, Any], model_name: str = "embedded", **widgets: Any) -> dict[str, Any]:
    """Stage 1 wired straight into stage 2, and that into drawing; no file of a model is named in between."""
    prompt = Prompt(definitions)
    try_it(prompt, both_stages(prompt, model_name, **widgets))
    return prompt.nodes


def start(prompt: Prompt, model_name: str) -> tuple[list[Any], list[Any]]:
    """Links to the model to begin from and to the pictures to train on."""
    return [prompt.add("DRC_LoadModel", model_name=model_name), 0], [prompt.add("DRC_ImageDataset"), 0]


def pairs(prompt: Prompt, dataset: list[Any]) -> list[Any]:
    """The link to triplets whose sheet is shown."""
    triplets = prompt.add("DRC_Triplets", dataset=dataset)
    prompt.add("PreviewImage", images=[triplets, 1])
    return [triplets, 0]


def train(prompt: Prompt, class_type: str, **inputs: Any) -> list[Any]:
    """The link to a model in training whose curve and samples are shown."""
    trainer = prompt.add(class_type, **inputs)
    for output in (1, 2):
        prompt.add("PreviewImage", images=[trainer, output])
    return [trainer, 0]


def both_stages(prompt: Prompt, model_name: str, **widgets: Any) -> list[Any]:
    """The link to a model that went through one stage and then the other; `widgets` are those of both trainings."""
    model, dataset = start(prompt, model_name)
    triplets = pairs(prompt, dataset)
    for stage in (STAGE1, STAGE2):
        model = train(prompt, stage, model=model, triplets=triplets, **widgets)
    return model


def try_it(prompt: Prompt, model: list[Any]) -> None:
    examples = prompt.add("DRC_ExamplePictures", example="example 1")
    picture = draw(prompt, model, [examples, 0], [examples, 1], "", SEED, sharp=True)
    prompt.add("PreviewImage", images=picture)
