"""Workflows as older versions saved them run: those of tests/fixtures, queued as the page queues what it opens.

What draws is small, but for words, which only the embedded model has drawings of.
"""

import json

import pytest

from scripts.lib.environment import ROOT
from scripts.lib.lavit_prompts import NAME as LAVIT

WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
TRAINING = {"steps": 2, "warm_up": 1, "batch_size": 2, "samples": 1, "validate_every": 2, "save_every": 2}
SHORT = {
    "DRC_TrainDisentanglement": TRAINING,
    "DRC_TrainPersonalisation": TRAINING,
    "DRC_Triplets": {"restyled_views": 2},
    "DRC_Evaluate": {"cases": 1, "report_name": "old"},
    "DRC_CompleteSet": {"words": "key", "best_of": 1},
    "DRC_SaveStyle": {"name": "old"},
    "EmptyLatentImage": {"width": 64, "height": 64},
    "DRC_TokensToConditioning": {"width": 64, "height": 64},
    "KSampler": {"steps": 2},
}
MODELS = dict.fromkeys(("from_words", "complete_my_set", "style_card"), "embedded")
MODELS |= dict.fromkeys(("lavit_reconstruct", "lavit_personalise"), LAVIT)
FILES = sorted((ROOT / "tests" / "fixtures" / "workflows-0.1.0").glob("*.json"))


def given(definition) -> dict[str, tuple]:
    inputs = definition["input"]
    return {name: spec for kind in ("required", "optional") for name, spec in inputs.get(kind, {}).items()}


def is_widget(kind, settings) -> bool:
    return (isinstance(kind, list) or kind in WIDGETS) and not settings.get("forceInput")


def values_of(node, definition) -> dict:
    """Of each widget what the file has in its place; of those that are new since then the default."""
    saved, values = iter(node.get("widgets_values") or []), {}
    for name, (kind, *rest) in given(definition).items():
        settings = rest[0] if rest else {}
        if is_widget(kind, settings):
            values[name] = next(saved, settings.get("default"))
            if settings.get("control_after_generate"):
                next(saved, None)
    return values


def prompt_of(workflow, definitions, **changed) -> dict:
    links = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["mode"] == 0 and node["type"] in definitions:
            linked = {one["name"]: links[one["link"]] for one in node["inputs"] if one["link"] is not None}
            values = values_of(node, definitions[node["type"]]) | changed.get(node["type"], {}) | linked
            prompt[str(node["id"])] = {"class_type": node["type"], "inputs": values}
    return prompt


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.usefixtures("lavit_by_name")
def test_it_runs(client, definitions, file):
    name = file.stem
    model = {"model_name": MODELS.get(name, "tiny.safetensors")}
    own = {"DRC_SaveModel": {"filename": f"old {name}"}, "DRC_LoadModel": model}
    changed = {node: dict(values) for node, values in (SHORT | own).items()}
    for trainer in ("DRC_TrainDisentanglement", "DRC_TrainPersonalisation"):
        changed[trainer]["run_name"] = f"old {name}"
    result = client.run(prompt_of(json.loads(file.read_text("utf-8")), definitions, **changed))
    assert result.error is None and result.images
