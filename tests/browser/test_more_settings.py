"""A training shows few settings; a button of ours unfolds the rest where the page does not fold by itself."""

import pytest

from scripts.lib.training_prompts import STAGE1, STAGE2

NODE = "window.app.graph.nodes.find(node => node.type === '{}')"
SHOWN = {
    "canvas": "(() => {{ const node = {0}; return node.widgets.filter(one => node.isWidgetVisible(one)).length }})()",
    "vue": "document.querySelectorAll(`[data-node-id='${{{0}.id}}'] .lg-node-widget`).length",
}
PRESS = {
    "canvas": "{0}.widgets.findLast(one => one.type === 'button').callback()",
    "vue": "[...document.querySelectorAll(`[data-node-id='${{{0}.id}}'] :is(.p-button, [data-testid^=advanced])`)]"
    ".find(one => /ettings$|dvanced/.test(one.innerText)).click()",  # the page's own, where it has one
}
OPEN_AGAIN = "async () => await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())))"


@pytest.mark.parametrize(("name", "kind"), [("train_disentanglement", STAGE1), ("train_personalisation", STAGE2)])
def test_the_rest_is_behind_a_button(page, name, kind):
    node = NODE.format(kind)
    shown, press = SHOWN[page.name].format(node), PRESS[page.name].format(node)
    page.load_template(name)
    prompt = page.api_prompt()
    page.tab.wait_for_function(f"() => {shown} > 0 && {shown} < 13")
    page.tab.evaluate(press)
    page.tab.wait_for_function(f"() => {shown} > 22")
    page.screenshot(f"{name}-unfolded")
    page.tab.evaluate(OPEN_AGAIN)
    page.tab.wait_for_function(f"() => {shown} > 22")  # as it was saved
    assert page.api_prompt() == prompt
    page.tab.evaluate(press)
    page.tab.wait_for_function(f"() => {shown} > 0 && {shown} < 13")
    assert page.errors == []
