"""Names that mean harm, looked at in the page: they are read as text, in both ways of drawing nodes."""

import pytest
from PIL import Image

NODE = "DRC_ImageDataset"
IMAGE = "<img src=x onerror='window.caught = true'>"
MARKDOWN = "![](x) <img src=x>"
SIGNS = "www.example.org and [[link|https:&sol;&sol;example.org]] `code` *stars* _under_ &lt;b&gt;"
HIDDEN = "turned \u202e around"
PREVIEW = """() => {
    const preview = LiteGraph.createNode("PreviewAny")
    window.app.graph.add(preview)
    window.app.graph.nodes[0].connect(1, preview, 0)
}"""
SHOWN = {"canvas": ".dom-widget .break-all span", "vue": ".widget-markdown .comfy-markdown-content"}


@pytest.fixture(scope="module")
def folder(server):
    root = server.folder / "input" / "harm"
    for name in (IMAGE, MARKDOWN, SIGNS, HIDDEN):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(root / name / "a.png")
    return root.name


def test_names_are_text(page, folder):
    page.show_only(NODE)
    page.tab.evaluate(PREVIEW)
    page.set_widgets(NODE, source="folder", folder=folder)
    page.press_run()
    page.wait_for(f"document.querySelector('{SHOWN[page.name]}')?.innerText.includes('around')")
    page.screenshot("harm")
    assert page.alerts() == []
    report = page.tab.locator(SHOWN[page.name]).first  # the other is the preview
    users = report.inner_text().partition("Pictures of each user:\n")[2].splitlines()
    assert users == [
        f"- `{shown}`: 1" for shown in (MARKDOWN, IMAGE, "turned \\u202e around", SIGNS.replace("`", "\\u0060"))
    ]
    assert report.locator("a, img, code, em, strong, b, li").count() == 0
    page.wait_for("Object.keys(window.app.nodeOutputs).length == 2")
    page.tab.wait_for_timeout(1000)
    assert page.tab.locator("img[src$='/x'], img[src=x]").count() == 0

    page.set_widgets(NODE, folder=IMAGE)
    page.press_run()
    page.wait_for("false")
    assert f"folder is '{IMAGE}'" in page.alerts()[0]
    assert page.tab.evaluate("window.caught") is None
    assert page.errors == []
