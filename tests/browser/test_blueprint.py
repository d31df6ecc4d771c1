"""The block for other people's graphs: found by its name, fed with pictures, run, and taken apart again."""

import pytest

from scripts.lib import layout
from scripts.lib.pictures import from_bytes

NAME = "Style Transfer for Icons and Stickers"
INSIDE = ["DRC_LoadModel", "DRC_StyleTower", "DRC_CompleteSet", "DRC_DecodeTokens"]
CONNECT = """() => {
    const [examples, block] = window.app.graph.nodes
    const preview = LiteGraph.createNode("PreviewImage")
    preview.title = "Picture"
    window.app.graph.add(preview)
    examples.connect(0, block, 0)
    block.connect(0, preview, 0)
    const [x, y] = block.pos  // beside it, as one would place them
    examples.pos = [x - 50 - examples.size[0], y]
    preview.pos = [x + block.size[0] + 50, y]
    const values = block.widgets.map(widget => widget.value)
    block.widgets[2].value = 1  // one picture is enough
    return values
}"""
UNPACK = """() => {
    window.app.graph.unpackSubgraph(window.app.graph.nodes.find(node => node.subgraph))
    return window.app.graph.nodes.map(node => node.type)
}"""


@pytest.mark.parametrize("page", ["canvas"], indirect=True)  # in Nodes 2.0 page 1.32.9 unpacks any block into one heap
def test_the_block_opens_runs_and_unpacks(page, client):
    page.show_only("DRC_ExamplePictures")
    page.add_node(NAME)
    assert page.tab.evaluate(CONNECT) == ["camera", 0, 4]  # words, seed, best_of
    block = {node["class_type"]: node["inputs"] for node in page.api_prompt().values()}
    page.screenshot("blueprint")
    page.press_run()
    (picture,) = [from_bytes(client.fetch(image)) for image in page.pictures_in("Picture")]
    assert picture.size == (512, 512) and len(picture.getcolors(2**18)) > 16
    assert page.alerts() == [] and page.errors == []
    assert page.tab.evaluate(UNPACK) == ["DRC_ExamplePictures", "PreviewImage", *INSIDE]
    layout.settle(page.tab)
    assert layout.overlapping(page.tab) == []
    unpacked = {node["class_type"]: node["inputs"] for node in page.api_prompt().values()}
    assert block.keys() == unpacked.keys()
    assert all(len(block[kind]) == len(unpacked[kind]) for kind in block)
