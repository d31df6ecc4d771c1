"""Help pages as the page shows them: all of a page within the panel, and its pictures there."""

import pytest

PAGES = ("DRC_StyleTower", "DRC_TokensToConditioning", "DRC_TrainPersonalisation")
SHOWN = """() => {
    const panel = document.querySelector(".node-help-content")
    const wide = [...panel.querySelectorAll("li, p, h1, h2, img, pre")]
        .filter(part => part.getBoundingClientRect().right > panel.getBoundingClientRect().right)
    return [panel.scrollWidth - panel.clientWidth, wide.map(part => part.textContent || part.src)]
}"""


@pytest.mark.parametrize("page", ["canvas"], indirect=True)
def test_help_fits_into_its_panel(page):
    for node in PAGES:
        page.show_only(node)
        page.select(node)
        page.tab.get_by_test_id("info-button").dispatch_event("click")
        title = page.tab.evaluate("window.app.graph.nodes[0].title")
        page.tab.locator(".node-help-content h1", has_text=title).wait_for()
        page.tab.wait_for_function(
            "() => [...document.querySelectorAll('.node-help-content img')].every(image => image.naturalWidth > 0)"
        )
        assert page.tab.evaluate(SHOWN) == [0, []], node
        page.screenshot(f"help-{node}")
