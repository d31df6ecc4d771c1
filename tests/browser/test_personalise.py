"""What a stranger does: open our template in a real page, press Run, look at the picture."""

from scripts.lib.options import SEED
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import personalise

from .conftest import assert_open, assert_tidy_after_its_run


def test_template_opens_and_draws(page, client, definitions):
    page.open_template("personalise")
    assert_open(page, personalise(definitions, seed=SEED, sharp=True))
    page.screenshot("personalise-open")

    page.press_run()
    (image,) = page.pictures_in("Picture")
    assert page.alerts() == []
    picture = from_bytes(client.fetch(image))
    assert min(picture.size) >= 64
    assert len(picture.getcolors(picture.width * picture.height)) > 16
    page.screenshot("personalise-done")
    assert page.errors == []
    assert page.alerts() == []
    assert_tidy_after_its_run(page)


SAY = """text => window.app.graph.nodes.forEach(({id}) =>
    window.app.api.dispatchCustomEvent("progress_text", {nodeId: String(id), text}))"""
SHOWN = """([text, count]) => document.body.innerText.split(text).length > count"""


def test_every_node_shows_what_it_is_told(page):
    """Those without widgets, too, such as SemanticTower."""
    page.load_template("personalise")
    count = page.tab.evaluate("window.app.graph.nodes.length")
    page.fit_view()
    page.tab.evaluate(SAY, "told to it")
    page.tab.wait_for_function(SHOWN, arg=["told to it", count])
    page.screenshot("told")
