"""ComfyUI's page in a headless Chromium that can reach this machine and nothing else.

Tests run on page 1.32.9; where page 1.58 has another element for the same, it is named beside.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Locator, TimeoutError, sync_playwright
from playwright.sync_api import Page as Tab

from scripts.lib.environment import BUILD, CHROMIUMS, ROOT
from scripts.lib.server import PACK

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

DROP = """([type, files]) => {
    const node = app.graph.nodes.find(node => node.type === type), {scale, offset} = app.canvas.ds
    const corner = app.canvas.canvas.getBoundingClientRect(), dataTransfer = new DataTransfer()
    const clientX = corner.left + (node.pos[0] + node.size[0] / 2 + offset[0]) * scale
    const clientY = corner.top + (node.pos[1] - 10 + offset[1]) * scale
    for (const [name, data] of Object.entries(files)) {
        const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0))
        dataTransfer.items.add(new File([bytes], name, {type: "image/png"}))
    }
    const found = document.elementFromPoint(clientX, clientY)
    for (const kind of ["dragover", "drop"])
        found.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, clientX, clientY, dataTransfer}))
}"""
BLANK = """async () => {
    const {command, workflow, toast, sidebarTab} = window.app.extensionManager
    await command.execute("Comfy.NewBlankWorkflow")
    for (const one of [...workflow.openWorkflows])
        if (one !== workflow.activeWorkflow) await workflow.closeWorkflow(one)
    sidebarTab.activeSidebarTabId = null
    const clear = toast.removeAll ?? toast.dismissAll  // of page 1.58
    clear.call(toast)
}"""
OVER = ".p-dialog-mask:visible, [role=dialog]:visible"
ALERTS = ".p-toast-message, [role=dialog], [data-testid=toast], [data-testid=error-overlay]"
SEARCH = re.compile("Search Nodes|Add a node")  # what its box asks for
NOT_HERE = ("https://api.comfy.org", "https://huggingface.co", "/api/jobs/")  # the last: runs that tests made it forget
JOBS = re.compile("jobs? (completed|failed)")  # told for a while behind every run
SETTINGS = {
    "Comfy.TutorialCompleted": True,  # else the first visit opens the template browser at a moment of its own choice
}
WINDOW = {"width": 1600, "height": 900}
# In which the page can draw nodes. Tests begin with the one in which nodes need the most room: what is drawn a second
# time the host remembers, and nodes show less of it.
WAYS = {"vue": True, "canvas": False}


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", OFFLINE])
        yield browser
        browser.close()


@contextlib.contextmanager
def open_page(
    browser: Browser,
    address: str,
    way: str,
    width: int = WINDOW["width"],
    height: int = WINDOW["height"],
    pack: str = PACK,
    locale: str = "en",
) -> Iterator[Page]:
    """The page of the server at `address`, in a language, which draws nodes in one of WAYS; `pack` is the folder of our
    pack there."""
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(120_000)
    context.request.post(
        f"{address}/settings", data=SETTINGS | {"Comfy.VueNodes.Enabled": WAYS[way], "Comfy.Locale": locale}
    )
    page = Page(context.new_page(), way, pack)
    page.tab.goto(address, wait_until="commit")
    page.tab.wait_for_function("() => window.LiteGraph?.registered_node_types.SaveImage")
    page.tab.wait_for_function("() => window.app?.graph?.nodes.length > 0")  # the page opens one by itself
    yield page
    context.close()


def template_title(name: str) -> str:
    """What the card of a workflow says in the template browser."""
    texts = json.loads((ROOT / "locales" / "en" / "main.json").read_text("utf-8"))
    return f"DRC: {texts['templateWorkflows']['template'][PACK][name]}"


class Page:
    """The open page; `errors` collects what goes wrong on it, except that it does not reach what is NOT_HERE."""

    def __init__(self, tab: Tab, name: str, pack: str):
        self.tab, self.name, self.pack = tab, name, pack
        self.errors = []
        tab.on("console", self.note_message)
        tab.on("pageerror", lambda error: self.note(str(error)))

    def note_message(self, message) -> None:
        if message.type == "error":
            self.note(f"{message.text} ({message.location['url']})")

    def note(self, error: str) -> None:
        if not any(address in error for address in NOT_HERE):
            self.errors.append(error)

    def begin_anew(self) -> None:
        """Leaves one blank workflow open, and nothing over it."""
        self.tab.set_viewport_size(WINDOW)
        over = self.tab.locator(OVER)
        for _ in range(100):  # the first Escape may close but the list of what was typed
            if not over.count():
                break
            self.press("Escape")
            self.tab.wait_for_timeout(100)
        over.first.wait_for(state="hidden")
        self.tab.evaluate(BLANK)
        self.tab.mouse.move(WINDOW["width"] / 2, WINDOW["height"] / 2)  # where nothing tells what it is for
        for passing in (self.tab.locator(ALERTS), self.tab.get_by_text(JOBS)):
            passing.first.wait_for(state="hidden")
        self.errors.clear()

    def open_template(self, name: str) -> None:
        """Opens a workflow of this pack from the template browser, as a user does."""
        dialog = self.browse_templates()
        dialog.get_by_text(self.pack, exact=True).click()
        dialog.get_by_text(template_title(name), exact=True).last.click()
        self.wait_until_open(name)
        dialog.wait_for(state="hidden")

    def browse_templates(self) -> Locator:
        """The template browser, opened."""
        self.tab.get_by_role("button", name="Templates").click()
        self.errors.clear()
        return self.tab.get_by_role("dialog")

    def wait_until_open(self, name: str) -> None:
        """Until the graph is that of a template, as the page has one of its own before it, and can be queued: on a busy
        machine it was once seen with all its nodes and nothing to queue."""
        is_open = """async ([pack, name]) => {
            const types = nodes => nodes.map(node => node.type).sort().join()
            const template = await (await fetch(`/api/workflow_templates/${pack}/${name}.json`)).json()
            if (types(window.app.graph.nodes) !== types(template.nodes)) return false
            return Object.keys((await window.app.graphToPrompt()).output).length > 0
        }"""
        self.tab.wait_for_function(is_open, arg=[self.pack, name])

    def load_template(self, name: str) -> None:
        """What `open_template` comes to, without the template browser, whose hundred pictures take their time."""
        self.errors.clear()
        load = """async ([pack, name]) => {
            const workflow = await (await fetch(`/api/workflow_templates/${pack}/${name}.json`)).json()
            await window.app.loadGraphData(workflow, true, true, name, {openSource: "template"})
        }"""
        self.tab.evaluate(load, [self.pack, name])

    def dismiss(self, text: str) -> None:
        """Closes the dialog with a text, once it is there; page 1.58 says no more than that something is amiss."""
        issues = self.tab.get_by_test_id("error-overlay")
        dialog = self.tab.get_by_role("dialog")
        dialog.get_by_text(text).or_(issues).first.wait_for()
        if issues.is_visible():
            issues.get_by_test_id("error-overlay-dismiss").click()
        else:
            self.press("Escape")
        issues.or_(dialog).first.wait_for(state="hidden")

    def show_only(self, node_type: str) -> None:
        """Puts one node in the place of the graph that is open."""
        self.errors.clear()
        replace = """type => {
            window.app.graph.clear()
            window.app.graph.add(LiteGraph.createNode(type))
        }"""
        self.tab.evaluate(replace, node_type)
        self.fit_view()

    def search(self, words: str) -> None:
        """Types into the search for nodes, which a double click on the empty canvas opens; on a busy machine the two
        clicks may reach the page too far apart to be one."""
        box = self.tab.get_by_placeholder(SEARCH).last
        for _ in range(6):
            if box.is_visible():
                break
            self.tab.mouse.dblclick(self.tab.viewport_size["width"] / 2, self.tab.viewport_size["height"] - 60)
            with contextlib.suppress(TimeoutError):
                box.wait_for(timeout=20_000)
        box.fill(words)

    def found(self, name: str) -> Locator:
        """The node of that name among those that the search found."""
        newer = self.tab.get_by_test_id("result-item").filter(has=self.tab.get_by_text(name, exact=True))
        return self.tab.locator(f".p-autocomplete-option[aria-label='{name}']").or_(newer)

    def add_node(self, name: str) -> None:
        """Takes a node of that name from the search."""
        count = self.tab.evaluate("window.app.graph.nodes.length")
        self.search(name)
        self.found(name).click()
        self.tab.wait_for_function("count => window.app.graph.nodes.length > count", arg=count)

    def unknown_node_types(self) -> list[str]:
        types = "window.app.graph.nodes.map(node => node.type)"
        return self.tab.evaluate(f"() => {types}.filter(type => !(type in LiteGraph.registered_node_types))")

    def alerts(self) -> list[str]:
        """The texts of messages that popped up, and of dialogs such as the one for missing nodes."""
        return self.tab.locator(ALERTS).all_inner_texts()

    def api_prompt(self) -> dict[str, Any]:
        """The graph as the page queues it."""
        return self.tab.evaluate("async () => (await window.app.graphToPrompt()).output")

    def set_widgets(self, node_type: str, **values: Any) -> None:
        """Sets widgets of the node of a type, as an edit in the page does."""
        set_one = """([type, values]) => {
            const node = window.app.graph.nodes.find(node => node.type === type)
            for (const [name, value] of Object.entries(values))
                node.widgets.find(widget => widget.name === name).value = value
        }"""
        self.tab.evaluate(set_one, [node_type, values])

    def drop(self, node_type: str, files: dict[str, bytes]) -> None:
        """Drops PNG files onto the title of the node of a type, as a file manager does."""
        self.tab.evaluate(DROP, [node_type, {name: b64encode(data).decode() for name, data in files.items()}])

    def press_run(self) -> None:
        button = self.tab.get_by_test_id("queue-button")
        button.get_by_role("button").or_(button.and_(self.tab.get_by_role("button"))).first.click()

    def wait_until_idle(self) -> None:
        """Until the server has nothing left to run."""
        is_idle = """async () => {
            const queue = await (await fetch("/api/queue")).json()
            return queue.queue_running.length + queue.queue_pending.length === 0
        }"""
        self.tab.wait_for_function(is_idle)

    def select(self, node_type: str) -> None:
        """Selects the node of a type, as a click on it does."""
        select = """type => {
            window.app.canvas.selectNodes([window.app.graph.nodes.find(node => node.type === type)])
            window.app.canvas.setDirty(true, true)
        }"""
        self.tab.evaluate(select, node_type)

    def press(self, key: str) -> None:
        self.tab.keyboard.press(key)

    def press_run_selected(self) -> None:
        """The play button above a selected node, which runs that node alone."""
        button = self.tab.locator(".selection-toolbox button", has=self.tab.locator("[class*='lucide--play']"))
        button.dispatch_event("click")  # it may lie under the bar of tabs, as the node is not brought into view

    def wait_until_offered(self, node_type: str, option: str) -> None:
        """Until the first widget of the node of a type offers it."""
        node = f"window.app.graph.nodes.find(node => node.type === '{node_type}')"
        self.tab.wait_for_function(f"option => {node}.widgets[0].options.values.includes(option)", arg=option)

    def pictures_in(self, title: str) -> list[dict[str, str]]:
        """Waits for the pictures of the node with that title; none when an alert comes first."""
        return self.wait_for(f"{self.output_of(title)}?.images")

    def texts_in(self, title: str) -> list[str]:
        """Waits for what the node with that title says; nothing when an alert comes first."""
        return self.wait_for(f"{self.output_of(title)}?.text")

    @staticmethod
    def output_of(title: str) -> str:
        return f"window.app.nodeOutputs[window.app.graph.nodes.find(node => node.title === '{title}').id]"

    def wait_for(self, shown: str) -> Any:
        alert = f"document.querySelector('{ALERTS}') && []"
        return self.tab.wait_for_function(f"() => {shown} || ({alert})").json_value()

    def fit_view(self) -> None:
        """Brings the whole graph into view."""
        self.tab.evaluate("() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.tab.wait_for_timeout(1000)

    def screenshot(self, name: str) -> None:
        folder = BUILD / "screenshots"
        folder.mkdir(exist_ok=True)
        self.tab.screenshot(path=folder / f"{name}-{self.name}.png")
