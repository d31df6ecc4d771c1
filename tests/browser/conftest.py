"""ComfyUI's page in a headless Chromium that can reach this machine and nothing else."""

import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from scripts.lib.environment import BUILD

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
LOOPBACK = re.compile(r"^(https?|wss?)://(127\.0\.0\.1|localhost)[:/]")


@pytest.fixture(scope="session")
def browser():
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    assert executable, "No Chromium was found: install Debian's chromium package or Google Chrome."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """The open page; `errors` collects what its console calls an error."""

    def __init__(self, page):
        self.page = page
        self.errors = []
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open_graph(self, workflow):
        """Loads a workflow as the template browser does; returns the node types that the page does not know."""
        self.page.evaluate("async workflow => await window.app.loadGraphData(workflow)", workflow)
        return self.page.evaluate(
            "() => window.app.graph.nodes.map(node => node.type).filter(type => !window.LiteGraph.registered_node_types[type])"
        )

    def api_prompt(self):
        """The graph as the page would queue it."""
        return self.page.evaluate("async () => (await window.app.graphToPrompt()).output")

    def screenshot(self, name):
        folder = BUILD / "screenshots"
        folder.mkdir(exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    context.route(lambda url: not LOOPBACK.match(url) and not url.startswith(("data:", "blob:")), lambda route: route.abort())
    tab = context.new_page()
    page = Page(tab)
    tab.goto(server.address)
    tab.wait_for_function("() => window.app?.graph && window.LiteGraph?.registered_node_types.SaveImage")
    yield page
    context.close()
