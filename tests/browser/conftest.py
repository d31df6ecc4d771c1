import pytest

from scripts.lib.client import Client
from scripts.lib.page import WAYS, Page, chromium, open_page
from scripts.lib.prompts import without_numbers


@pytest.fixture(scope="module")  # not longer: while it is open, this thread cannot run another event loop
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(params=WAYS)
def page(request, browser, server):
    """The page with each of its two ways to draw nodes; `page.name` says which."""
    with Client(server.address) as client:
        client.forget_history()  # a prompt with NaN, which other tests send, is no JSON that a page can read
    with open_page(browser, server.address, request.param, pack=server.pack) as page:
        yield page


def assert_open(page: Page, prompt: dict) -> None:
    """The page has the workflow open that is this prompt, but for previews: it knows every node, and says nothing."""
    assert page.unknown_node_types() == []
    assert page.alerts() == []
    found, expected = (
        without_numbers({number: node for number, node in one.items() if node["class_type"] != "PreviewImage"})
        for one in (page.api_prompt(), prompt)
    )
    assert found == expected
