"""The workflows that ship agree with the nodes: links fit, and but for a few widgets they are as an untouched node."""

import json
from collections import Counter

import pytest
from PIL import Image

from drc.lmm.lavit.archive import REPOSITORY
from drc.lmm.lavit.convert import NAME
from drc.lmm.lavit.converted import VISION
from drc.lmm.lavit.published import read_published
from scripts.lib import janus_prompts
from scripts.lib.options import SEED
from scripts.lib.prompts import SHARP
from scripts.lib.tiny_lavit import write_published
from scripts.lib.training_prompts import QUICK_LOOK

LAVIT = ("lavit_reconstruct", "lavit_personalise")
JANUS = ("janus_words", "janus_personalise")
SETS = ("from_words", "style_card", "complete_my_set")
NAMES = ("personalise", *SETS, "look_closer", "evaluate", "train_disentanglement", "train_personalisation")
NAMES += LAVIT + JANUS
FROM_NODES = {"cnr_id": "drc-personalize", "ver": "0.1.0"}
EMOJI = {"example": "example 1"}
MISSING = "camera cloud crown folder key lightbulb map_pin microphone mushroom sailboat trophy umbrella"
CHANGED = {
    "train_disentanglement": {
        "DRC_TrainDisentanglement": QUICK_LOOK,
        "DRC_SaveModel": {"filename": "my-drc-stage-1", "precision": "32 bit"},  # for stage 2
    },
    "personalise": {"DRC_DecodeTokens": {"size": SHARP}},
    "from_words": {"DRC_ReferenceFromWords": {"words": "camera"}, "DRC_DecodeTokens": {"size": SHARP}},
    "style_card": {
        "Second hand": {"example": "icons 2"},
        "DRC_CompleteSet": {"words": "mushroom\ncamera\numbrella"},
        "DRC_SaveStyle": {"licence": "MIT, Goran Spasojevic; ISC, Lucide Contributors"},
        "DRC_DecodeTokens": {"size": SHARP},
    },
    "complete_my_set": {
        "DRC_ExamplePictures": {"example": "icons 2"},
        "DRC_CompleteSet": {"words": MISSING.replace(" ", "\n").replace("_", " "), "best_of": 2},
        "DRC_DecodeTokens": {"size": SHARP},
        "DRC_SaveStyle": {"name": "my icons", "licence": ""},
    },
    "look_closer": {
        "DRC_GuidanceGrid": {"seed": SEED},  # that of the picture beside it
        "DRC_DecodeTokens": {"size": SHARP},
    },
    "train_personalisation": {
        "DRC_TrainPersonalisation": QUICK_LOOK,
        "DRC_ExamplePictures": EMOJI,  # what it trains on
        "DRC_DecodeTokens": {"size": SHARP},
    },
    "lavit_reconstruct": {"DRC_LoadModel": {"model_name": NAME}, "DRC_ExamplePictures": EMOJI},
    "lavit_personalise": {
        "DRC_LoadModel": {"model_name": NAME},
        "DRC_ExamplePictures": EMOJI,
        "DRC_LMMGenerate": {"temperature": 1.0, "top_k": 50},  # as LaVIT draws
    },
    "janus_words": {
        "DRC_LoadModel": {"model_name": janus_prompts.NAME},
        "DRC_ComposeInContext": {"text": janus_prompts.TEXT},
    },
    "janus_personalise": {"DRC_LoadModel": {"model_name": janus_prompts.TOWERS}, "DRC_ExamplePictures": EMOJI},
}
TWICE = {"style_card": {"DRC_ExamplePictures", "DRC_StyleTower"}, "complete_my_set": {"DRC_SaveSet"}}
NAMED = {"DRC_LoadStyle": "style_card"}
"""Nodes that need a file that the user makes first: the note of a workflow names them."""
COMFY_NODES = {"PreviewImage", "SaveImage", "MarkdownNote"}
PUBLISHED = f"https://huggingface.co/{REPOSITORY}"
FILES = {"UNETLoader": ["diffusion_models"], "VAELoader": ["vae"]}
DRAWING = {"UNETLoader", "VAELoader", "EmptyLatentImage", "KSampler", "VAEDecode"}
MUTED = 2  # left out of a run, with all that only it would have fed
ASLEEP = {
    "lavit_reconstruct": {"DRC_ConvertLaVIT"},
    "lavit_personalise": {"DRC_StyleTower", "DRC_SemanticTower", "DRC_ComposeInstruction"},
}


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def workflow(root, name):
    return read(root, name)


def read(root, name):
    return json.loads((root / "workflows" / f"{name}.json").read_text())


def ours(workflow, classes):
    return [(node, classes[node["type"]].GET_SCHEMA()) for node in workflow["nodes"] if node["type"] in classes]


def test_all_workflows_are_tested_and_show_every_node(root, classes):
    assert sorted(path.stem for path in (root / "workflows").glob("*.json")) == sorted(NAMES)
    used = {node["type"] for name in NAMES for node in read(root, name)["nodes"]}
    assert used | set(NAMED) == set(classes) | COMFY_NODES | DRAWING
    for node, name in NAMED.items():
        note = read(root, name)["nodes"][0]["widgets_values"][0]
        name = classes[node].GET_SCHEMA().display_name.split(" (")[0]
        assert f"*{name}*" in note


def test_a_set_of_ones_own_needs_nothing_but_its_files(root):
    """All that takes the history takes it from My Pictures, for which the example stands in."""
    workflow = read(root, "complete_my_set")
    types = {node["id"]: node["type"] for node in workflow["nodes"]}
    ends = {(types[source], index): set() for _, source, index, *_ in workflow["links"]}
    for _, source, index, target, *_ in workflow["links"]:
        ends[types[source], index].add(types[target])
    takers = {"DRC_StyleTower", "DRC_LockPalette", "DRC_PicturesToSVG", "DRC_SetReport"}
    assert ends["DRC_ExamplePictures", 0] == {"DRC_MyPictures"} and ends["DRC_MyPictures", 0] == takers
    assert "drop its files onto *My Pictures*" in workflow["nodes"][0]["widgets_values"][0]


def test_it_has_a_picture_for_the_template_browser(root, name):
    with Image.open(root / "workflows" / f"{name}.jpg") as picture:
        assert picture.format == "JPEG" and min(picture.size) >= 300


def test_every_node_is_used_once_and_can_be_found(workflow, classes, name):
    nodes = ours(workflow, classes)
    used = Counter(node["type"] for node, _ in nodes)
    assert {node for node, count in used.items() if count > 1} == TWICE.get(name, set())
    for node, _ in nodes:
        assert node["properties"] == {**FROM_NODES, "Node name for S&R": node["type"]}


def test_nodes_of_the_host_say_so_and_name_the_files_they_need(workflow, classes, name):
    for node in workflow["nodes"]:
        if node["type"] in COMFY_NODES | DRAWING:
            properties = dict(node["properties"])
            models = properties.pop("models", [])
            assert properties == {"cnr_id": "comfy-core", "ver": "0.3.75", "Node name for S&R": node["type"]}
            assert [model["directory"] for model in models] == FILES.get(node["type"], [])
            assert all(model["name"] in node["widgets_values"] for model in models)  # the page looks at no others
            assert all(model["url"].startswith(f"{PUBLISHED}/resolve/main/") for model in models)


def test_a_note_comes_first(workflow):
    note = workflow["nodes"][0]
    assert (note["type"], note["title"]) == ("MarkdownNote", "Read me")
    assert "Press **Run**" in note["widgets_values"][0]


def test_the_version_is_that_of_the_pack(root):
    project = (root / "pyproject.toml").read_text()
    assert f'name = "{FROM_NODES["cnr_id"]}"' in project and f'version = "{FROM_NODES["ver"]}"' in project


def test_the_template_browser_calls_the_pack_by_its_name(root):
    words = json.loads((root / "locales" / "en" / "main.json").read_text())
    (folder, title), *others = words["templateWorkflows"]["category"].items()
    assert (folder, others) == (FROM_NODES["cnr_id"], [])
    assert f'DisplayName = "{title}"' in (root / "pyproject.toml").read_text()


def test_sockets_and_links_fit(workflow, classes):
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for number, source, output, target, index, kind in workflow["links"]:
        start, end = nodes[source]["outputs"][output], nodes[target]["inputs"][index]
        assert start["type"] == kind == end["type"]
        assert number in start["links"] and number == end["link"]
    for node, schema in ours(workflow, classes):
        assert [output["type"] for output in node["outputs"]] == [output.io_type for output in schema.outputs]
        assert [output["name"] for output in node["outputs"]] == [output.display_name for output in schema.outputs]
        kinds = {part.id: part.io_type for part in schema.inputs}
        assert all(kinds[part["name"]] == part["type"] for part in node["inputs"])


def test_widgets_are_left_at_their_defaults(workflow, classes, name):
    for node, schema in ours(workflow, classes):
        widgets = [one for one in schema.inputs if hasattr(one, "default") and not getattr(one, "force_input", None)]
        required = [part for part in widgets if not part.optional]
        expected = []
        for part in required + [part for part in widgets if part.optional]:
            changed = CHANGED.get(name, {}).get(node.get("title", node["type"]), {})
            expected.append(changed.get(part.id, part.default))
            if getattr(part, "control_after_generate", None):
                expected.append("fixed")
        values = list(node["widgets_values"])
        if node["type"] == "DRC_LMMGenerate":
            assert values[0] >= 0
            expected[0] = values[0]
        assert values == expected


def test_only_what_waits_for_the_user_sleeps(workflow, name):
    modes = {node["type"]: node["mode"] for node in workflow["nodes"]}
    assert set(modes.values()) <= {0, MUTED}
    asleep = {kind for kind, mode in modes.items() if mode == MUTED}
    assert asleep == ASLEEP.get(name, set())
    types = {node["id"]: node["type"] for node in workflow["nodes"]}
    assert not any(
        types[source] in asleep and types[target] not in asleep for _, source, _, target, *_ in workflow["links"]
    )


@pytest.mark.parametrize("name", LAVIT, scope="module")
def test_lavit_is_found_where_conversion_puts_it_and_drawn_as_the_original_draws(workflow, tmp_path):
    widgets = {node["type"]: node.get("widgets_values") for node in workflow["nodes"]}
    places = {file.place for file in read_published(write_published(tmp_path), NAME).files}
    assert {f"diffusion_models/{widgets['UNETLoader'][0]}", f"vae/{widgets['VAELoader'][0]}"} <= places
    assert f"drc/{widgets['DRC_LoadModel'][0]}/{VISION}" in places
    _, _, steps, guidance, sampler, scheduler, denoise = widgets["KSampler"]
    assert (steps, guidance, sampler, scheduler, denoise) == (25, 7.0, "ddim", "ddim_uniform", 1.0)
    assert widgets["EmptyLatentImage"][:2] == widgets["DRC_TokensToConditioning"] == [1024, 1024]


def test_seeds_that_decide_a_training_stay(classes):
    """The page would draw another seed after every run, and the next run would be another training."""
    for name in ("DRC_Triplets", "DRC_Augmentations", "DRC_TrainDisentanglement", "DRC_TrainPersonalisation"):
        (seed,) = (part for part in classes[name].GET_SCHEMA().inputs if part.id == "seed")
        assert seed.as_dict()["control_after_generate"] is False


def test_nothing_overlaps_and_all_stands_in_groups(workflow):
    boxes = [(*node["pos"], *node["size"]) for node in workflow["nodes"]]
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[index + 1 :]:
            apart = other_x >= x + width or x >= other_x + other_width
            assert apart or other_y - 30 >= y + height or y - 30 >= other_y + other_height
    for x, y, width, height in boxes[1:]:
        assert any(
            left <= x and top <= y - 30 and x + width <= left + wide and y + height <= top + high
            for left, top, wide, high in (group["bounding"] for group in workflow["groups"])
        )


def test_the_page_leaves_the_layout_alone(workflow):
    """Without a view of its own, page 1.32 pulls nodes and groups apart; without the other it scales both."""
    assert workflow["extra"]["workflowRendererVersion"] == "Vue-corrected"
    assert workflow["extra"]["ds"]["scale"] >= 0.58  # below 0.571 it draws boxes without words
