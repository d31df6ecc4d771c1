"""ComfyUI's page in a headless Chromium that can reach this machine and nothing else."""

import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from scripts.lib.environment import BUILD, CHROMIUMS
from scripts.lib.server import PACK

LOOPBACK = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")


@pytest.fixture(scope="session")
def browser():
    executable = next(filter(None, map(shutil.which, CHROMIUMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """The open page; `errors` collects what goes wrong on it, except that it cannot reach the internet."""

    def __init__(self, tab):
        self.tab = tab
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
        dialog = self.tab.get_by_role("dialog")
        if not dialog.is_visible():
            self.tab.get_by_role("button", name="Templates").click()
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
        return self.tab.locator(".p-toast-message, [role=dialog]").all_inner_texts()

    def api_prompt(self):
        """The graph as the page queues it."""
        return self.tab.evaluate("async () => (await window.app.graphToPrompt()).output")

    def run(self):
        """Presses Run; returns the pictures of the first node that shows some."""
        self.tab.get_by_test_id("queue-button").get_by_role("button").first.click()
        shown = "Object.values(window.app.nodeOutputs).find(output => output.images?.length)?.images"
        return self.tab.wait_for_function(f"() => {shown}", timeout=120_000).json_value()

    def screenshot(self, name):
        folder = BUILD / "screenshots"
        folder.mkdir(exist_ok=True)
        self.tab.evaluate("() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.tab.wait_for_timeout(1000)
        self.tab.screenshot(path=folder / f"{name}.png")


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    context.route(lambda url: not LOOPBACK.match(url), lambda route: route.abort())
    tab = context.new_page()
    page = Page(tab)
    tab.goto(server.address)
    tab.wait_for_function("() => window.app?.graph && window.LiteGraph?.registered_node_types.SaveImage")
    # The first visit begins with the template browser.
    tab.wait_for_timeout(1000)
    yield page
    context.close()
