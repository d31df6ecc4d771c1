"""The workflows that ship agree with the nodes: links fit, widgets have the values of an untouched node."""

import json

import pytest

FROM_NODES = {"cnr_id": "drc-personalize", "ver": "0.1.0"}


@pytest.fixture(scope="module")
def workflow(root):
    return json.loads((root / "workflows" / "personalise.json").read_text())


def ours(workflow, classes):
    return [(node, classes[node["type"]].GET_SCHEMA()) for node in workflow["nodes"] if node["type"] in classes]


def test_every_node_is_used_once_and_can_be_found(workflow, classes):
    nodes = ours(workflow, classes)
    assert sorted(node["type"] for node, _ in nodes) == sorted(classes)
    for node, _ in nodes:
        assert node["properties"] == {**FROM_NODES, "Node name for S&R": node["type"]}


def test_the_version_is_that_of_the_pack(root):
    project = (root / "pyproject.toml").read_text()
    assert f'name = "{FROM_NODES["cnr_id"]}"' in project and f'version = "{FROM_NODES["ver"]}"' in project


def test_sockets_and_links_fit(workflow, classes):
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for _, source, output, target, index, kind in workflow["links"]:
        assert nodes[source]["outputs"][output]["type"] == kind == nodes[target]["inputs"][index]["type"]
    for node, schema in ours(workflow, classes):
        assert [output["type"] for output in node["outputs"]] == [output.io_type for output in schema.outputs]
        kinds = {part.id: part.io_type for part in schema.inputs}
        assert all(kinds[part["name"]] == part["type"] for part in node["inputs"])


def test_widgets_are_left_at_their_defaults(workflow, classes):
    for node, schema in ours(workflow, classes):
        defaults = [part.default for part in schema.inputs if hasattr(part, "default")]
        values = node["widgets_values"]
        if node["type"] == "DRC_LMMGenerate":
            seed, after, *values = values
            assert after == "fixed" and seed >= 0
            defaults = defaults[1:]
        assert values == defaults


def test_nothing_overlaps(workflow):
    boxes = [(*node["pos"], *node["size"]) for node in workflow["nodes"]]
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[index + 1 :]:
            apart = other_x >= x + width or x >= other_x + other_width
            assert apart or other_y - 30 >= y + height or y - 30 >= other_y + other_height
