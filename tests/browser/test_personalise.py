"""What a stranger does: open our template in a real page, press Run, look at the picture."""

from scripts.lib.options import SEED
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import personalise


def test_template_opens_and_draws(page, client, definitions):
    page.open_template("personalise")
    assert page.unknown_node_types() == []
    assert page.alerts() == []
    assert_same_graph(page.api_prompt(), personalise(definitions, seed=SEED))
    page.screenshot("personalise-open")

    images = page.run()
    assert page.alerts() == []
    picture = from_bytes(client.fetch(images[0]))
    assert min(picture.size) >= 64
    assert len(picture.getcolors(picture.width * picture.height)) > 16
    page.screenshot("personalise-done")
    assert page.errors == []
    assert page.alerts() == []


def assert_same_graph(template, demo):
    """The demo runs the template: the same nodes, widgets and links; the template also previews."""
    template = {number: node for number, node in template.items() if node["class_type"] != "PreviewImage"}
    assert by_class(template, demo) == by_class(demo, demo)


def by_class(prompt, named_by):
    """Class -> inputs that `named_by` sets, with links by class: both prompts have one node of each class."""
    inputs_of = {node["class_type"]: node["inputs"].keys() for node in named_by.values()}
    classes = {number: node["class_type"] for number, node in prompt.items()}
    return {
        node["class_type"]: {
            name: [classes[value[0]], value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
            if name in inputs_of.get(node["class_type"], ())
        }
        for node in prompt.values()
    }
