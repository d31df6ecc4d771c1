"""The page in another language shows our names in it. Page 1.32.9 has no German texts of its own; those of languages
that it has it lays over ours, which newer pages do not."""

import json

import pytest

from scripts.lib.page import open_page

SHOWN = """() => window.app.graph.nodes.map(node => [
    node.type, node.title, (node.inputs ?? []).map(input => input.localized_name)
])"""


@pytest.mark.parametrize("way", ["vue"])
def test_german(browser, server, root, way):
    texts = json.loads((root / "locales" / "de" / "nodeDefs.json").read_text("utf-8"))
    with open_page(browser, server.address, way, pack=server.pack, locale="de") as page:
        page.load_template("complete_my_set")
        page.screenshot("german")
        shown = [node for node in page.tab.evaluate(SHOWN) if node[0] in texts]
    assert len(shown) == 8
    for kind, title, inputs in shown:
        assert title == texts[kind]["display_name"]
        assert set(inputs) <= {one["name"] for one in texts[kind]["inputs"].values()}
