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
    "complete_my_set": {"Pictures to SVG", "SVG", "Set Report", "Report"},
    "look_closer": {"Meter", "Collapse Meter", "Guidance Grid", "What the dials do", "Attention Map"}
    | {"Where the towers looked"},
    "train_disentanglement": {"Save DRC Model"},
    "train_personalisation": {"Save DRC Model", "Example Pictures", "StyleTower", "SemanticTower"}
    | {"ComposeInstruction", "DRC-LMM-Generate", "DRC Decode", "Picture"},
    "lavit_reconstruct": {"Convert LaVIT"},
    "lavit_personalise": {"StyleTower", "SemanticTower", "ComposeInstruction"},
}  # what need not be in a small window
NEEDS_FILES = {"lavit_reconstruct", "lavit_personalise"}


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
    yield from layout.faults(page.tab)


def faults_in_view(tab, name, width, height):
    if tab.evaluate("app.canvas.low_quality"):
        yield "drawn in low quality"
    nodes = layout.nodes(tab)
    assert RESULTS.get(name, "Picture") in {node.title for node in nodes}
    for node in nodes:
        if not layout.Box("window", 0, 0, width, height).holds(node) and node.title not in BEYOND.get(name, ()):
            yield f"{node.title} is outside the window"
    for title in set(layout.covered(tab)) - BEYOND.get(name, set()):
        yield f"{title} lies under a bar or the minimap"
