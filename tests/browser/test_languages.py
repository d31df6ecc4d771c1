"""The page in another language shows our names in it: in one that page 1.32.9 has no texts of, and in one that it reads
late, over ours, which `web/languages.js` lays over them again. A template calls *My Pictures* by the name without the
words for the search, which `web/titles.js` does in the language."""

import json
import re

import pytest

from scripts.lib import layout
from scripts.lib.page import open_page

SHOWN = """() => window.app.graph.nodes.map(node => [
    node.type, node.title, (node.inputs ?? []).map(input => input.localized_name)
])"""


GIVEN = {"Picture", "SVG"}  # by the template, to what is saved


@pytest.mark.parametrize(("language", "way"), [("de", "vue"), ("ja", "canvas")])
def test_our_names_are_in_the_language(browser, server, root, language, way):
    texts = json.loads((root / "locales" / language / "nodeDefs.json").read_text("utf-8"))
    with open_page(browser, server.address, way, pack=server.pack, locale=language) as page:
        page.load_template("complete_my_set")
        page.screenshot(f"language-{language}")
        assert layout.cut_labels(page.tab) == []
        shown = [node for node in page.tab.evaluate(SHOWN) if node[0] in texts]
        assert page.errors == []
    assert len(shown) == 12
    for kind, title, inputs in shown:
        name = texts[kind]["display_name"]
        if title not in GIVEN:
            assert title == (re.split(r" ?[(\uff08]", name)[0] if kind == "DRC_MyPictures" else name)
        ours = set(inputs) - {"upload"}  # the page's own button
        assert ours <= {one["name"] for one in texts[kind]["inputs"].values()}
