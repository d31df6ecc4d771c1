"""Every workflow as it opens: readable, tidy, and with its result in the window.

CONTRIBUTING.md says how a workflow is laid out so that it is.
"""

from scripts.lib import layout
from scripts.lib.lavit_prompts import NAME

WINDOWS = ({"width": 1600, "height": 900}, {"width": 1366, "height": 768})
RESULTS = {
    "look_closer": "Drawn",
    "evaluate": "Drawn and true",
    "train_disentanglement": "Loss curve",
    "train_personalisation": "Loss curve",
}  # where it is not "Picture"
BEYOND = {
    "complete_my_set": {"Report"},
    "look_closer": {"Meter", "Collapse Meter", "Guidance Grid", "What the dials do", "Attention Map"}
    | {"Where the towers looked"},
    "train_personalisation": {"Example Pictures", "StyleTower", "SemanticTower", "ComposeInstruction"}
    | {"DRC-LMM-Generate", "DRC Decode", "Picture"},
    "lavit_reconstruct": {"Convert LaVIT"},
    "lavit_personalise": {"StyleTower", "SemanticTower", "ComposeInstruction"},
}  # what need not be in a small window
CROSSED = {
    "evaluate": {"3 Numbers"},
    "from_words": {"3 Style and word"},
    "janus_personalise": {"What goes in"},
    "lavit_personalise": {"2 In one heap"},
    "style_card": {"3 Two styles and a mixture", "What goes in", "4 Keep it"},
    "train_personalisation": {"4 See and keep"},
}  # groups whose words a link still crosses
NEEDS_FILES = {"lavit_reconstruct", "lavit_personalise"}
SPARE = 60  # a group may be that much taller than what is in it


def test_templates_open_well(page, root):
    names = sorted(path.stem for path in (root / "workflows").glob("*.json"))
    faults = [f"{name}, {page.name}, {fault}" for name in names for fault in faults_of(page, name)]
    assert not faults, "\n".join(faults)


def faults_of(page, name):
    page.tab.set_viewport_size(WINDOWS[0])
    page.load_template(name)
    if name in NEEDS_FILES:  # the page lists them, with where to get them
        page.dismiss(f"diffusion_models / {NAME}-unet.safetensors")
    for window in WINDOWS:
        page.tab.set_viewport_size(window)
        layout.settle(page.tab)
        yield from (f"{window['width']}: {fault}" for fault in faults_in_view(page.tab, name, **window))
    page.screenshot(f"template-{name}")
    yield from faults_of_graph(page.tab, CROSSED.get(name, set()))


def faults_in_view(tab, name, width, height):
    if tab.evaluate("app.canvas.low_quality"):
        yield "drawn in low quality"
    nodes = layout.nodes(tab)
    assert RESULTS.get(name, "Picture") in {node.title for node in nodes}
    for node in nodes:
        if not layout.Box("window", 0, 0, width, height).holds(node) and node.title not in BEYOND.get(name, ()):
            yield f"{node.title} is outside the window"
    for title in set(layout.covered(tab)) - BEYOND.get(name, set()):
        yield f"{title} lies under a bar"


def faults_of_graph(tab, known):
    nodes, groups, scale = layout.nodes(tab), layout.groups(tab), tab.evaluate("app.canvas.ds.scale")
    yield from layout.overlapping(tab)
    for group in groups:
        lowest = max((node.bottom for node in nodes if group.holds(node)), default=group.top)
        if group.bottom - lowest > SPARE * scale:
            yield f"{group.title} is taller than what is in it"
    for node in nodes:
        if node.title != "Read me" and not any(group.holds(node) for group in groups):
            yield f"{node.title} stands in no group"
    for text in layout.cut(tab):
        if not text.endswith(".safetensors"):  # what a file is shows at the start of its name
            yield f"{text} is cut"
    for text in layout.cut_labels(tab):
        yield f"the label {text} is cut"
    for title in layout.before_links(tab):
        yield f"a link passes behind {title}"
    for title in set(layout.crossed(tab)) - known:
        yield f"a link crosses the words {title}"
