"""ComfyUI's page in a headless Chromium that can reach this machine and nothing else."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from scripts.lib.environment import BUILD, CHROMIUMS
from scripts.lib.server import PACK

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

ALERTS = ".p-toast-message, [role=dialog]"
SETTINGS = {
    "Comfy.TutorialCompleted": True,  # else the first visit opens the template browser at a moment of its own choice
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # the whole graph in a screenshot, with its texts
}


@pytest.fixture(scope="module")  # not longer: while it is open, this thread cannot run another event loop
def browser():
    executable = next(filter(None, map(shutil.which, CHROMIUMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", OFFLINE])
        yield browser
        browser.close()


class Page:
    """The open page; `errors` collects what goes wrong on it, except that it cannot reach the internet."""

    def __init__(self, tab, name):
        self.tab = tab
        self.name = name
        self.errors = []
        tab.on("console", self.note_message)
        tab.on("pageerror", lambda error: self.note(str(error)))

    def note_message(self, message):
        if message.type == "error":
            self.note(f"{message.text} ({message.location['url']})")

    def note(self, error):
        if "https://api.comfy.org" not in error:
            self.errors.append(error)

    def open_template(self, name):
        """Opens a workflow of this pack from the template browser, as a user does."""
        self.tab.get_by_role("button", name="Templates").click()
        dialog = self.tab.get_by_role("dialog")
        self.errors.clear()
        dialog.get_by_text(PACK, exact=True).click()
        dialog.get_by_text(name, exact=True).last.click()
        self.tab.wait_for_function("() => window.app.graph.nodes.length > 0")
        dialog.wait_for(state="hidden")

    def unknown_node_types(self):
        types = "window.app.graph.nodes.map(node => node.type)"
        return self.tab.evaluate(f"() => {types}.filter(type => !(type in LiteGraph.registered_node_types))")

    def alerts(self):
        """The texts of messages that popped up, and of dialogs such as the one for missing nodes."""
        return self.tab.locator(ALERTS).all_inner_texts()

    def api_prompt(self):
        """The graph as the page queues it."""
        return self.tab.evaluate("async () => (await window.app.graphToPrompt()).output")

    def set_widgets(self, node_type, **values):
        """Sets widgets of the node of a type, as an edit in the page does."""
        set_one = """([type, values]) => {
            const node = window.app.graph.nodes.find(node => node.type === type)
            for (const [name, value] of Object.entries(values))
                node.widgets.find(widget => widget.name === name).value = value
        }"""
        self.tab.evaluate(set_one, [node_type, values])

    def press_run(self):
        self.tab.get_by_test_id("queue-button").get_by_role("button").first.click()

    def run(self):
        """Presses Run; returns the pictures of the first node that shows some, or none when an alert comes first."""
        self.press_run()
        return self.wait_for("Object.values(window.app.nodeOutputs).find(output => output.images?.length)?.images")

    def pictures_in(self, title):
        """Waits for the pictures of the node with that title; none when an alert comes first."""
        node = f"window.app.graph.nodes.find(node => node.title === '{title}')"
        return self.wait_for(f"window.app.nodeOutputs[{node}.id]?.images")

    def wait_for(self, shown):
        alert = f"document.querySelector('{ALERTS}') && []"
        return self.tab.wait_for_function(f"() => {shown} || ({alert})").json_value()

    def screenshot(self, name):
        folder = BUILD / "screenshots"
        folder.mkdir(exist_ok=True)
        self.tab.evaluate("() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.tab.wait_for_timeout(1000)
        self.tab.screenshot(path=folder / f"{name}-{self.name}.png")


@pytest.fixture(params=[False, True], ids=["canvas", "vue"])
def page(request, browser, server):
    """The page with each of its two ways to draw nodes; `page.name` says which."""
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    context.set_default_timeout(120_000)
    context.request.post(f"{server.address}/settings", data={**SETTINGS, "Comfy.VueNodes.Enabled": request.param})
    page = Page(context.new_page(), "vue" if request.param else "canvas")
    page.tab.goto(server.address, wait_until="commit")
    page.tab.wait_for_function("() => window.app?.graph && window.LiteGraph?.registered_node_types.SaveImage")
    yield page
    context.close()
