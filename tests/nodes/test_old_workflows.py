"""A workflow saved by an older version opens as it was: the page lays values and links upon nodes by their places.

tests/fixtures/workflows-0.1.0 are the workflows of that version as they were; they are never written anew.
"""

import json

import pytest

VERSIONS = ("0.1.0",)
FILES = ("model_name", "style_name")  # choices that are files of the user


def nodes_saved_by(root, version):
    for path in sorted((root / "tests" / "fixtures" / f"workflows-{version}").glob("*.json")):
        nodes = json.loads(path.read_text("utf-8"))["nodes"]
        yield from (node for node in nodes if node["type"].startswith("DRC_"))


def widgets_of(schema):
    """In the order that the page has them, with those that it adds itself."""
    widgets = [part for part in schema.inputs if hasattr(part, "default")]
    for part in (*(part for part in widgets if not part.optional), *(part for part in widgets if part.optional)):
        yield part
        if getattr(part, "control_after_generate", None):
            yield None


def takes(widget, value) -> bool:
    if widget is None:
        return value in ("fixed", "randomize")
    if getattr(widget, "options", None) and widget.id not in FILES:
        return value in widget.options
    if isinstance(widget.default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(widget.default, bool)
    if isinstance(widget.default, int | float):
        return isinstance(value, int | float) and widget.min <= value <= widget.max
    return isinstance(value, str)


@pytest.mark.parametrize("version", VERSIONS)
def test_values_and_links_of_older_versions_fit(classes, root, version):
    found = list(nodes_saved_by(root, version))
    assert len(found) > 60
    for node in found:
        schema = classes[node["type"]].GET_SCHEMA()
        values = node.get("widgets_values") or []
        widgets = list(widgets_of(schema))
        assert len(widgets) >= len(values), node["type"]
        misfits = [
            (widget and widget.id, value)
            for widget, value in zip(widgets, values, strict=False)
            if not takes(widget, value)
        ]
        assert not misfits, (node["type"], misfits)
        kinds = {part.id: part.io_type for part in schema.inputs}
        assert all(kinds.get(one["name"]) == one["type"] for one in node["inputs"]), node["type"]
        outputs = [output.io_type for output in schema.outputs]
        assert [output["type"] for output in node["outputs"]] == outputs[: len(node["outputs"])], node["type"]
