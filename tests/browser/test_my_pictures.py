"""Many files at once on My Pictures, dropped or chosen by its button, in both ways of drawing nodes."""

from PIL import Image

from scripts.lib.pictures import from_bytes, to_png

NODE = "DRC_MyPictures"
WITH_MODEL = """() => {
    const model = LiteGraph.createNode("DRC_LoadModel"), {graph} = window.app
    model.pos = [-400, 0]
    graph.add(model)
    model.widgets[0].value = "tiny.safetensors"
    model.connect(0, graph.nodes[0], 0)
}"""
SEVERAL = "window.app.graph.nodes[0].widgets.some(({{value}}) => Array.isArray(value) && value.length === {})"
BUTTONS = {
    "canvas": "window.app.graph.nodes[0].widgets.find(widget => widget.type === 'button').callback()",
    "vue": "document.querySelector('[data-node-id] label:has(input[type=file])').click()",
}
OPEN_AGAIN = "async () => await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())))"


def test_many_files_are_dropped_at_once(page, server):
    page.show_only(NODE)
    page.tab.evaluate(WITH_MODEL)
    page.fit_view()
    names = [f"{page.name} {number}.png" for number in range(1, 6)]
    page.drop(NODE, {name: picture_of(name) for name in names})
    page.wait_for(SEVERAL.format(len(names)))
    assert {path.name for path in (server.folder / "input").glob(f"{page.name} *")} == set(names)
    page.tab.evaluate(OPEN_AGAIN)
    (node,) = (node for node in page.api_prompt().values() if node["class_type"] == NODE)
    assert sorted(node["inputs"]["files"]["__value__"]) == names
    page.press_run()
    (text,) = page.texts_in("My Pictures (history: icons, emoji)")
    assert text.endswith("5 pictures.") and page.alerts() == [] and page.errors == []
    page.tab.wait_for_timeout(1000)
    page.screenshot("my-pictures")


def test_many_files_are_chosen_at_once(page, server):
    page.show_only(NODE)
    names = [f"chosen {page.name} {number}.png" for number in range(1, 4)]
    with page.tab.expect_file_chooser() as chooser:
        page.tab.evaluate(BUTTONS[page.name])
    assert chooser.value.is_multiple()
    files = [{"name": name, "mimeType": "image/png", "buffer": picture_of(name)} for name in names]
    chooser.value.set_files(files)
    page.wait_for(SEVERAL.format(len(names)))
    assert {path.name for path in (server.folder / "input").glob(f"chosen {page.name} *")} == set(names)
    assert page.alerts() == [] and page.errors == []


def picture_of(name: str) -> bytes:
    number = int(name[-5])
    return to_png(Image.new("RGB", (40, 30), (50 * number, 100, 200 - 30 * number)))


def test_files_on_a_template_take_the_place_of_its_example(page, client, root):
    """As its note says it: nothing else is to be done, and nothing to be deleted."""
    page.load_template("complete_my_set")
    page.set_widgets("DRC_CompleteSet", words="key", best_of=1)
    icons = sorted((root / "nodes" / "examples" / "icons-3").glob("icon-*.png"))[:5]
    page.drop(NODE, {f"own {page.name} {path.name}": path.read_bytes() for path in icons})
    page.wait_for(f"window.app.graph.nodes.some(node => node.type === '{NODE}' && node.widgets[1].value.length === 5)")
    page.press_run()
    drawn = page.pictures_in("Picture")
    assert page.alerts() == []
    (picture,) = [from_bytes(client.fetch(image)) for image in drawn]
    assert picture.size == (512, 512)
    (text,) = page.texts_in("My Pictures")
    assert text.endswith("5 pictures.") and text.startswith("The example pictures are left out")
    (shown,) = [from_bytes(client.fetch(image)) for image in page.pictures_in("My Pictures")]
    assert shown.width == 8 + 2 * 104  # two columns, as of five pictures, not four, as of thirteen
    page.screenshot("own-set")
    assert page.errors == []
