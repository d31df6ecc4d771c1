"""Many files at once on My Pictures, dropped or chosen by its button, in both ways of drawing nodes."""

from PIL import Image

from scripts.lib import layout
from scripts.lib.pictures import to_png

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
BESIDE = f"""() => {{
    const node = LiteGraph.createNode("{NODE}"), {{graph, canvas}} = window.app
    node.pos = [-400, 300]
    graph.add(node)
    canvas.ds.offset[0] += 450
    canvas.setDirty(true, true)
}}"""
TARGETS = """(window.app.graph.nodes.find(({{type}}) => type === "{}").outputs[0].links?.map(id => {{
    const link = window.app.graph.links.get(id)
    return `${{link.target_id}} ${{link.target_slot}}`
}}).sort() ?? [])"""
SLOT = """name => {
    const {canvas, graph} = window.app, node = graph.nodes.find(({type}) => type === name)
    const drawn = document.querySelector(`[data-slot-key="${node.id}-out-0"]`)?.getBoundingClientRect()
    if (drawn) return [drawn.left + drawn.width / 2, drawn.top + drawn.height / 2]
    const [x, y] = node.getOutputPos(0), {scale, offset} = canvas.ds
    const {left, top} = canvas.canvas.getBoundingClientRect()
    return [left + (x + offset[0]) * scale, top + (y + offset[1]) * scale]
}"""
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
    (text,) = page.texts_in("My Pictures (icons, emoji, stickers)")
    assert text.startswith("5 pictures.") and page.alerts() == [] and page.errors == []
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


def test_one_drag_gives_a_template_pictures_of_ones_own(page):
    """As the note of the template says it: with Shift, all links of an output go along."""
    page.load_template("complete_my_set")
    page.tab.evaluate(BESIDE)
    layout.settle(page.tab)
    links = page.tab.evaluate(TARGETS.format("DRC_ExamplePictures"))
    assert len(links) == 5
    start, end = (page.tab.evaluate(SLOT, name) for name in ("DRC_ExamplePictures", NODE))
    page.tab.keyboard.down("Shift")
    page.tab.mouse.move(*start)
    page.tab.mouse.down()
    page.tab.mouse.move(*end, steps=5)
    page.tab.mouse.up()
    page.tab.keyboard.up("Shift")
    page.wait_for(f"{TARGETS.format(NODE)}.length === {len(links)}")
    assert page.tab.evaluate(TARGETS.format(NODE)) == links
    assert page.tab.evaluate(TARGETS.format("DRC_ExamplePictures")) == [] and page.errors == []
