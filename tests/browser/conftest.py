import contextlib

import pytest

from scripts.lib import layout
from scripts.lib.client import Client
from scripts.lib.page import WAYS, Page, chromium, open_page
from scripts.lib.prompts import without_numbers


@pytest.fixture(scope="package")  # not longer: while it is open, this thread cannot run another event loop
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def pages(browser, server):
    """The page in each of its two ways to draw nodes, open as long as these tests run."""
    with contextlib.ExitStack() as stack:
        yield {way: stack.enter_context(open_page(browser, server.address, way, pack=server.pack)) for way in WAYS}


@pytest.fixture(params=WAYS)
def page(request, pages, server):
    """One of the two, as it is when it was just opened; `page.name` says which."""
    with Client(server.address) as client:
        client.forget_history()  # a prompt with NaN, which other tests send, is no JSON that a page can read
    page = pages[request.param]
    page.begin_anew()
    yield page


def in_both_ways(workflows):
    """Runs a test with each `name` in one way to draw nodes and at once in the other, where the host still has all that
    the first run gave: so the second one costs little, and tells that its page makes the same graph."""
    both = [(way, name) for name in workflows for way in WAYS]
    return pytest.mark.parametrize(("page", "name"), both, indirect=["page"])


def assert_open(page: Page, prompt: dict) -> None:
    """The page has the workflow open that is this prompt, but for previews: it knows every node, and says nothing."""
    assert page.unknown_node_types() == []
    assert page.alerts() == []
    found, expected = (
        without_numbers({number: node for number, node in one.items() if node["class_type"] != "PreviewImage"})
        for one in (page.api_prompt(), prompt)
    )
    assert found == expected


def assert_tidy_after_its_run(page: Page) -> None:
    """Nodes that grew by what they show still have room: nothing lies over anything, nothing leaves its group."""
    page.wait_until_idle()
    assert list(layout.faults(page.tab)) == []
