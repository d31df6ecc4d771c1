"""Names that mean harm, looked at in the page: they are read as text, in both ways of drawing nodes."""

import pytest
from PIL import Image

SCRIPT = "window.caught = (window.caught ?? 0) + 1"
NAMES = (
    f"<img src=x onerror='{SCRIPT}'>",
    "www.example.org and [[link|https:&sol;&sol;example.org]] `code` *stars* _under_ &lt;b&gt;",
    "turned \u202e around",
)
SHOWN = {"canvas": ".dom-widget .break-all span", "vue": ".widget-markdown .comfy-markdown-content"}


@pytest.fixture(scope="module")
def folder(server):
    root = server.folder / "input" / "harm"
    for number, name in enumerate(NAMES):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (80 * number, 0, 0)).save(root / name / "a.png")
    return root


def run_dataset(page, **widgets):
    """The node alone; of a graph that was opened the newer way of drawing shows no text that comes later."""
    page.tab.evaluate("""() => {
        window.app.graph.clear()
        window.app.graph.add(LiteGraph.createNode('DRC_ImageDataset'))
    }""")
    page.set_widgets("DRC_ImageDataset", source="folder", **widgets)
    page.press_run()


def test_names_of_folders_are_text(page, folder):
    run_dataset(page, folder=folder.name)
    report = page.tab.locator(SHOWN[page.name])
    page.wait_for(f"document.querySelector('{SHOWN[page.name]}')?.innerText.includes('around')")
    assert page.alerts() == []
    lines = report.inner_text().splitlines()
    users = [line.strip() for line in lines[lines.index("Pictures of each user:") + 1 :]]
    image, signs, _ = NAMES
    assert users == [f"- {image}: 1", "- turned \\u202e around: 1", f"- {signs}: 1"]
    assert lines[0] == "3 pictures of 3 users."
    assert report.locator("a, img, code, em, b, li").count() == 0
    page.screenshot("harm")
    assert page.tab.evaluate("window.caught") is None
    assert page.errors == []


def test_errors_are_text(page):
    run_dataset(page, folder=NAMES[0])
    page.tab.locator("[role=dialog]").wait_for()
    assert page.tab.evaluate("window.caught") is None
    assert NAMES[0] in page.alerts()[0]
