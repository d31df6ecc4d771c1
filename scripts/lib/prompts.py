"""The personalise workflow as an API prompt: node number -> class and inputs; a link is [number, output]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

SHARP = "sharp, 4 times as large"  # a choice of DRC Decode


class Prompt:
    """Collects nodes. What a node's widgets are not told stays at the default that the server names."""

    def __init__(self, definitions: dict[str, Any]):
        self.definitions = definitions
        self.nodes: dict[str, dict[str, Any]] = {}

    def add(self, class_type: str, **inputs: Any) -> str:
        """Adds a node; returns its number."""
        declared = self.definitions[class_type]["input"]
        defaults = {
            name: _default(*declaration)
            for kind in ("required", "optional")
            for name, declaration in declared.get(kind, {}).items()
        }
        number = str(len(self.nodes) + 1)
        given = {name: value for name, value in {**defaults, **inputs}.items() if value is not None}
        self.nodes[number] = {"class_type": class_type, "inputs": given}
        return number


def _default(kind: str | list[Any], settings: dict[str, Any] | None = None) -> Any:
    settings = settings or {}
    if "default" in settings:
        return settings["default"]
    options = kind if isinstance(kind, list) else settings.get("options")
    return options[0] if options else None


def load_images(prompt: Prompt, names: Sequence[str]) -> list[Any]:
    """Uploaded pictures as one batch, through the host's own nodes; returns the link to it."""
    first, *rest = ([prompt.add("LoadImage", image=name), 0] for name in names)
    batch = first
    for image in rest:
        batch = [prompt.add("ImageBatch", image1=batch, image2=image), 0]
    return batch


def personalise(
    definitions: dict[str, Any],
    history: Sequence[str] = (),
    reference: str | None = None,
    text: str = "",
    seed: int = 0,
    model_name: str = "embedded",
    sharp: bool = False,
) -> dict[str, Any]:
    """Uploaded or example pictures -> two towers -> compose -> generate -> decode -> save.

    What is not given is taken from the examples; text without a reference stands in for it. `sharp` as the workflow.
    """
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    examples = prompt.add("DRC_ExamplePictures")
    pictures = load_images(prompt, history) if history else [examples, 0]
    meaning = load_images(prompt, [reference]) if reference else None if text else [examples, 1]
    picture = draw(prompt, model, pictures, meaning, text, seed, sharp)
    prompt.add("SaveImage", images=picture, filename_prefix="drc")
    return prompt.nodes


def draw(
    prompt: Prompt, model: list[Any], history: list[Any], reference: list[Any] | None, text: str, seed: int, sharp=False
):
    """From links to a model and pictures to the link to what it draws."""
    parts = {"style": [prompt.add("DRC_StyleTower", model=model, history=history), 0]}
    if reference:
        parts["semantics"] = [prompt.add("DRC_SemanticTower", model=model, reference=reference), 0]
    instruction = [prompt.add("DRC_ComposeInstruction", model=model, text=text, **parts), 0]
    tokens = [prompt.add("DRC_LMMGenerate", model=model, instruction=instruction, seed=seed), 0]
    size = {"size": SHARP} if sharp else {}
    return [prompt.add("DRC_DecodeTokens", model=model, tokens=tokens, **size), 0]


def look_closer(definitions: dict[str, Any], seed: int = 0, model_name: str = "embedded") -> dict[str, Any]:
    """The example drawn, and its collapse meter, attention map and guidance grid, as the workflow of that name."""
    prompt = Prompt(definitions)
    model = [prompt.add("DRC_LoadModel", model_name=model_name), 0]
    examples = prompt.add("DRC_ExamplePictures")
    given = {"history": [examples, 0], "reference": [examples, 1]}
    picture = draw(prompt, model, *given.values(), "", seed, sharp=True)
    style, semantics = ([node_of(prompt.nodes, name), 0] for name in ("DRC_StyleTower", "DRC_SemanticTower"))
    for sheet in (
        picture,
        [prompt.add("DRC_CollapseMeter", model=model, images=picture, **given), 0],
        [prompt.add("DRC_AttentionMap", model=model, **given), 0],
        [prompt.add("DRC_GuidanceGrid", model=model, style=style, semantics=semantics), 0],
    ):
        prompt.add("PreviewImage", images=sheet)
    return prompt.nodes


def evaluate(definitions: dict[str, Any], model_name: str = "embedded", **widgets: Any) -> dict[str, Any]:
    """A model on the example pictures, as the workflow of that name; `widgets` are those of Evaluate."""
    prompt = Prompt(definitions)
    model, dataset = [prompt.add("DRC_LoadModel", model_name=model_name), 0], [prompt.add("DRC_ImageDataset"), 0]
    measured = prompt.add("DRC_Evaluate", model=model, dataset=dataset, **widgets)
    for output in range(3):
        prompt.add("PreviewImage", images=[measured, output])
    return prompt.nodes


def node_of(prompt: dict[str, Any], class_type: str) -> str:
    """The number of the first node of that class."""
    return next(number for number, node in prompt.items() if node["class_type"] == class_type)


def without_numbers(prompt: dict[str, Any]) -> Counter:
    """The nodes as what they are and what they come from, so that equal graphs are equal however they are numbered."""

    def told(number: str) -> tuple[Any, ...]:
        node = prompt[number]
        inputs = [(name, *source(value)) for name, value in sorted(node["inputs"].items())]
        return node["class_type"], *inputs

    def source(value: Any) -> tuple[Any, ...]:
        return (told(value[0]), value[1]) if isinstance(value, list) else (value,)

    return Counter(map(told, prompt))
